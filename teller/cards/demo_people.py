"""The ten people of the demo, and their cards."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from teller.cards.records import Card, CardState


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the demo. The PIN stands here in clear, for it opens nothing else."""

    phone: str
    name: str
    pin: str
    cards: tuple[Card, ...]
    pin_locked: bool = False


def _card(
    product: str, network: str, last4: str, state: CardState, credit_limit: str, balance: str, due: str | None
) -> Card:
    due_date = date.fromisoformat(due) if due else None
    return Card(f"demo-{last4}", product, network, last4, state, 1, Decimal(credit_limit), Decimal(balance), due_date)


_ACTIVE, _BLOCKED, _CLOSED, _INACTIVE = CardState.ACTIVE, CardState.BLOCKED, CardState.CLOSED, CardState.INACTIVE

PEOPLE = (
    Person(
        "+1234567890",
        "Maya Castellan",
        "7305",
        (_card("Everyday", "Visa", "1881", _ACTIVE, "3000.00", "412.65", "2026-12-14"),),
    ),
    Person(
        "+1234567891",
        "Tomas Lindqvist",
        "2946",
        (
            _card("Everyday", "Visa", "4242", _ACTIVE, "5000.00", "1250.40", "2026-12-09"),
            _card("Gold", "Mastercard", "7719", _ACTIVE, "12000.00", "86.10", "2026-12-21"),
        ),
    ),
    Person(
        "+1234567892",
        "Ruth Okafor",
        "8162",
        (_card("Gold", "Mastercard", "0356", _BLOCKED, "8000.00", "2304.75", "2026-12-18"),),
    ),
    Person(
        "+1234567893",
        "Jonas Weber",
        "5190",
        (
            _card("Everyday", "Visa", "6604", _CLOSED, "2000.00", "0.00", None),
            _card("Travel", "Visa", "9035", _ACTIVE, "6500.00", "940.00", "2026-12-11"),
        ),
    ),
    Person(
        "+1234567894",
        "Priya Raman",
        "6437",
        (_card("Everyday", "Mastercard", "2718", _INACTIVE, "4000.00", "0.00", None),),
    ),
    Person("+1234567895", "Samuel Drake", "1058", ()),
    Person(
        "+1234567896",
        "Elena Petrova",
        "3871",
        (
            _card("Gold", "Mastercard", "5503", _ACTIVE, "10000.00", "3120.55", "2026-12-07"),
            _card("Everyday", "Visa", "8020", _BLOCKED, "2500.00", "55.00", "2026-12-16"),
        ),
        pin_locked=True,
    ),
    Person(
        "+1234567897",
        "Ben Achterberg",
        "9483",
        (
            _card("Everyday", "Visa", "3321", _ACTIVE, "3500.00", "228.90", "2026-12-12"),
            _card("Travel", "Visa", "3312", _ACTIVE, "7000.00", "1675.25", "2026-12-23"),
        ),
    ),
    Person(
        "+1234567898",
        "Noor Haddad",
        "4620",
        (_card("Student", "Mastercard", "0077", _ACTIVE, "1000.00", "149.99", "2026-12-19"),),
    ),
    Person(
        "+1234567899",
        "Charles Whitcombe",
        "2093",
        (
            _card("Business", "Mastercard", "5150", _ACTIVE, "20000.00", "7845.30", "2026-12-15"),
            _card("Everyday", "Visa", "6168", _BLOCKED, "3000.00", "610.80", "2026-12-28"),
        ),
    ),
)
