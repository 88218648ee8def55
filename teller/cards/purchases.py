"""What a card's payments tell: why one was declined."""

from collections.abc import Iterable

from teller.cards.records import Card, CardState, Decline, Purchase

_BY_STATE = {
    CardState.INACTIVE: Decline.INACTIVE,
    CardState.BLOCKED: Decline.BLOCKED,
    CardState.CLOSED: Decline.CLOSED,
}


def last_declined(purchases: Iterable[Purchase]) -> Purchase | None:
    """Return the newest payment that was declined; `purchases` are newest first."""
    return next((purchase for purchase in purchases if purchase.declined), None)


def why_declined(card: Card, purchases: Iterable[Purchase]) -> Decline | None:
    """Return why payments with a card are declined: as the newest declined one says, else as the card's state does.

    None: nothing that the ledger holds explains it.
    """
    declined = last_declined(purchases)
    if declined:
        return declined.declined
    if card.state is CardState.ACTIVE and card.balance >= card.credit_limit:
        return Decline.OVER_LIMIT
    return _BY_STATE.get(card.state)
