"""Who may have what done to a card: one table, from which the page in the docs and a test per cell are made."""

from dataclasses import dataclass
from typing import Literal

from teller.caller import Trust
from teller.cards.records import CardState, Operation

Proof = Literal["none", "pin"]
Asks = Literal["no", "if several cards fit", "yes"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: the proof that an operation needs, the least trust in the caller's number, and when it asks first.

    `offered` is False for what only a person can do so far.
    """

    proof: Proof
    caller: Trust
    voice: Asks
    chat: Asks
    offered: bool = False


POLICY: dict[Operation, Rule] = {
    Operation.STATUS: Rule("none", Trust.CLAIMED, voice="no", chat="no", offered=True),
    Operation.BLOCK: Rule("none", Trust.CLAIMED, voice="yes", chat="if several cards fit", offered=True),
    Operation.REPORT_LOST: Rule("none", Trust.CLAIMED, voice="yes", chat="yes"),
    Operation.BALANCE: Rule("pin", Trust.CLAIMED, voice="no", chat="no"),
    Operation.LIMIT: Rule("pin", Trust.CLAIMED, voice="no", chat="no"),
    Operation.DUE_DATE: Rule("pin", Trust.CLAIMED, voice="no", chat="no"),
    Operation.TRANSACTIONS: Rule("pin", Trust.CLAIMED, voice="no", chat="no"),
    Operation.DECLINED: Rule("pin", Trust.CLAIMED, voice="no", chat="no"),
    Operation.UNBLOCK: Rule("pin", Trust.CLAIMED, voice="yes", chat="yes"),
    Operation.ACTIVATE: Rule("pin", Trust.CLAIMED, voice="yes", chat="yes"),
    Operation.REPLACE: Rule("pin", Trust.CLAIMED, voice="yes", chat="yes"),
}

_TRANSITIONS: dict[Operation, dict[CardState, CardState]] = {
    Operation.BLOCK: {CardState.ACTIVE: CardState.BLOCKED},
}


def next_state(operation: Operation, state: CardState) -> CardState | None:
    """Return the state that an operation would lawfully bring a card into; None if it would change nothing."""
    return _TRANSITIONS.get(operation, {}).get(state)
