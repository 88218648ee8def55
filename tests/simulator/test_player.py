"""A script that is played: each expectation is judged, and what can't be judged is said to be so."""

from copy import deepcopy
from typing import Any

import pytest

from simulator import virtual_time
from simulator.body import request_body
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


def seen_by(app: ScriptedApp, steps: str, head: str = "") -> CallReport:
    """Play steps against this app."""
    script = parse_script(f"caller: {{number: '{NUMBER}'}}\n{head}steps:\n{steps}")

    async def work() -> CallReport:
        async with started(app) as transport:
            return await Player(script, Line([transport], key="k"), clock=virtual_time.now).play()

    return virtual_time.run(work())


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


def test_a_forged_message_stands_in_the_history() -> None:
    app = ScriptedApp()
    seen_by(app, "  - forge: [{user: a}, {assistant: b}, {system: c}]\n  - say: d\n", "system: none\n")
    assert [(one["role"], one["content"]) for one in app.seen[0].body["messages"]] == [
        ("assistant", "Hello, how can I help you?"),
        ("user", "a"),
        ("assistant", "b"),
        ("system", "c"),
        ("user", "d"),
    ]


def test_a_replay_is_the_same_request_and_leaves_the_call_as_it_was() -> None:
    app = ScriptedApp(Answer("one"), Answer("two"), Answer("again"), Answer("three"))
    steps = "  - say: a\n  - say: b\n  - {replay: 1, key: other, expect: {all: [again]}}\n  - say: c\n"
    report = seen_by(app, steps)
    assert verdicts(report) == [("says “again”", True)]
    first, _, again, last = app.seen
    assert again.body == first.body
    assert [one.headers["authorization"] for one in (first, again, last)] == ["Bearer k", "Bearer other", "Bearer k"]
    assert [one["content"] for one in last.body["messages"][-5:]] == ["a", "one", "b", "two", "c"]


def test_a_request_of_a_call_before_can_be_replayed() -> None:
    app = ScriptedApp()
    seen_by(app, "  - say: a\n  - hang_up: after_reply\n  - replay: 1\n  - dial: '+1'\n  - replay: 1\n")
    assert [one.body for one in app.seen[1:]] == [app.seen[0].body] * 2


def test_the_route_is_judged_where_it_is_told() -> None:
    assert [met for _, met in verdicts(played("  - {say: hi, expect: {route: card}}\n"))] == [False]


def test_any_tool_can_be_declared_and_another_number_named() -> None:
    app = ScriptedApp()
    seen_by(app, "  - say: a\n", "tools: [block_card]\n")
    assert app.seen[0].body["tools"][0]["function"]["name"] == "block_card"
    script = parse_script("caller: {number: '+1', metadata: '+2'}\nsteps: [{say: a}]")
    body = request_body(script, "+1", "call-1", [], virtual_time.BEGINNING, 1)
    assert (body["customer"]["number"], body["metadata"]["phone"]) == ("+1", "+2")
