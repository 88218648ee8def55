"""Payments: what the demo holds, and who may read them."""

from decimal import Decimal

import pytest

from teller.cards.demo_people import PEOPLE
from teller.cards.demo_purchases import purchases_of
from teller.cards.ledger import NotProvenError
from teller.cards.records import Card, Decline, Operation
from teller.cards.sql_ledger import SqlLedger
from tests.support.ledger import MAYA, RUTH, TOMAS, card_of, prove

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
