"""Cards that take the place of others: lost, damaged, activated; and unblocking."""

from dataclasses import replace
from decimal import Decimal

import pytest

from teller.cards.demo import listing
from teller.cards.ledger import NotProvenError, TooManyOrdersError
from teller.cards.orders import ORDERS_A_DAY, _free_last4
from teller.cards.records import Card, CardState, Operation
from teller.cards.sql_ledger import SqlLedger
from tests.support.audit_chain import first_broken
from tests.support.ledger import (
    AUDIT_KEY,
    MAYA,
    PRIYA,
    RUTH,
    TOMAS,
    Clock,
    Target,
    card_of,
    confirm,
    done,
    prove,
    settled,
    sql,
)

LOST, REPLACE, ACTIVATE = Operation.REPORT_LOST, Operation.REPLACE, Operation.ACTIVATE
ZERO = Decimal("0.00")


async def cards_of(ledger: SqlLedger, phone: str) -> tuple[Card, ...]:
    holder = (await ledger.view(phone, None)).holder
    assert holder is not None
    return holder.cards


async def owed(ledger: SqlLedger, phone: str) -> Decimal:
    return sum((card.balance for card in await cards_of(ledger, phone)), ZERO)


class TestLost:
    @pytest.mark.parametrize("phone", [MAYA, RUTH, PRIYA], ids=["active", "blocked", "inactive"])
    async def test_closes_the_card_and_orders_a_new_one_in_one_write(self, ledger: SqlLedger, phone: str) -> None:
        card = await card_of(ledger, phone)
        record = await done(ledger, phone, LOST, card)
        closed, new = await cards_of(ledger, phone)
        assert (record.card, record.other, record.changed) == (closed, new, True)
        assert (closed.state, closed.version, closed.replacement) == (CardState.CLOSED, card.version + 1, new.token)
        assert (new.state, new.product, new.network) == (CardState.INACTIVE, card.product, card.network)
        assert new.credit_limit == card.credit_limit
        assert new.last4 != card.last4
        assert [holder["writes"] for holder in await listing(ledger) if holder["phone"] == phone] == [1]
        committed = (await ledger.audit_trail())[-1].entry
        assert (committed.event, committed.detail["other_last4"]) == ("committed", new.last4)

    async def test_puts_what_was_owed_and_the_payments_on_the_new_card(self, ledger: SqlLedger) -> None:
        card = await card_of(ledger, MAYA)
        await prove(ledger, MAYA)
        payments = await ledger.disclose("call", MAYA, Operation.TRANSACTIONS, card)
        await done(ledger, MAYA, LOST, card)
        closed, new = await cards_of(ledger, MAYA)
        assert (closed.balance, closed.due_date) == (ZERO, None)
        assert (new.balance, new.due_date) == (card.balance, card.due_date)
        assert await ledger.disclose("call", MAYA, Operation.TRANSACTIONS, closed) == ()
        assert await ledger.disclose("call", MAYA, Operation.TRANSACTIONS, new) == payments

    async def test_repeated_orders_nothing_more(self, ledger: SqlLedger) -> None:
        card = await card_of(ledger, MAYA)
        wish = await settled(ledger, MAYA, LOST, card)
        record = await ledger.commit(wish.id, "yes", card)
        assert await ledger.commit(wish.id, "yes", card) == record
        assert len(await cards_of(ledger, MAYA)) == 2

    async def test_of_a_card_that_is_closed_already_tells_of_the_new_one(self, ledger: SqlLedger) -> None:
        await done(ledger, MAYA, LOST, await card_of(ledger, MAYA))
        closed, new = await cards_of(ledger, MAYA)
        again = await done(ledger, MAYA, LOST, closed, "another call")
        assert (again.changed, again.card, again.other) == (False, closed, new)

    async def test_is_never_done_without_a_question_that_named_the_card(self, ledger: SqlLedger) -> None:
        first, second = await cards_of(ledger, TOMAS)
        with pytest.raises(ValueError, match="asks before it writes"):
            await ledger.commit_direct("call", TOMAS, LOST, first)
        which = replace(confirm(first), kind="card", card_token=None)
        wish = await ledger.ask("call", TOMAS, LOST, None, which)
        await ledger.settle(wish.id, "the gold one")
        assert await ledger.commit(wish.id, "the gold one", second) is None
        assert await cards_of(ledger, TOMAS) == (first, second)

    async def test_new_last_four_are_unlike_any_of_the_holders(self) -> None:
        taken = {f"{number:04}" for number in range(10_000)} - {"0356"}
        assert _free_last4("any wish", taken) == "0356"


class TestTheLimit:
    async def lose_the_newest(self, ledger: SqlLedger, conversation: str = "call") -> None:
        await done(ledger, MAYA, LOST, (await cards_of(ledger, MAYA))[-1], conversation)

    async def test_no_more_than_five_cards_are_ordered_for_a_holder_in_a_day(
        self, ledger: SqlLedger, clock: Clock
    ) -> None:
        for number in range(ORDERS_A_DAY):
            await self.lose_the_newest(ledger, f"call {number}")
            clock.advance(hours=4)
        before = await cards_of(ledger, MAYA)
        with pytest.raises(TooManyOrdersError):
            await self.lose_the_newest(ledger)
        assert await cards_of(ledger, MAYA) == before
        clock.advance(hours=4)  # the first order is a day old
        await self.lose_the_newest(ledger)
        assert len(await cards_of(ledger, MAYA)) == len(before) + 1

    async def test_is_each_holders_own_and_counts_replacements_too(self, ledger: SqlLedger) -> None:
        await prove(ledger, MAYA)
        await done(ledger, MAYA, REPLACE, await card_of(ledger, MAYA))
        for _ in range(ORDERS_A_DAY - 1):
            await self.lose_the_newest(ledger)
        with pytest.raises(TooManyOrdersError):
            await self.lose_the_newest(ledger)
        assert (await done(ledger, RUTH, LOST, await card_of(ledger, RUTH))).other is not None

    async def test_leaves_an_audit_row_and_no_open_wish_and_the_card_can_be_blocked(self, ledger: SqlLedger) -> None:
        for _ in range(ORDERS_A_DAY):
            await self.lose_the_newest(ledger)
        await prove(ledger, MAYA)
        new = await done(ledger, MAYA, ACTIVATE, (await cards_of(ledger, MAYA))[-1])
        with pytest.raises(TooManyOrdersError):
            await self.lose_the_newest(ledger)
        assert [row.entry.event for row in (await ledger.audit_trail())[-2:]] == ["refused", "dropped"]
        assert (await ledger.view(MAYA, "call")).open_wish is None
        assert (await ledger.commit_direct("call", MAYA, Operation.BLOCK, new.card)) is not None

    async def test_does_not_keep_a_card_from_closing_whose_replacement_is_on_its_way(self, ledger: SqlLedger) -> None:
        await prove(ledger, TOMAS)
        await done(ledger, TOMAS, REPLACE, await card_of(ledger, TOMAS))
        for _ in range(ORDERS_A_DAY - 1):
            await done(ledger, TOMAS, LOST, (await cards_of(ledger, TOMAS))[-1])
        record = await done(ledger, TOMAS, LOST, await card_of(ledger, TOMAS))
        assert record.card.state is CardState.CLOSED


class TestReplace:
    async def test_orders_a_card_and_leaves_the_damaged_one_as_it_is(self, ledger: SqlLedger) -> None:
        card = await card_of(ledger, MAYA)
        await prove(ledger, MAYA)
        record = await done(ledger, MAYA, REPLACE, card)
        kept, new = await cards_of(ledger, MAYA)
        assert (record.card, record.other, record.changed) == (kept, new, True)
        assert kept == replace(card, version=card.version + 1, replacement=new.token)
        assert (new.state, new.balance, new.due_date) == (CardState.INACTIVE, ZERO, None)

    async def test_a_second_time_tells_of_the_card_that_is_on_its_way(self, ledger: SqlLedger) -> None:
        await prove(ledger, MAYA)
        await done(ledger, MAYA, REPLACE, await card_of(ledger, MAYA))
        kept, new = await cards_of(ledger, MAYA)
        again = await done(ledger, MAYA, REPLACE, kept)
        assert (again.changed, again.card, again.other) == (False, kept, new)
        assert len(await cards_of(ledger, MAYA)) == 2

    async def test_of_a_card_on_its_way_that_gets_lost_orders_another_for_the_same_old_one(
        self, ledger: SqlLedger
    ) -> None:
        await prove(ledger, MAYA)
        await done(ledger, MAYA, REPLACE, await card_of(ledger, MAYA))
        await done(ledger, MAYA, LOST, await card_of(ledger, MAYA, 1))
        old, lost, new = await cards_of(ledger, MAYA)
        assert [card.state for card in (old, lost, new)] == [CardState.ACTIVE, CardState.CLOSED, CardState.INACTIVE]
        record = await done(ledger, MAYA, ACTIVATE, new)
        assert record.other is not None
        assert (record.other.last4, record.other.state) == (old.last4, CardState.CLOSED)

    async def test_then_lost_closes_the_old_card_and_orders_no_second_one(self, ledger: SqlLedger) -> None:
        await prove(ledger, MAYA)
        await done(ledger, MAYA, REPLACE, await card_of(ledger, MAYA))
        record = await done(ledger, MAYA, LOST, await card_of(ledger, MAYA))
        closed, new = await cards_of(ledger, MAYA)
        assert (closed.state, record.other) == (CardState.CLOSED, new)
        assert new.balance == Decimal("412.65")


class TestActivate:
    async def test_makes_an_inactive_card_active(self, ledger: SqlLedger) -> None:
        await prove(ledger, PRIYA)
        record = await done(ledger, PRIYA, ACTIVATE, await card_of(ledger, PRIYA))
        assert (record.card.state, record.other) == (CardState.ACTIVE, None)
        assert await card_of(ledger, PRIYA) == record.card

    async def test_closes_the_damaged_card_that_it_replaces(self, ledger: SqlLedger) -> None:
        before = await owed(ledger, MAYA)
        await prove(ledger, MAYA)
        await done(ledger, MAYA, REPLACE, await card_of(ledger, MAYA))
        record = await done(ledger, MAYA, ACTIVATE, await card_of(ledger, MAYA, 1))
        old, new = await cards_of(ledger, MAYA)
        assert (record.card, record.other) == (new, old)
        assert (old.state, new.state) == (CardState.CLOSED, CardState.ACTIVE)
        assert (old.balance, new.balance) == (ZERO, before)


class TestUnblock:
    async def test_needs_the_pin_and_makes_the_card_active(self, ledger: SqlLedger) -> None:
        card = await card_of(ledger, RUTH)
        wish = await settled(ledger, RUTH, Operation.UNBLOCK, card)
        with pytest.raises(NotProvenError):
            await ledger.commit(wish.id, "yes", card)
        assert await card_of(ledger, RUTH) == card
        await prove(ledger, RUTH)
        record = await ledger.commit(wish.id, "yes", card)
        assert record is not None
        assert (record.card.state, record.changed) == (CardState.ACTIVE, True)

    async def test_by_anothers_proof_or_in_another_conversation_is_not_done(self, ledger: SqlLedger) -> None:
        card = await card_of(ledger, RUTH)
        await prove(ledger, MAYA, "call")
        await prove(ledger, RUTH, "another call")
        wish = await settled(ledger, RUTH, Operation.UNBLOCK, card, "call")
        with pytest.raises(NotProvenError):
            await ledger.commit(wish.id, "yes", card)

    async def test_by_a_proof_that_ran_out_is_not_done(self, ledger: SqlLedger, clock: Clock) -> None:
        card = await card_of(ledger, RUTH)
        await prove(ledger, RUTH)
        clock.advance(minutes=10)
        wish = await settled(ledger, RUTH, Operation.UNBLOCK, card)
        with pytest.raises(NotProvenError):
            await ledger.commit(wish.id, "yes", card)


async def test_whatever_is_done_the_money_stays_and_the_chain_is_whole(ledger: SqlLedger, target: Target) -> None:
    before = await owed(ledger, TOMAS)
    await prove(ledger, TOMAS)
    for operation, place in ((REPLACE, 0), (LOST, 1), (LOST, 2), (ACTIVATE, 3), (REPLACE, 4), (Operation.BLOCK, 0)):
        cards = await cards_of(ledger, TOMAS)
        if place < len(cards):
            try:
                await done(ledger, TOMAS, operation, cards[place])
            except ValueError:
                continue
        assert await owed(ledger, TOMAS) == before
    last4 = [card.last4 for card in await cards_of(ledger, TOMAS)]
    assert len(last4) == len(set(last4)) > 3
    assert first_broken(await ledger.audit_trail(), AUDIT_KEY) is None
    assert sql(target, "SELECT count(*) FROM card WHERE state = 'closed' AND balance <> 0") == [(0,)]
