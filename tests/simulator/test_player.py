"""A script that is played: each expectation is judged, and what can't be judged is said to be so."""

from copy import deepcopy
from typing import Any

import pytest

from simulator import virtual_time
from simulator.call import Line
from simulator.in_process import started
from simulator.player import Player
from simulator.reading import parse_script
from simulator.report import AssistantHeard, CallerSpoke, CallReport, Check, Happening, Holders, RequestOver
from tests.simulator.scripted_app import Answer, ScriptedApp

NUMBER = "+1234567890"
CARDS: Holders = [{"phone": NUMBER, "name": "", "writes": 2, "cards": [{"last4": "1881", "state": "active"}]}]


def changed(writes: int, **states: str) -> Holders:
    holders = deepcopy(CARDS)
    holders[0]["writes"] += writes
    holders[0]["cards"] = [{"last4": last4.strip("_"), "state": state} for last4, state in states.items()]
    return holders


def played(
    steps: str, *answers: Answer, ledger: list[Holders] | None = None, tell: Any = None, head: str = ""
) -> CallReport:
    """Play steps; `ledger` is what is read of it, time after time, the last for ever."""
    script = parse_script(f"caller: {{number: '{NUMBER}'}}\n{head}steps:\n{steps}")
    left = list(ledger or [])

    async def read() -> Holders:
        return left.pop(0) if len(left) > 1 else left[0]

    async def work() -> CallReport:
        async with started(ScriptedApp(*answers)) as transport:
            options = {"tell": tell} if tell else {}
            read_ledger = read if ledger else None
            player = Player(script, Line([transport]), clock=virtual_time.now, read_ledger=read_ledger, **options)
            return await player.play()

    return virtual_time.run(work())


def verdicts(report: CallReport) -> list[tuple[str, bool | None]]:
    return [(check.what, check.met) for check in report.checks if check.what != "an answer"]


@pytest.mark.parametrize(
    ("expect", "met"),
    [
        ("{all: [VISA, ending 1881]}", True),
        ("{all: [visa, gold]}", False),
        ("{any: [gold, visa]}", True),
        ("{any: [gold, silver]}", False),
        ("{not: [gold]}", True),
        ("{not: [isn't it]}", False),
        (r"{regex: 'shall.*\?$'}", True),
        ("{regex: ^visa}", False),
        ("{tool: none}", True),
        ("{tool: endCall}", False),
        ("{status: 200}", True),
        ("{status: 503}", False),
    ],
)
def test_a_reply_is_judged(expect: str, met: bool) -> None:
    report = played(f"  - {{say: hi, expect: {expect}}}\n", Answer("Shall I block your Visa ending 1881, isn’t it?"))  # noqa: RUF001
    assert all(found for _, found in verdicts(report)) is met


@pytest.mark.parametrize(
    ("arguments", "met"), [("{destination: '+15550004444'}", True), ("{destination: '+1'}", False)]
)
def test_a_tool_is_judged_with_its_arguments(arguments: str, met: bool) -> None:
    called = Answer("", tool=("transferCall", '{"destination":"+15550004444"}'), finish="tool_calls")
    report = played(f"  - {{say: a person, expect: {{tool: transferCall, arguments: {arguments}}}}}\n", called)
    assert (report.failed == []) is met
    assert report.ended_by == "transferCall"


def test_the_ledger_is_judged_against_what_it_was() -> None:
    after = changed(2, _1881="closed", _6153="inactive")
    report = played("  - {say: lost it, writes: 2, ledger: {1881: closed, new: inactive}}\n", ledger=[CARDS, after])
    assert verdicts(report) == [("writes 2", True), ("card 1881 closed", True), ("card new inactive", True)]
    assert (report.ledger_before, report.ledger_after) == (CARDS, after)
    report = played("  - {say: lost it, writes: 2, ledger: {1881: closed, new: inactive}}\n", ledger=[CARDS])
    assert {met for _, met in verdicts(report)} == {False}


def test_without_a_ledger_nothing_of_it_is_judged() -> None:
    report = played("  - {say: lost it, writes: 0, ledger: {1881: active}}\n")
    assert verdicts(report) == [("writes 0", None), ("card 1881 active", None)]
    assert report.failed == []


@pytest.mark.parametrize("answer", [Answer(status=503), Answer(finish=None)])
def test_a_reply_that_fails_is_a_failure_though_nothing_is_expected(answer: Answer) -> None:
    assert [check.what for check in played("  - say: hi\n", answer).failed] == ["an answer"]


def test_a_status_that_is_expected_is_no_failure() -> None:
    assert played("  - {say: hi, expect: {status: 503}}\n", Answer(status=503)).failed == []


def test_an_interruption_that_finds_nothing_to_interrupt_is_a_failure() -> None:
    steps = "  - say: hi\n  - {say: wait, barge_in: 9}\n"
    assert [(check.step, check.what) for check in played(steps).failed] == [(2, "interrupts the reply")]
    assert played(steps.replace("9", "2")).failed == []


def test_a_cut_reply_is_judged_by_what_came() -> None:
    steps = "  - {say: hi, expect: {all: [one]}}\n  - {say: wait, barge_in: {seconds: 1}}\n"
    assert played(steps, Answer("one two three", every=0.8)).failed == []


def test_the_caller_can_not_go_on_after_the_end() -> None:
    hung_up = Answer("", tool=("endCall", "{}"), finish="tool_calls")
    report = played("  - say: bye\n  - say: hello\n  - dial: '+1'\n  - say: hello\n", hung_up, Answer())
    assert [(check.step, check.what) for check in report.failed] == [(2, "the call goes on")]
    assert len(report.call_ids) == 2
    assert [turn.said for turn in report.turns] == ["bye", "hello"]


def test_each_repeat_is_judged() -> None:
    report = played("  - say: hi\n  - {repeat: 2, expect: {all: [one]}}\n", Answer("one"), Answer("two"), Answer("one"))
    assert [met for _, met in verdicts(report)] == [False, True]


def test_what_happens_is_told_when_it_happens() -> None:
    told: list[Happening] = []
    played("  - {say: hi there, guesses: 1, expect: {all: [here]}}\n", tell=told.append)
    kinds = [AssistantHeard, RequestOver, CallerSpoke, RequestOver, AssistantHeard, Check, Check]
    assert [type(happening) for happening in told] == kinds
    times = [happening.at for happening in told if not isinstance(happening, Check)]
    assert times == sorted(times)
