"""Who may have what done to a card: one table, from which the page in the docs and a test per cell are made."""

from dataclasses import dataclass
from typing import Literal

from teller.caller import Trust
from teller.cards.records import Card, CardState, Operation

Proof = Literal["none", "pin"]
Asks = Literal["no", "if several cards fit", "yes"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: the proof that an operation needs, the least trust in the caller's number, and when it asks first.

    `verbs`: the words that name what an operation does. Its confirming question must have been heard with one of them,
    and one of them says yes to it, as in "block it".
    """

    proof: Proof
    caller: Trust
    voice: Asks
    chat: Asks
    verbs: frozenset[str] = frozenset()


def _verbs(words: str) -> frozenset[str]:
    return frozenset(words.split())


POLICY: dict[Operation, Rule] = {
    Operation.STATUS: Rule("none", Trust.CLAIMED, voice="no", chat="no"),
    Operation.BLOCK: Rule(
        "none", Trust.CLAIMED, voice="yes", chat="if several cards fit", verbs=_verbs("block freeze lock")
    ),
    Operation.REPORT_LOST: Rule("none", Trust.CLAIMED, voice="yes", chat="yes", verbs=_verbs("report close")),
    Operation.BALANCE: Rule("pin", Trust.CLAIMED, voice="no", chat="no"),
    Operation.LIMIT: Rule("pin", Trust.CLAIMED, voice="no", chat="no"),
    Operation.DUE_DATE: Rule("pin", Trust.CLAIMED, voice="no", chat="no"),
    Operation.TRANSACTIONS: Rule("pin", Trust.CLAIMED, voice="no", chat="no"),
    Operation.DECLINED: Rule("pin", Trust.CLAIMED, voice="no", chat="no"),
    Operation.UNBLOCK: Rule("pin", Trust.CLAIMED, voice="yes", chat="yes", verbs=_verbs("unblock unfreeze unlock")),
    Operation.ACTIVATE: Rule("pin", Trust.CLAIMED, voice="yes", chat="yes", verbs=_verbs("activate")),
    Operation.REPLACE: Rule("pin", Trust.CLAIMED, voice="yes", chat="yes", verbs=_verbs("replace replacement order")),
}

_ACTIVE, _BLOCKED, _CLOSED, _INACTIVE = CardState.ACTIVE, CardState.BLOCKED, CardState.CLOSED, CardState.INACTIVE

TRANSITIONS: dict[Operation, dict[CardState, CardState]] = {
    Operation.BLOCK: {_ACTIVE: _BLOCKED},
    Operation.UNBLOCK: {_BLOCKED: _ACTIVE},
    Operation.ACTIVATE: {_INACTIVE: _ACTIVE},
    Operation.REPORT_LOST: {_INACTIVE: _CLOSED, _ACTIVE: _CLOSED, _BLOCKED: _CLOSED},
    # The damaged card stays as it is until the one that is ordered in its place is activated.
    Operation.REPLACE: {_ACTIVE: _ACTIVE, _BLOCKED: _BLOCKED},
}
"""What each operation makes of a card, by the card's state; what is not here changes nothing."""


def next_state(operation: Operation, state: CardState) -> CardState | None:
    """Return the state that an operation would lawfully bring a card into; None if it would change nothing."""
    return TRANSITIONS.get(operation, {}).get(state)


def fits(operation: Operation, card: Card) -> bool:
    """Return whether an operation would lawfully change this card as it is; ordering a second replacement would not."""
    ordered_already = operation is Operation.REPLACE and card.replacement is not None
    return next_state(operation, card.state) is not None and not ordered_already


def is_so_already(operation: Operation, card: Card) -> bool:
    """Return whether a card is what an operation would make of it, so that doing it again changes nothing."""
    return not fits(operation, card) and card.state in TRANSITIONS.get(operation, {}).values()
