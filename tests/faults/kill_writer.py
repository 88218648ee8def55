"""Kills a writer with SIGKILL at random moments of a write, restarts, repeats the request, and counts what went wrong.

    python -m tests.faults.kill_writer TARGET --kills 1000 --seed 7

TARGET is a demo ledger of the tests: an SQLite file or a PostgreSQL URL. This process is the warm parent: it has
imported everything, holds no thread and no connection, and forks a writer for each kill. A round is one write on Maya's
card: block (asked, or at once), unblock, lost, activate the new card. What must hold after each kill:

- what the writer was told is true in the database, before anything is repeated (nothing lost);
- after the repeat the card has moved by one version, and one write more is counted (nothing doubled);
- the audit chain is whole, with one row for the change.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from teller.cards.demo import listing
from teller.cards.records import Card, CardState, Operation, WishState
from teller.cards.sql_ledger import SqlLedger
from tests.support.audit_chain import first_broken
from tests.support.ledger import AUDIT_KEY, MAYA, Clock, Target, card_of, open_ledger, prove, settled

_WARM_UP = 6
_LOST_EACH = 7


@dataclass(frozen=True)
class Round:
    """One write, as it stands before the writer is started, at the round's own time."""

    clock: Clock
    operation: Operation
    card: Card
    wish_id: str | None
    writes: int
    cards: int
    committed: int


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    target: Target = options.target if "://" in options.target else Path(options.target)
    dice = random.Random(options.seed)
    found: Counter[str] = Counter(dict.fromkeys(("lost", "doubled", "broken", "before", "unanswered", "told"), 0))
    durations = [killed_round(target, number, None, found) for number in range(_WARM_UP)]
    longest = 1.5 * sorted(durations)[_WARM_UP // 2]
    found.clear()
    found.update(dict.fromkeys(("lost", "doubled", "broken", "before", "unanswered", "told"), 0))
    for number in range(options.kills):
        killed_round(target, number, dice.uniform(0, longest), found)
    found["kills"] = options.kills
    found["broken"] += asyncio.run(chain_is_broken(target))
    sys.stdout.write(json.dumps(found) + "\n")
    sys.exit(1 if found["lost"] or found["doubled"] or found["broken"] else 0)


def killed_round(target: Target, number: int, kill_after: float | None, found: Counter[str]) -> float:
    """Prepare a write, kill who does it, repeat it, check; return how long it took the writer (if it lived)."""
    plan = asyncio.run(prepare(target, number))
    reading, writing = os.pipe()
    writer = os.fork()
    if writer == 0:
        os.close(reading)
        try:
            asyncio.run(write(target, plan, writing))
        finally:
            os._exit(0)
    os.close(writing)
    assert os.read(reading, 1) == b"r"
    began = time.perf_counter()
    if kill_after is None:
        told = os.read(reading, 1) == b"d"
    else:
        time.sleep(kill_after)  # not a busy wait: on a busy machine that would keep the writer from its write
        os.kill(writer, signal.SIGKILL)
        told = os.read(reading, 1) == b"d"
    took = time.perf_counter() - began
    os.waitpid(writer, 0)
    os.close(reading)
    asyncio.run(check(target, plan, told, found))
    return took


async def prepare(target: Target, number: int) -> Round:
    """Choose what to do, and ask and settle it where it needs that: the writer has only the commit to do."""
    clock = Clock()
    clock.advance(hours=number)  # a card is lost every seven rounds, and no more than five are ordered in a day
    ledger = await open_ledger(target, clock)
    place = next(place for place, card in enumerate(await cards_of(ledger)) if card.state is not CardState.CLOSED)
    card = await card_of(ledger, MAYA, place)
    operation = {
        CardState.INACTIVE: Operation.ACTIVATE,
        CardState.BLOCKED: Operation.UNBLOCK,
        CardState.ACTIVE: Operation.REPORT_LOST if number % _LOST_EACH == 0 else Operation.BLOCK,
    }[card.state]
    at_once = operation is Operation.BLOCK and number % 2 == 0
    if operation in (Operation.ACTIVATE, Operation.UNBLOCK):
        await prove(ledger, MAYA)
    wish = None if at_once else await settled(ledger, MAYA, operation, card)
    plan = Round(clock, operation, card, wish.id if wish else None, *await counts(ledger))
    await ledger.close()
    return plan


async def write(target: Target, plan: Round, pipe: int) -> None:
    ledger = await open_ledger(target, plan.clock)
    await ledger.view(MAYA, "call")  # connected and warm, as a server is
    os.write(pipe, b"r")
    if await do(ledger, plan):
        os.write(pipe, b"d")
    await ledger.close()


async def do(ledger: SqlLedger, plan: Round) -> bool:
    if plan.wish_id is None:
        return await ledger.commit_direct("call", MAYA, plan.operation, plan.card) is not None
    return await ledger.commit(plan.wish_id, "yes", plan.card) is not None


async def check(target: Target, plan: Round, told: bool, found: Counter[str]) -> None:
    ledger = await open_ledger(target, plan.clock)
    # A PostgreSQL backend may still be at it: whoever writes next waits for it, and only then is the past the past.
    await ledger.refuse(None, None, "restarted")
    was_done = await counts(ledger) != (plan.writes, plan.cards, plan.committed)
    found["told" if told else "unanswered" if was_done else "before"] += 1
    found["lost"] += told and not was_done
    await do(ledger, plan)
    new_cards = 1 if plan.operation is Operation.REPORT_LOST else 0
    writes, cards, committed = await counts(ledger)
    now = next(card for card in await cards_of(ledger) if card.token == plan.card.token)
    wishes = (await ledger.view(MAYA, "call")).wishes
    once = (writes, cards, committed) == (plan.writes + 1, plan.cards + new_cards, plan.committed + 1)
    moved = now.version == plan.card.version + 1 and now.state is not plan.card.state
    if writes <= plan.writes or not moved:
        found["lost"] += 1
    elif not once:
        found["doubled"] += 1
    found["broken"] += any(wish.state in (WishState.OPEN, WishState.SETTLING) for wish in wishes)
    await ledger.close()


async def cards_of(ledger: SqlLedger) -> tuple[Card, ...]:
    holder = (await ledger.view(MAYA, None)).holder
    assert holder is not None
    return holder.cards


async def counts(ledger: SqlLedger) -> tuple[int, int, int]:
    """Maya's writes and cards, and the changes in the audit trail."""
    from sqlalchemy import func, select

    from teller.cards.schema import audit

    maya = next(holder for holder in await listing(ledger) if holder["phone"] == MAYA)
    committed = await ledger.read(select(func.count()).select_from(audit).where(audit.c.event == "committed"))
    return maya["writes"], len(maya["cards"]), committed[0][0]


async def chain_is_broken(target: Target) -> bool:
    ledger = await open_ledger(target, Clock())
    broken = first_broken(await ledger.audit_trail(), AUDIT_KEY)
    await ledger.close()
    return broken is not None


if __name__ == "__main__":
    main()
