"""Nothing false is ever spoken, and nothing is written that was not asked, heard, answered and proven.

Random stories of two callers and two replicas in virtual time: guesses, cuts, hang-ups, repeats, late requests, deaths.
TELLER_EXAMPLES sets how many, TELLER_STEPS how long, TELLER_SEED which; a failure prints the seed and a transcript.
"""

import os
import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.internal.conjecture import engine
from sqlalchemy import select

from teller.cards.demo import listing
from teller.cards.records import Operation
from teller.cards.schema import audit, pending
from tests.dialogue.conftest import Phone, Play
from tests.dialogue.stories import CALLERS, CHATS, Step, Story, steps
from tests.dialogue.truth import Truth, Write, seconds

EXAMPLES = int(os.environ.get("TELLER_EXAMPLES", "110"))
LONGEST = int(os.environ.get("TELLER_STEPS", "40"))
SEED = int(os.environ.get("TELLER_SEED", random.randrange(10**6)))


async def states_of(phone: Phone) -> tuple[dict[str, dict[str, str]], dict[str, int]]:
    """Return the states of the callers' cards, and how many changes are counted."""
    holders = [one for one in await listing(phone.bank.services.ledger) if one["phone"] in CALLERS]
    states = {one["phone"]: {card["last4"]: card["state"] for card in one["cards"]} for one in holders}
    return states, {one["phone"]: one["writes"] for one in holders}


async def written(phone: Phone) -> list[Write]:
    """Return the changes since the demo began anew, oldest first."""
    ledger = phone.bank.services.ledger
    began = max(row.seq for row in await ledger.read(select(audit.c.seq).where(audit.c.event == "reset")))
    rows = await ledger.read(select(audit).where(audit.c.seq > began).order_by(audit.c.seq))
    wishes = {row.id: row for row in await ledger.read(select(pending.c.id, pending.c.conversation, pending.c.phone))}
    writes = []
    for row in rows:
        if row.event not in ("committed", "undone"):
            continue
        wish, detail = wishes[row.wish_id], row.detail
        states = {detail["last4"]: detail["state"]}
        if "other_last4" in detail:
            states[detail["other_last4"]] = detail["other_state"]
        operation, call = Operation(detail["operation"]), wish.conversation.rpartition("/")[2]
        writes.append(
            Write(
                seconds(row.at),
                row.event,
                row.wish_id,
                operation,
                detail["last4"],
                detail["changed"],
                call,
                wish.phone,
                states,
            )
        )
    return writes


async def judged(phone: Phone, chats: tuple[bool, bool], steps: Sequence[Step]) -> Story:
    """Play a story; fail with its transcript if anything in it was not as it must be."""
    began, _ = await states_of(phone)
    story = Story(phone, chats)
    await story.play(steps)
    ended, counted = await states_of(phone)
    truth = Truth(story, await written(phone), began, ended, counted)
    if problems := list(truth.problems()):
        told = "\n".join(story.told)
        raise AssertionError(f"TELLER_SEED={SEED}\n" + "\n".join(problems) + f"\n\n{told}")
    return story


def stories(open_bank: Play, examples: int, phases: Sequence[Phase] = tuple(Phase)) -> Callable[[], None]:
    """Return what plays so many random stories."""

    @seed(SEED)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(chats=CHATS, steps=steps(LONGEST))
    def play_them(chats: tuple[bool, bool], steps: list[Step]) -> None:
        async def talk(phone: Phone) -> None:
            await judged(phone, chats, steps)

        open_bank(talk)

    return play_them


def test_nothing_false_is_written_or_spoken(open_bank: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MAX_SHRINKING_SECONDS", 60)  # a story takes a second, and a shorter one will do
    stories(open_bank, EXAMPLES)()
