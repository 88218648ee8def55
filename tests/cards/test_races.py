"""What holds when several write at once, when a caller hangs up in the middle, and whatever the order of calls is."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teller.cards.demo_people import PEOPLE
from teller.cards.records import Card, CardRecord, CardState, Operation, WishState
from teller.cards.sql_ledger import SqlLedger
from teller.errors import LedgerUnavailableError
from tests.support.audit_chain import first_broken
from tests.support.ledger import (
    AUDIT_KEY,
    MAYA,
    REFUSED_BY_DATABASE,
    TOMAS,
    Clock,
    Target,
    card_of,
    confirm,
    open_ledger,
    sql,
    write_lock,
)

BLOCK = Operation.BLOCK
ACTIVE = [
    (person.phone, place)
    for person in PEOPLE
    for place, card in enumerate(person.cards)
    if card.state is CardState.ACTIVE
]


class TestTwoReplicas:
    async def test_racing_on_one_card_one_wins(self, ledger: SqlLedger, target: Target, clock: Clock) -> None:
        rival = await open_ledger(target, clock)
        for phone, place in ACTIVE:
            card = await card_of(ledger, phone, place)
            records = await asyncio.gather(
                ledger.commit_direct("one call", phone, BLOCK, card),
                rival.commit_direct("another call", phone, BLOCK, card),
            )
            assert [record is not None for record in records].count(True) == 1
            assert (await card_of(rival, phone, place)).version == card.version + 1
        await rival.close()

    async def test_racing_on_one_wish_tell_the_same_record(
        self, ledger: SqlLedger, target: Target, clock: Clock
    ) -> None:
        rival = await open_ledger(target, clock)
        card = await card_of(ledger, MAYA)
        wish = await ledger.ask("call", MAYA, BLOCK, card, confirm(card))
        await ledger.settle(wish.id, "yes")
        first, second = await asyncio.gather(ledger.commit(wish.id, "yes", card), rival.commit(wish.id, "yes", card))
        assert first is not None
        assert first == second
        await rival.close()

    async def test_racing_to_ask_open_one_wish(self, ledger: SqlLedger, target: Target, clock: Clock) -> None:
        rival = await open_ledger(target, clock)
        card = await card_of(ledger, MAYA)
        asked = [side.ask("call", MAYA, BLOCK, card, confirm(card)) for side in (ledger, rival) * 4]
        assert len({wish.id for wish in await asyncio.gather(*asked)}) == 1
        await rival.close()


class TestCancellation:
    async def test_of_a_waiting_caller_lets_the_commit_go_on(self, ledger: SqlLedger, target: Target) -> None:
        card = await card_of(ledger, MAYA)
        wish = await ledger.ask("call", MAYA, BLOCK, card, confirm(card))
        await ledger.settle(wish.id, "yes")
        async with write_lock(target):
            commit = asyncio.create_task(ledger.commit(wish.id, "yes", card))
            await asyncio.sleep(0.05)
            commit.cancel()
            with pytest.raises(asyncio.CancelledError):
                await commit
            assert sql(target, "SELECT state FROM pending") == [("settling",)]
        await ledger.close()
        assert sql(target, "SELECT state FROM pending") == [("done",)]
        assert sql(target, "SELECT state FROM card WHERE token = ?", card.token) == [("blocked",)]

    async def test_at_any_moment_leaves_the_write_done_and_whole(
        self, ledger: SqlLedger, target: Target, clock: Clock
    ) -> None:
        for step, (phone, place) in enumerate(ACTIVE):
            card = await card_of(ledger, phone, place)
            commit = asyncio.create_task(ledger.commit_direct(f"call {step}", phone, BLOCK, card))
            await asyncio.sleep(step * 0.0008)
            commit.cancel()
            await asyncio.wait({commit})
        await ledger.close()
        assert sql(target, "SELECT sum(writes) FROM holder") == [(len(ACTIVE),)]
        assert sql(target, "SELECT count(*) FROM card WHERE state = 'active'") == [(0,)]
        assert sql(target, "SELECT count(*) FROM pending WHERE state = 'done'") == [(len(ACTIVE),)]
        assert sql(target, "SELECT count(*) FROM audit WHERE event = 'committed'") == [(len(ACTIVE),)]

    async def test_of_reads_costs_no_later_read_anything(self, ledger: SqlLedger) -> None:
        for step in range(40):
            view = asyncio.create_task(ledger.view(MAYA, "call"))
            await asyncio.sleep(step * 0.00002)
            view.cancel()
            await asyncio.wait({view})
        assert (await ledger.view(MAYA, "call")).holder is not None


class TestTheDatabaseItself:
    """What holds even against a mistake in our own code, or a hand in the file."""

    def test_keeps_a_closed_card_closed(self, target: Target) -> None:
        sql(target, "UPDATE card SET balance = 1 WHERE state = 'closed'")
        with pytest.raises(REFUSED_BY_DATABASE, match="a closed card stays closed"):
            sql(target, "UPDATE card SET state = 'active' WHERE state = 'closed'")

    @pytest.mark.parametrize("statement", ["UPDATE audit SET event = 'refused'", "DELETE FROM audit"])
    def test_never_changes_or_deletes_an_audit_row(self, target: Target, statement: str) -> None:
        with pytest.raises(REFUSED_BY_DATABASE, match=r"audit rows are never|permission denied"):
            sql(target, statement)

    def test_never_empties_the_audit_trail(self, target: Target) -> None:
        if isinstance(target, str):
            with pytest.raises(REFUSED_BY_DATABASE, match="audit rows are never"):
                sql(target, "TRUNCATE audit")

    @pytest.mark.parametrize(
        "statement",
        [
            "INSERT OR REPLACE INTO audit SELECT seq, at, 'refused', NULL, NULL, detail, 'x', mac FROM audit",
            "INSERT OR REPLACE INTO audit SELECT 9, at, 'refused', NULL, NULL, detail, previous_mac, mac FROM audit",
        ],
    )
    def test_never_replaces_an_audit_row(self, path: Path, statement: str) -> None:
        with pytest.raises(sqlite3.IntegrityError, match="audit rows are never"):
            sql(path, statement)

    @pytest.mark.parametrize("column", ["card.state = 'stolen'", "card.last4 = '123'", "pending.state = 'maybe'"])
    async def test_knows_no_other_states_than_ours(self, ledger: SqlLedger, target: Target, column: str) -> None:
        card = await card_of(ledger, MAYA)
        await ledger.ask("call", MAYA, BLOCK, card, confirm(card))
        table, assignment = column.split(".")
        with pytest.raises(REFUSED_BY_DATABASE, match=r"CHECK|check constraint"):
            sql(target, f"UPDATE {table} SET {assignment} WHERE state <> 'closed'")

    @pytest.mark.parametrize("state", ["open", "settling"])
    async def test_holds_one_question_at_most_in_a_conversation(
        self, ledger: SqlLedger, target: Target, state: str
    ) -> None:
        card = await card_of(ledger, MAYA)
        await ledger.ask("call", MAYA, BLOCK, card, confirm(card))
        await ledger.ask("another call", MAYA, BLOCK, card, confirm(card))
        with pytest.raises(REFUSED_BY_DATABASE, match=r"UNIQUE|unique constraint"):
            sql(target, "UPDATE pending SET conversation = 'call', state = ?", state)


async def test_a_ledger_that_stays_locked_is_unavailable_and_nothing_is_written(
    ledger: SqlLedger, target: Target
) -> None:
    card = await card_of(ledger, MAYA)
    impatient = "SET lock_timeout = 50" if isinstance(target, str) else "PRAGMA busy_timeout = 50"
    await ledger.write(lambda write: write.connection.exec_driver_sql(impatient))
    async with write_lock(target):
        with pytest.raises(LedgerUnavailableError):
            await ledger.commit_direct("call", MAYA, BLOCK, card)
        assert await card_of(ledger, MAYA) == card
    assert await ledger.commit_direct("call", MAYA, BLOCK, card) is not None


class Step(NamedTuple):
    """One call in a random history. `fresh`: the card is read anew, else it is what this caller saw first."""

    call: Literal["ask", "settle", "commit", "direct", "drop"]
    conversation: Literal["one", "two"]
    place: int
    fresh: bool
    answer: Literal["yes", "no wait"]
    minutes: int


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(["ask", "settle", "commit", "commit", "direct", "drop"]),
        st.sampled_from(["one", "two"]),
        st.integers(0, 1),
        st.booleans(),
        st.sampled_from(["yes", "yes", "yes", "no wait"]),
        st.sampled_from([0, 0, 0, 4, 11]),
    ),
    max_size=14,
)


class History:
    """Random calls on one ledger, and what must hold after each of them."""

    def __init__(self, ledger: SqlLedger, target: Target, clock: Clock, first_seen: list[Card]) -> None:
        self.ledger, self.target, self.clock, self.first_seen = ledger, target, clock, first_seen
        self.latest: dict[str, str] = {}
        self.records: dict[str, CardRecord] = {}
        self.versions = [card.version for card in first_seen]

    async def take(self, step: Step) -> None:
        self.clock.advance(minutes=step.minutes)
        card = await card_of(self.ledger, TOMAS, step.place) if step.fresh else self.first_seen[step.place]
        wish_id = self.latest.get(step.conversation, "none yet")
        match step.call:
            case "ask":
                wish = await self.ledger.ask(step.conversation, TOMAS, BLOCK, card, confirm(card))
                self.latest[step.conversation] = wish.id
            case "settle":
                await self.ledger.settle(wish_id, step.answer)
            case "commit":
                self.note(await self.ledger.commit(wish_id, step.answer, card))
            case "direct":
                self.note(await self.ledger.commit_direct(step.conversation, TOMAS, BLOCK, card))
            case "drop":
                await self.ledger.drop(wish_id)

    def note(self, record: CardRecord | None) -> None:
        if record is not None:
            assert self.records.setdefault(record.wish_id, record) == record

    async def check(self) -> None:
        under_way = "SELECT count(*) FROM pending WHERE state IN ('open', 'settling') GROUP BY conversation"
        assert all(number == 1 for (number,) in sql(self.target, under_way))
        cards = [await card_of(self.ledger, TOMAS, place) for place in (0, 1)]
        versions = [card.version for card in cards]
        assert all(now >= before for now, before in zip(versions, self.versions, strict=True))
        self.versions = versions
        changes = sum(record.changed for record in self.records.values())
        assert sql(self.target, "SELECT writes FROM holder WHERE phone = ?", TOMAS) == [(changes,)]
        assert sum(versions) - len(versions) == changes
        done = sql(self.target, "SELECT id FROM pending WHERE state = ?", WishState.DONE)
        assert {wish_id for (wish_id,) in done} == self.records.keys()


@given(steps=STEPS)
@settings(max_examples=30, deadline=None)
async def test_no_history_of_calls_breaks_the_ledger(fresh: Callable[[], Target], steps: list[Step]) -> None:
    target, clock = fresh(), Clock()
    ledger = await open_ledger(target, clock)
    try:
        history = History(ledger, target, clock, [await card_of(ledger, TOMAS, place) for place in (0, 1)])
        for step in steps:
            await history.take(step)
            await history.check()
        assert first_broken(await ledger.audit_trail(), AUDIT_KEY) is None
    finally:
        await ledger.close()
