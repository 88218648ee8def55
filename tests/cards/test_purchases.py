"""Payments: what the demo holds, who may read them, and why one was declined."""

from dataclasses import replace
from decimal import Decimal

import pytest

from teller.cards.demo_people import PEOPLE
from teller.cards.demo_purchases import purchases_of
from teller.cards.ledger import NotProvenError
from teller.cards.purchases import last_declined, why_declined
from teller.cards.records import Card, CardState, Decline
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
        await ledger.purchases("call", RUTH, card)
    await prove(ledger, RUTH)
    found = await ledger.purchases("call", RUTH, card)
    assert found == tuple(reversed(purchases_of(card)))
    assert found[0].declined is Decline.BLOCKED


async def test_of_another_callers_card_are_none_at_all(ledger: SqlLedger) -> None:
    await prove(ledger, TOMAS)
    assert await ledger.purchases("call", TOMAS, await card_of(ledger, MAYA)) == ()


@pytest.mark.parametrize(
    ("phone", "place", "reason"), [(PRIYA, 0, Decline.INACTIVE), (RUTH, 0, Decline.BLOCKED), (MAYA, 0, None)]
)
async def test_why_declined_is_as_the_newest_declined_payment_says(
    ledger: SqlLedger, phone: str, place: int, reason: Decline | None
) -> None:
    await prove(ledger, phone)
    card = await card_of(ledger, phone, place)
    assert why_declined(card, await ledger.purchases("call", phone, card)) is reason


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
