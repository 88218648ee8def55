"""What the ledger promises to whoever holds it (`teller/cards/ledger.py`), on SQLite and PostgreSQL."""

import logging
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from teller.cards.ledger import Ledger
from teller.cards.records import Card, CardRecord, CardState, Clause, Operation, Wish, WishState
from teller.cards.sql_ledger import SqlLedger
from teller.errors import ConfigurationError, LedgerUnavailableError
from tests.support.ledger import (
    AUDIT_KEY,
    JONAS,
    MAYA,
    PEPPER,
    RUTH,
    TOMAS,
    Clock,
    Target,
    card_of,
    confirm,
    open_ledger,
    sql,
)

BLOCK = Operation.BLOCK


async def settled_wish(ledger: SqlLedger, card: Card, phone: str = MAYA, answer: str = "yes") -> Wish:
    wish = await ledger.ask("call", phone, BLOCK, card, confirm(card))
    assert await ledger.settle(wish.id, answer)
    return wish


async def only_wish(ledger: SqlLedger) -> Wish:
    (wish,) = (await ledger.view(MAYA, "call")).wishes
    return wish


def writes(target: Target, phone: str) -> int:
    return int(sql(target, "SELECT writes FROM holder WHERE phone = ?", phone)[0][0])


class TestView:
    async def test_shows_a_callers_own_cards_in_their_order_with_exact_money(self, ledger: Ledger) -> None:
        holder = (await ledger.view(TOMAS, "call")).holder
        assert holder is not None
        assert (holder.phone, holder.name, holder.pin) == (TOMAS, "Tomas Lindqvist", "ok")
        assert [card.last4 for card in holder.cards] == ["4242", "7719"]
        gold = holder.cards[1]
        assert gold == Card(
            token=gold.token,
            product="Gold",
            network="Mastercard",
            last4="7719",
            state=CardState.ACTIVE,
            version=1,
            credit_limit=Decimal("12000.00"),
            balance=Decimal("86.10"),
            due_date=date(2026, 12, 21),
        )
        assert str(gold.balance) == "86.10"

    async def test_of_an_unknown_number_has_no_holder(self, ledger: Ledger) -> None:
        view = await ledger.view("+19998887777", "call")
        assert view.holder is None
        assert view.wishes == ()

    async def test_shows_the_wishes_of_this_conversation_alone_newest_first(self, ledger: SqlLedger) -> None:
        first, second = await card_of(ledger, TOMAS, 0), await card_of(ledger, TOMAS, 1)
        dropped = await ledger.ask("call", TOMAS, BLOCK, first, confirm(first))
        wish = await ledger.ask("call", TOMAS, BLOCK, second, confirm(second))
        await ledger.ask("another call", TOMAS, BLOCK, first, confirm(first))
        view = await ledger.view(TOMAS, "call")
        assert [(seen.id, seen.state) for seen in view.wishes] == [
            (wish.id, WishState.OPEN),
            (dropped.id, WishState.DROPPED),
        ]
        assert (await ledger.view(TOMAS, None)).wishes == ()


class TestAsk:
    async def test_is_committed_before_it_returns(self, ledger: SqlLedger, target: Target) -> None:
        card = await card_of(ledger, MAYA)
        wish = await ledger.ask("call", MAYA, BLOCK, card, confirm(card))
        assert sql(target, "SELECT id, state, card_token FROM pending") == [(wish.id, "open", card.token)]

    async def test_gives_every_time_from_the_ledgers_clock(self, ledger: SqlLedger, clock: Clock) -> None:
        card = await card_of(ledger, MAYA)
        wish = await ledger.ask("call", MAYA, BLOCK, card, confirm(card))
        assert wish.clauses[0].asked_at == clock.now
        assert wish.expires_at == clock.now + timedelta(minutes=10)

    async def test_is_read_back_as_it_was_returned(self, ledger: SqlLedger) -> None:
        card = await card_of(ledger, MAYA)
        wish = await ledger.ask("call", MAYA, BLOCK, card, confirm(card, "shall I — “really” — block it?"))
        assert await only_wish(ledger) == wish

    async def test_again_adds_its_clause_to_the_open_wish_which_is_about_the_latest_card(
        self, ledger: SqlLedger, clock: Clock
    ) -> None:
        card = await card_of(ledger, TOMAS, 1)
        which = Clause("card", "which card is it?", None, clock.now)
        opened = await ledger.ask("call", TOMAS, BLOCK, None, which)
        clock.advance(minutes=9)
        asked = await ledger.ask("call", TOMAS, BLOCK, card, confirm(card))
        assert asked.id == opened.id
        assert [clause.kind for clause in asked.clauses] == ["card", "confirm"]
        assert (opened.card_token, opened.card_version) == (None, None)
        assert (asked.card_token, asked.card_version) == (card.token, card.version)
        assert asked.expires_at == clock.now + timedelta(minutes=10)

    async def test_keeps_the_last_eight_distinct_clauses_and_a_repeated_one_becomes_the_newest(
        self, ledger: SqlLedger, clock: Clock
    ) -> None:
        card = await card_of(ledger, MAYA)
        for number in [1, 2, 3, 4, 5, 6, 7, 8, 9, 3]:
            clock.advance(seconds=1)
            wish = await ledger.ask("call", MAYA, BLOCK, card, confirm(card, f"question {number}"))
        assert [clause.text[-1] for clause in wish.clauses] == list("24567893")
        assert wish.clauses[-1].asked_at == clock.now

    @pytest.mark.parametrize("difference", ["caller", "operation", "card"])
    async def test_about_something_else_drops_the_open_wish_first(self, ledger: SqlLedger, difference: str) -> None:
        card, other = await card_of(ledger, TOMAS, 0), await card_of(ledger, TOMAS, 1)
        before = await ledger.ask("call", TOMAS, BLOCK, card, confirm(card))
        phone = MAYA if difference == "caller" else TOMAS
        operation = Operation.UNBLOCK if difference == "operation" else BLOCK
        about = other if difference == "card" else card
        after = await ledger.ask("call", phone, operation, about, confirm(about))
        assert after.id != before.id
        assert not await ledger.settle(before.id, "yes")
        seen = [wish for caller in {TOMAS, phone} for wish in (await ledger.view(caller, "call")).wishes]
        assert {wish.id: wish.state for wish in seen} == {before.id: WishState.DROPPED, after.id: WishState.OPEN}

    async def test_opens_a_settling_wish_again_so_that_the_former_answer_writes_nothing(
        self, ledger: SqlLedger
    ) -> None:
        card = await card_of(ledger, MAYA)
        wish = await settled_wish(ledger, card)
        again = await ledger.ask("call", MAYA, BLOCK, card, confirm(card))
        assert (again.id, again.state, again.answer_hash) == (wish.id, WishState.OPEN, None)
        assert await ledger.commit(wish.id, "yes", card) is None
        assert await card_of(ledger, MAYA) == card

    async def test_a_wish_expires_ten_minutes_after_its_last_question(self, ledger: SqlLedger, clock: Clock) -> None:
        card = await card_of(ledger, MAYA)
        wish = await ledger.ask("call", MAYA, BLOCK, card, confirm(card))
        clock.advance(minutes=10)
        assert (await ledger.view(MAYA, "call")).wishes == ()
        assert not await ledger.settle(wish.id, "yes")
        assert (await ledger.ask("call", MAYA, BLOCK, card, confirm(card))).id != wish.id


class TestSettle:
    async def test_takes_an_open_wish(self, ledger: SqlLedger) -> None:
        card = await card_of(ledger, MAYA)
        await settled_wish(ledger, card)
        assert not await ledger.settle("no such wish", "yes")
        settling = await only_wish(ledger)
        assert (settling.state, settling.answer_hash) == (WishState.SETTLING, "yes")


class TestCommit:
    async def test_changes_the_card_and_leaves_its_record(
        self, ledger: SqlLedger, clock: Clock, target: Target
    ) -> None:
        card = await card_of(ledger, MAYA)
        wish = await settled_wish(ledger, card)
        record = await ledger.commit(wish.id, "yes", card)
        blocked = replace(card, state=CardState.BLOCKED, version=card.version + 1)
        assert record == CardRecord(wish.id, BLOCK, blocked, changed=True, at=clock.now)
        assert await card_of(ledger, MAYA) == blocked
        done = await only_wish(ledger)
        assert (done.state, done.record) == (WishState.DONE, record)
        assert writes(target, MAYA) == 1

    async def test_repeated_gives_the_same_record_and_one_write(
        self, ledger: SqlLedger, clock: Clock, target: Target
    ) -> None:
        card = await card_of(ledger, MAYA)
        wish = await settled_wish(ledger, card)
        record = await ledger.commit(wish.id, "yes", card)
        clock.advance(seconds=30)
        trail = await ledger.audit_trail()
        assert await ledger.commit(wish.id, "yes", card) == record
        assert await ledger.commit(wish.id, "yes", await card_of(ledger, MAYA)) == record
        assert writes(target, MAYA) == 1
        assert await ledger.audit_trail() == trail

    async def test_leaves_a_record_with_its_own_types(self, ledger: SqlLedger) -> None:
        card = await card_of(ledger, MAYA)
        wish = await settled_wish(ledger, card)
        await ledger.commit(wish.id, "yes", card)
        record = (await only_wish(ledger)).record
        assert record is not None
        assert isinstance(record.card.balance, Decimal)
        assert isinstance(record.card.due_date, date)
        assert record.card.state is CardState.BLOCKED
        assert record.at.utcoffset() == timedelta(0)

    async def test_can_be_told_for_ten_minutes_from_then_on(self, ledger: SqlLedger, clock: Clock) -> None:
        card = await card_of(ledger, MAYA)
        wish = await ledger.ask("call", MAYA, BLOCK, card, confirm(card))
        clock.advance(minutes=9)
        await ledger.settle(wish.id, "yes")
        record = await ledger.commit(wish.id, "yes", card)
        clock.advance(minutes=9)
        assert (await only_wish(ledger)).record == record
        clock.advance(minutes=1)
        assert (await ledger.view(MAYA, "call")).wishes == ()

    @pytest.mark.parametrize("reason", ["not settled", "other words", "dropped", "unknown wish", "card changed"])
    async def test_writes_nothing_unless_card_wish_and_answer_are_as_they_were(
        self, ledger: SqlLedger, target: Target, reason: str
    ) -> None:
        card = await card_of(ledger, MAYA)
        wish = await ledger.ask("call", MAYA, BLOCK, card, confirm(card))
        if reason != "not settled":
            await ledger.settle(wish.id, "yes")
        if reason == "dropped":
            await ledger.drop(wish.id)
        if reason == "card changed":
            await ledger.commit_direct("another call", MAYA, BLOCK, card)
        before = sql(target, "SELECT * FROM card"), sql(target, "SELECT * FROM pending"), await ledger.audit_trail()
        wish_id = "no such wish" if reason == "unknown wish" else wish.id
        assert await ledger.commit(wish_id, "no wait" if reason == "other words" else "yes", card) is None
        after = sql(target, "SELECT * FROM card"), sql(target, "SELECT * FROM pending"), await ledger.audit_trail()
        assert after == before

    async def test_never_changes_another_card_than_was_asked_about(self, ledger: SqlLedger) -> None:
        asked, other = await card_of(ledger, TOMAS, 0), await card_of(ledger, TOMAS, 1)
        wish = await settled_wish(ledger, asked, TOMAS)
        assert await ledger.commit(wish.id, "yes", other) is None
        assert await card_of(ledger, TOMAS, 1) == other

    async def test_never_changes_a_card_that_moved_on_since_the_question(
        self, ledger: SqlLedger, target: Target
    ) -> None:
        card = await card_of(ledger, MAYA)
        wish = await settled_wish(ledger, card)
        sql(target, "UPDATE card SET version = version + 1 WHERE token = ?", card.token)
        assert await ledger.commit(wish.id, "yes", await card_of(ledger, MAYA)) is None

    async def test_does_the_card_that_the_answer_named_where_the_question_was_which(self, ledger: SqlLedger) -> None:
        gold = await card_of(ledger, TOMAS, 1)
        wish = await ledger.ask(
            "chat", TOMAS, BLOCK, None, Clause("card", "which card is it?", None, datetime.now(UTC))
        )
        await ledger.settle(wish.id, "the gold one")
        record = await ledger.commit(wish.id, "the gold one", gold)
        assert record is not None
        assert record.card.last4 == "7719"


class TestCommitDirect:
    async def test_changes_the_card_and_leaves_a_done_wish(self, ledger: SqlLedger, target: Target) -> None:
        card = await card_of(ledger, MAYA)
        record = await ledger.commit_direct("call", MAYA, BLOCK, card)
        assert record is not None
        assert record.changed
        done = await only_wish(ledger)
        assert (done.id, done.state, done.record) == (record.wish_id, WishState.DONE, record)
        assert writes(target, MAYA) == 1

    async def test_of_a_card_that_changed_since_it_was_read_does_nothing(
        self, ledger: SqlLedger, target: Target
    ) -> None:
        card = await card_of(ledger, MAYA)
        await ledger.commit_direct("call", MAYA, BLOCK, card)
        assert await ledger.commit_direct("call", MAYA, BLOCK, card) is None
        assert writes(target, MAYA) == 1
        assert len((await ledger.view(MAYA, "call")).wishes) == 1

    async def test_of_a_card_that_is_blocked_already_says_that_nothing_changed(
        self, ledger: SqlLedger, target: Target
    ) -> None:
        card = await card_of(ledger, RUTH)
        record = await ledger.commit_direct("call", RUTH, BLOCK, card)
        assert record is not None
        assert (record.changed, record.card) == (False, card)
        assert writes(target, RUTH) == 0

    async def test_never_changes_somebody_elses_card(self, ledger: SqlLedger) -> None:
        card = await card_of(ledger, MAYA)
        assert await ledger.commit_direct("call", TOMAS, BLOCK, card) is None
        assert await card_of(ledger, MAYA) == card

    @pytest.mark.parametrize(
        ("phone", "operation"), [(MAYA, Operation.STATUS), (MAYA, Operation.BALANCE), (JONAS, BLOCK)]
    )
    async def test_of_what_is_no_lawful_write_is_a_mistake_of_ours_and_leaves_nothing(
        self, ledger: SqlLedger, phone: str, operation: Operation
    ) -> None:
        card, trail = await card_of(ledger, phone), await ledger.audit_trail()
        with pytest.raises(ValueError, match="does not write"):
            await ledger.commit_direct("call", phone, operation, card)
        assert (await ledger.view(phone, "call")).wishes == ()
        assert await ledger.audit_trail() == trail


class TestDrop:
    @pytest.mark.parametrize("settling", [False, True])
    async def test_ends_a_wish_whose_commit_has_not_begun(self, ledger: SqlLedger, settling: bool) -> None:
        card = await card_of(ledger, MAYA)
        wish = await ledger.ask("call", MAYA, BLOCK, card, confirm(card))
        if settling:
            await ledger.settle(wish.id, "yes")
        await ledger.drop(wish.id)
        assert (await only_wish(ledger)).state is WishState.DROPPED
        assert not await ledger.settle(wish.id, "yes")

    async def test_leaves_a_done_wish_done(self, ledger: SqlLedger) -> None:
        record = await ledger.commit_direct("call", MAYA, BLOCK, await card_of(ledger, MAYA))
        assert record is not None
        await ledger.drop(record.wish_id)
        assert (await only_wish(ledger)).state is WishState.DONE


class TestReady:
    async def test_is_quiet_where_the_schema_is_current(self, ledger: SqlLedger) -> None:
        await ledger.ready()

    async def test_says_so_where_the_schema_is_not(self, ledger: SqlLedger, target: Target) -> None:
        sql(target, "UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(LedgerUnavailableError, match="schema"):
            await ledger.ready()


class TestFailure:
    async def test_of_the_driver_is_one_error_without_a_phone_number_in_it(
        self, ledger: SqlLedger, target: Target
    ) -> None:
        card = await card_of(ledger, MAYA)
        sql(target, "ALTER TABLE pending RENAME TO lost")
        for attempt in (ledger.view(MAYA, "call"), ledger.ask("call", MAYA, BLOCK, card, confirm(card))):
            with pytest.raises(LedgerUnavailableError) as failure:
                await attempt
            assert MAYA not in f"{failure.value} {failure.value.__cause__}"

    async def test_or_none_a_phone_number_is_in_no_log(
        self, ledger: SqlLedger, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.DEBUG):
            await ledger.commit_direct("call", MAYA, BLOCK, await card_of(ledger, MAYA))
        assert MAYA not in caplog.text

    async def test_to_open_the_file_is_the_same_error(self, tmp_path: Path, clock: Clock) -> None:
        with pytest.raises(LedgerUnavailableError):
            await open_ledger(tmp_path / "no such folder" / "teller.db", clock)
        (tmp_path / "teller.db").write_bytes(b"this is no database, but it is long enough" * 100)
        with pytest.raises(LedgerUnavailableError):
            await open_ledger(tmp_path / "teller.db", clock)

    @pytest.mark.parametrize(
        "url",
        [
            *("sqlite://", "sqlite:///:memory:", "mysql+pymysql://localhost/teller", "teller.db"),
            *(
                "postgresql://localhost",
                "postgresql://localhost:port/teller",
                "postgresql://localhost/teller?color=red",
            ),
        ],
    )
    async def test_to_know_the_database_is_named_at_once(self, clock: Clock, url: str) -> None:
        with pytest.raises(ConfigurationError, match="DATABASE_URL"):
            await SqlLedger.open(url, audit_key=AUDIT_KEY, pepper=PEPPER, clock=clock)


async def test_a_ledger_is_opened_by_url_too(path: Path, clock: Clock) -> None:
    ledger: Ledger = await SqlLedger.open(f"sqlite:///{path}", audit_key=AUDIT_KEY, pepper=PEPPER, clock=clock)
    assert (await ledger.view(MAYA, None)).holder is not None
    await ledger.close()
