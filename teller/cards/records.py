"""What the ledger holds, as plain records: holders, cards, wishes under way and what became of them."""

from collections.abc import Sequence
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
    """One card. `token` stands for the number, which is never stored; `version` rises with every change.

    `replacement`: the token of the card that was ordered in its place, if one was.
    """

    token: str
    product: str
    network: str
    last4: str
    state: CardState
    version: int
    credit_limit: Decimal
    balance: Decimal
    due_date: date | None
    replacement: str | None = None


class Decline(StrEnum):
    """Why a payment did not go through."""

    INACTIVE = "inactive"
    BLOCKED = "blocked"
    CLOSED = "closed"
    OVER_LIMIT = "over_limit"


@dataclass(frozen=True, slots=True)
class Purchase:
    """A payment with a card, or an attempt at one: `declined` says why it did not go through."""

    day: date
    merchant: str
    amount: Decimal
    declined: Decline | None


@dataclass(frozen=True, slots=True)
class Proof:
    """That this caller gave the right PIN in this conversation, not long ago.

    `turn_hash`: the ledger's fingerprint of the words that gave it. Where a conversation has no id of its own, the
    proof holds only while the history still has those words.
    """

    turn_hash: str
    expires_at: datetime


PinVerdict = Literal["right", "wrong", "locked"]
"""What became of a PIN. "locked": it was not judged, or was the third wrong one."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A person with cards, in the order in which "the first one" and "the second one" count."""

    phone: str
    name: str
    pin: Literal["ok", "locked"]
    cards: tuple[Card, ...]

    @property
    def held(self) -> tuple[Card, ...]:
        """The cards that are not closed."""
        return tuple(card for card in self.cards if card.state is not CardState.CLOSED)

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


UNDER_WAY = (WishState.OPEN, WishState.SETTLING)
"""The states in which a wish can still be answered, reopened or given up."""


@dataclass(frozen=True, slots=True)
class CardRecord:
    """What a committed operation left behind: the sentence that tells an outcome is rendered from this alone.

    `changed` is False where the card was in the wished state already. `other` is the second card that the operation is
    about: the new one that was ordered (report_lost, replace) or the old one that closed (activate); None for the rest.
    """

    wish_id: str
    operation: Operation
    card: Card
    changed: bool
    at: datetime
    other: Card | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """A row of `pending`: one wish from its first question to its end. Its id is the idempotency key of its write.

    `newest_request`: the time of the latest request seen for it. `settles_at`: when a settling wish may be done.
    `judged`: the ledger's fingerprint of the words whose PIN was judged last; they are never judged again.
    """

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
    newest_request: datetime | None = None
    settles_at: datetime | None = None
    judged: str | None = None

    def card_among(self, cards: Sequence[Card]) -> Card | None:
        """Return the one of the cards that the wish is about; None where that is not known, or none of them."""
        return next((card for card in cards if card.token == self.card_token), None)
