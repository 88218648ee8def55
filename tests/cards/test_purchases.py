"""Payments: what the demo holds, who may read them, and why one was declined."""

from dataclasses import replace
from decimal import Decimal

import pytest

from teller.cards.demo_people import PEOPLE
from teller.cards.demo_purchases import purchases_of
from teller.cards.ledger import NotProvenError
from teller.cards.purchases import last_declined, why_declined
from teller.cards.records import Card, CardState, Decline, Operation
from teller.cards.sql_ledger import SqlLedger
from tests.support.ledger import MAYA, PRIYA, RUTH, TOMAS, card_of, prove

CARDS = [card for person in PEOPLE for card in person.cards]


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.last4)
def test_the_demos_payments_make_the_balance_and_come_from_the_card_alone(card: Card) -> None:
    payments = purchases_of(card)
    assert sum((payment.amount for payment in payments if not payment.declined), Decimal(0)) == card.balance
    assert all(payment.amount > 0 for payment in payments)
    assert purchases_of(card) == payments


async def test_are_read_newest_first_with_the_pin_only(ledger: SqlLedger) -> None:
    card = await card_of(ledger, RUTH)
    with pytest.raises(NotProvenError):
        await ledger.disclose("call", RUTH, Operation.TRANSACTIONS, card)
    await prove(ledger, RUTH)
    found = await ledger.disclose("call", RUTH, Operation.TRANSACTIONS, card)
    assert found == tuple(reversed(purchases_of(card)))
    assert found[0].declined is Decline.BLOCKED


TOLD = [Operation.BALANCE, Operation.LIMIT, Operation.DUE_DATE, Operation.TRANSACTIONS, Operation.DECLINED]


@pytest.mark.parametrize("operation", TOLD)
async def test_whatever_is_told_for_a_pin_is_in_the_audit_trail_and_so_is_its_refusal(
    ledger: SqlLedger, operation: Operation
) -> None:
    card = await card_of(ledger, RUTH)
    with pytest.raises(NotProvenError):
        await ledger.disclose("call", RUTH, operation, card)
    refused = (await ledger.audit_trail())[-1].entry
    assert (refused.event, refused.detail["operation"]) == ("refused", operation)
    await prove(ledger, RUTH)
    await ledger.disclose("call", RUTH, operation, card)
    told = (await ledger.audit_trail())[-1].entry
    assert (told.event, told.detail) == ("told", {"operation": operation, "last4": card.last4})


async def test_what_changes_a_card_is_not_told(ledger: SqlLedger) -> None:
    with pytest.raises(ValueError, match="done, not told"):
        await ledger.disclose("call", RUTH, Operation.UNBLOCK, await card_of(ledger, RUTH))


async def test_of_another_callers_card_are_none_at_all(ledger: SqlLedger) -> None:
    await prove(ledger, TOMAS)
    trail = await ledger.audit_trail()
    assert await ledger.disclose("call", TOMAS, Operation.TRANSACTIONS, await card_of(ledger, MAYA)) == ()
    assert await ledger.audit_trail() == trail


@pytest.mark.parametrize(
    ("phone", "place", "reason"), [(PRIYA, 0, Decline.INACTIVE), (RUTH, 0, Decline.BLOCKED), (MAYA, 0, None)]
)
async def test_why_declined_is_as_the_newest_declined_payment_says(
    ledger: SqlLedger, phone: str, place: int, reason: Decline | None
) -> None:
    await prove(ledger, phone)
    card = await card_of(ledger, phone, place)
    assert why_declined(card, await ledger.disclose("call", phone, Operation.TRANSACTIONS, card)) is reason


@pytest.mark.parametrize(
    ("state", "owed", "reason"),
    [
        (CardState.ACTIVE, "10.00", None),
        (CardState.ACTIVE, "3000.00", Decline.OVER_LIMIT),
        (CardState.BLOCKED, "10.00", Decline.BLOCKED),
        (CardState.INACTIVE, "10.00", Decline.INACTIVE),
        (CardState.CLOSED, "0.00", Decline.CLOSED),
    ],
)
def test_why_declined_follows_from_state_and_limit_where_no_payment_says(
    state: CardState, owed: str, reason: Decline | None
) -> None:
    card = replace(CARDS[0], state=state, balance=Decimal(owed))
    assert why_declined(card, ()) is reason
    assert last_declined(()) is None
