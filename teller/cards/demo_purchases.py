"""The payments of the demo's cards: they follow from the card, nothing is random, and they add up to its balance."""

from datetime import date
from decimal import Decimal

from teller.cards.records import Card, CardState, Decline, Purchase

_MERCHANTS = (
    ("Northgate Grocers", date(2026, 11, 8)),
    ("City Transit", date(2026, 11, 13)),
    ("Halden Pharmacy", date(2026, 11, 19)),
)
_SHARES = (Decimal("0.55"), Decimal("0.15"))  # of the balance; the last payment is the rest
_ATTEMPT = ("Brightline Electronics", date(2026, 11, 22))
_CENT = Decimal("0.01")
_OVER_LIMIT = frozenset(("demo-0077",))  # Noor Haddad's card, on which more was tried than it had left
_REASONS = {CardState.BLOCKED: Decline.BLOCKED, CardState.INACTIVE: Decline.INACTIVE}


def purchases_of(card: Card) -> tuple[Purchase, ...]:
    """Return a demo card's payments, oldest first: three that make its balance, and one that was declined."""
    return (*_approved(card), *_declined(card))


def _approved(card: Card) -> tuple[Purchase, ...]:
    if not card.balance:
        return ()
    parts = [(card.balance * share).quantize(_CENT) for share in _SHARES]
    amounts = (*parts, card.balance - sum(parts))
    made = zip(_MERCHANTS, amounts, strict=True)
    return tuple(Purchase(day, merchant, amount, None) for (merchant, day), amount in made)


def _declined(card: Card) -> tuple[Purchase, ...]:
    merchant, day = _ATTEMPT
    if card.token in _OVER_LIMIT:
        return (Purchase(day, merchant, card.credit_limit - card.balance + Decimal("49.00"), Decline.OVER_LIMIT),)
    reason = _REASONS.get(card.state)
    return (Purchase(day, merchant, Decimal("64.90"), reason),) if reason else ()
