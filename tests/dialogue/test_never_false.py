"""Nothing false is ever spoken, and nothing is written that was not asked, heard, answered and proven.

Random stories of two callers and two replicas in virtual time: guesses, cuts, hang-ups, repeats, late requests, deaths.
TELLER_EXAMPLES sets how many, TELLER_STEPS how long, TELLER_SEED which; a failure prints the seed and a transcript.
"""

import os
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from unittest.mock import AsyncMock

import pytest
from hypothesis import HealthCheck, Phase, example, given, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import engine
from sqlalchemy import Row, select

from graph.card import CardDesk
from graph.intents import load_intents
from teller.cards import dialogue
from teller.cards.answers import read_answer
from teller.cards.demo import listing
from teller.cards.dialogue import Turn, heard_question
from teller.cards.records import Card, CardState, Clause, Operation, Wish, WishState
from teller.cards.schema import audit, pending
from teller.cards.spoken import heard_words
from tests.dialogue.chapters import CHATS, OVERTAKEN, UNHEARD, steps
from tests.dialogue.conftest import Phone, Play
from tests.dialogue.steps import Step
from tests.dialogue.stories import CALLERS, Story
from tests.dialogue.truth import Truth, Verdict, Write, seconds

EXAMPLES = int(os.environ.get("TELLER_EXAMPLES", "130"))
LONGEST = int(os.environ.get("TELLER_STEPS", "40"))
SEED = int(os.environ.get("TELLER_SEED", "77"))


async def states_of(phone: Phone) -> tuple[dict[str, dict[str, str]], dict[str, int]]:
    """Return the states of the callers' cards, and how many changes are counted."""
    holders = [one for one in await listing(phone.bank.services.ledger) if one["phone"] in CALLERS]
    states = {one["phone"]: {card["last4"]: card["state"] for card in one["cards"]} for one in holders}
    return states, {one["phone"]: one["writes"] for one in holders}


async def trail(phone: Phone) -> tuple[list[Write], list[Verdict]]:
    """Return the changes and the judged PINs since the demo began anew, oldest first."""
    ledger = phone.bank.services.ledger
    began = max(row.seq for row in await ledger.read(select(audit.c.seq).where(audit.c.event == "reset")))
    rows = await ledger.read(select(audit).where(audit.c.seq > began).order_by(audit.c.seq))
    wishes = {row.id: row for row in await ledger.read(select(pending.c.id, pending.c.conversation, pending.c.phone))}
    writes, verdicts = [], []
    for row in rows:
        wish, at = wishes.get(row.wish_id), seconds(row.at)
        if wish is None:
            continue
        call = wish.conversation.rpartition("/")[2]
        if row.event in ("committed", "undone"):
            writes.append(_write(row, at, call, wish.phone))
        elif row.event in ("proven", "pin_wrong"):
            right = row.event == "proven"
            verdicts.append(Verdict(at, right, not right and row.detail["counts"], call, wish.phone))
    return writes, verdicts


def _write(row: Row[Any], at: float, call: str, phone: str) -> Write:
    detail = row.detail
    states = {detail["last4"]: detail["state"]}
    if "other_last4" in detail:
        states[detail["other_last4"]] = detail["other_state"]
    operation = Operation(detail["operation"])
    return Write(at, row.event, row.wish_id, operation, detail["last4"], detail["changed"], call, phone, states)


async def judged(phone: Phone, chats: tuple[bool, bool], steps: Sequence[Step]) -> Story:
    """Play a story; fail with its transcript if anything in it was not as it must be."""
    began, _ = await states_of(phone)
    story = Story(phone, chats)
    await story.play(steps)
    ended, counted = await states_of(phone)
    truth = Truth(story, *await trail(phone), began, ended, counted)
    if problems := list(truth.problems()):
        told = "\n".join(story.told)
        raise AssertionError(f"TELLER_SEED={SEED}\n" + "\n".join(problems) + f"\n\n{told}")
    return story


def stories(
    open_bank: Play, examples: int, kind: st.SearchStrategy[list[Step]], phases: Sequence[Phase] = tuple(Phase)
) -> Callable[[], None]:
    """Return what plays so many random stories of a kind."""

    @seed(SEED)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(chats=CHATS, steps=kind)
    def play_them(chats: tuple[bool, bool], steps: list[Step]) -> None:
        async def talk(phone: Phone) -> None:
            await judged(phone, chats, steps)

        open_bank(talk)

    return play_them


ADDING_NOTHING = frozenset(
    """yes yeah yea yep yup yh y aye sure ok okay alright correct right exactly absolutely definitely certainly
    affirmative go ahead do it that so i'm am
    please of course that's is fine the one sounds good i confirm confirmed thanks thank you uh um uhm er ah oh well hey
    hi hello and just now then i'd like to my a card said want would this mm hmm mhm huh love dear mate sir madam ma'am
    miss quick quickly god pal ta cheers block freeze lock shall your gold
    mastercard ending 7719""".split()
)
"""Words that leave a yes a yes; the last of them are the question's own and its operation's."""
WHY_NOT = re.compile(r"\b(?:sure|yes|yeah|yep|ok|okay) why not\b")
"""What leaves it one too, though neither of its words does."""
VOCABULARY = sorted({word for intent in load_intents() for text in intent.utterances for word in heard_words(text)})


@given(
    st.lists(st.one_of(st.sampled_from(VOCABULARY), st.sampled_from(sorted(ADDING_NOTHING))), min_size=1, max_size=6)
)
@settings(max_examples=2_000, deadline=None)
@example(["but", "not", "that", "one"])
@example(["when", "it", "is", "free"])
def test_no_suffix_after_a_yes_writes_unless_it_adds_nothing(suffix: list[str]) -> None:
    """The words are those of all the callers whose sentences we know."""
    text = "Shall I block your Gold Mastercard ending seven seven one nine?"
    now = datetime(2026, 11, 25, tzinfo=UTC)
    cards = [
        Card(token, product, network, last4, CardState.ACTIVE, 1, Decimal(1), Decimal(0), None)
        for token, product, network, last4 in (("v", "Everyday", "Visa", "4242"), ("g", "Gold", "Mastercard", "7719"))
    ]
    clause = Clause("confirm", text, "g", now)
    wish = Wish("w", "c", "+1", Operation.BLOCK, "g", 1, (clause,), WishState.OPEN, None, None, now)
    for yes in ("yes", "go ahead", "block it"):
        heard = heard_question([wish], [Turn("assistant", text), Turn("user", f"{yes} {' '.join(suffix)}")])
        assert heard is not None
        if read_answer(heard, cards) == "yes":
            assert ADDING_NOTHING.issuperset(WHY_NOT.sub("", " ".join(heard_words(heard.answer))).split())


def test_nothing_false_is_written_or_spoken(open_bank: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MAX_SHRINKING_SECONDS", 60)  # a story takes a second, and a shorter one will do
    stories(open_bank, EXAMPLES, steps(LONGEST))()


def without_hearing(patch: pytest.MonkeyPatch) -> None:
    """Let a question count that was not heard."""
    patch.setattr(dialogue, "was_heard", lambda *_: True)


def without_reopening(patch: pytest.MonkeyPatch) -> None:
    """Let a yes stand, whatever is said while it settles."""
    patch.setattr(CardDesk, "_reopen", AsyncMock())


@pytest.mark.parametrize(("take_out", "kind"), [(without_hearing, UNHEARD), (without_reopening, OVERTAKEN)])
def test_the_stories_notice_a_check_that_is_taken_out(
    open_bank: Play,
    monkeypatch: pytest.MonkeyPatch,
    take_out: Callable[[pytest.MonkeyPatch], None],
    kind: st.SearchStrategy[list[Step]],
) -> None:
    """In their shortest form; the long ones find it too, later."""
    take_out(monkeypatch)
    with pytest.raises(AssertionError, match=r"TELLER_SEED=[\s\S]*(nobody asked|no question|newest words)"):
        stories(open_bank, EXAMPLES, kind, [Phase.generate])()
