"""What was done in this conversation, for a caller who asks: told from the ledger's records, never from what was said.

"What did you just do?", "did you order a new one?"
"""

import re
from dataclasses import replace

from graph.card_turn import CardTurn
from graph.state import CardOutcome
from teller.cards.records import Card, CardRecord, Operation, Wish

_ORDERING = re.compile(r"\b(?:order\w*|new|another|replacement|replaced?|send|sent)\b", re.IGNORECASE)


def so_far(turn: CardTurn, following: CardOutcome | None = None) -> CardOutcome:
    """Return what was done to each card lately, oldest first, while it still holds, and what follows it."""
    wishes = _latest(turn)
    outcomes = [_told(turn, wish, record) for wish, record in wishes] or [
        CardOutcome("nothing_done", Operation.STATUS),
        CardOutcome("status", Operation.STATUS, turn.holder.held or turn.holder.cards),
    ]
    if wishes and _ORDERING.search(turn.words) and not any(record.other for _, record in wishes):
        outcomes = [part for one in outcomes for part in _nothing_ordered(turn, one.cards[0])]
    chain = following
    for outcome in reversed(outcomes):
        chain = replace(outcome, then=chain)
    return chain or outcomes[0]


def _latest(turn: CardTurn) -> list[tuple[Wish, CardRecord]]:
    """Return what was done last to each card."""
    last: dict[str, tuple[Wish, CardRecord]] = {}
    for wish in reversed(turn.view.wishes):
        if wish.record:
            last.pop(wish.record.card.token, None)
            last[wish.record.card.token] = wish, wish.record
    return list(last.values())


def _told(turn: CardTurn, wish: Wish, record: CardRecord) -> CardOutcome:
    card = turn.holder.card(record.card.token) or record.card
    if card.version != record.card.version:
        return CardOutcome("status", Operation.STATUS, (card,))
    taken_back = record.operation is Operation.UNBLOCK and not wish.clauses  # an unblock that was wished has been asked
    return CardOutcome("taken_back" if taken_back else "done", record.operation, (card,), record)


def _nothing_ordered(turn: CardTurn, card: Card) -> tuple[CardOutcome, ...]:
    """Return that no card was ordered in place of one, and how it stands."""
    now = turn.holder.card(card.token) or card
    status = CardOutcome("status", Operation.STATUS, (now,))
    return (status,) if now.replacement else (CardOutcome("nothing_ordered", Operation.STATUS, (now,)), status)
