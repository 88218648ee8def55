"""What the ledger holds, as plain records: holders, cards, wishes under way and what became of them."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal


class CardState(StrEnum):
    """inactive -> active <-> blocked; any -> closed, and closed is the end."""

    INACTIVE = "inactive"
    ACTIVE = "active"
    BLOCKED = "blocked"
    CLOSED = "closed"


class Operation(StrEnum):
    """What can be wished of a card; the same names are the card intents in `prompts/intents.yaml`."""

    STATUS = "status"
    BLOCK = "block"
    REPORT_LOST = "report_lost"
    UNBLOCK = "unblock"
    ACTIVATE = "activate"
    REPLACE = "replace"
    BALANCE = "balance"
    LIMIT = "limit"
    DUE_DATE = "due_date"
    TRANSACTIONS = "transactions"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Card:
    """One card. `token` stands for the number, which is never stored; `version` rises with every change."""

    token: str
    product: str
    network: str
    last4: str
    state: CardState
    version: int
    credit_limit: Decimal
    balance: Decimal
    due_date: date | None


@dataclass(frozen=True, slots=True)
class Holder:
    """A person with cards, in the order in which "the first one" and "the second one" count."""

    phone: str
    name: str
    pin: Literal["ok", "locked"]
    cards: tuple[Card, ...]

    def card(self, token: str) -> Card | None:
        """Return this holder's card of that token."""
        return next((card for card in self.cards if card.token == token), None)


@dataclass(frozen=True, slots=True)
class Clause:
    """A question as it was asked: the words with which it ends, and the card that it names (a confirmation does)."""

    kind: Literal["card", "pin", "confirm"]
    text: str
    card_token: str | None
    asked_at: datetime


class WishState(StrEnum):
    """Where a wish stands. One wish at most is OPEN or SETTLING in a conversation."""

    OPEN = "open"
    SETTLING = "settling"
    COMMITTING = "committing"
    DONE = "done"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class CardRecord:
    """What a committed operation left behind: the sentence that tells an outcome is rendered from this alone.

    `changed` is False where the card was in the wished state already.
    """

    wish_id: str
    operation: Operation
    card: Card
    changed: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Wish:
    """A row of `pending`: one wish from its first question to its end. Its id is the idempotency key of its write."""

    id: str
    conversation: str
    phone: str
    operation: Operation
    card_token: str | None
    card_version: int | None
    clauses: tuple[Clause, ...]
    state: WishState
    answer_hash: str | None
    record: CardRecord | None
    expires_at: datetime
