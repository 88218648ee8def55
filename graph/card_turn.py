"""What the card node knows of a turn before it asks or does anything."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from graph.history import spoken_turns, turn_text
from graph.lines import fillers
from graph.options import Channel
from graph.private_words import private_turns, without_masks
from graph.state import Intent, TellerState
from teller.cards.dialogue import HeardQuestion, Turn, last_said
from teller.cards.ledger import CardView, Ledger
from teller.cards.pin_words import SpokenPin, all_words, pin_with_wish, spoken_pin, turn_words
from teller.cards.plain_request import is_plain_request
from teller.cards.records import Card, Holder, Operation, Wish
from teller.cards.spoken import heard_words
from teller.knowledge.question import leans_on_history

_SURE = 0.5  # below this confidence chat asks too, instead of acting at once
_CLOCKS_DIFFER = timedelta(hours=1)  # at most; a client's time that is further off is not believed


@dataclass(frozen=True, slots=True)
class CardTurn:
    """One turn about cards.

    `words`: what the caller said of the card in this turn. `plain`: the wish is put plainly enough to act on it where
    the policy lets chat act at once. `card`: the one that is meant, once it is known; `answered`: the question that
    this turn answers. `lasting`: the conversation has an id of its own. `leaning`: the turn means little without those
    before it.
    """

    operation: Operation
    phone: str
    conversation: str | None
    lasting: bool
    channel: Channel
    holder: Holder
    view: CardView
    history: Sequence[Turn]
    words: str
    plain: bool
    requested_at: datetime
    pin: SpokenPin
    card: Card | None = None
    answered: HeardQuestion | None = None
    leaning: bool = False

    @classmethod
    def of(cls, state: TellerState, view: CardView, holder: Holder, channel: Channel, ledger: Ledger) -> Self:
        """Return what is known of a turn, from its state and one read of the ledger."""
        intent, history = state["intent"], private_turns(state["messages"])
        operation = intent.action or Operation.STATUS
        words = intent.request or turn_text(history)
        return cls(
            operation=operation,
            phone=holder.phone,
            conversation=state.get("conversation"),
            lasting=bool(state.get("conversation_id")),
            channel=channel,
            holder=holder,
            view=view,
            history=history,
            words=words,
            plain=_is_plain(intent, words, operation),
            requested_at=believed(state.get("requested_at"), ledger.now()),
            pin=pin_of(history, view, ledger),
            leaning=leans_on_history(without_masks(intent.request or turn_text(spoken_turns(state["messages"])))),
        )

    def about(self, wish: Wish) -> Self:
        """Return the turn as one about this wish."""
        token = wish.card_token or (wish.record.card.token if wish.record else None)
        card = self.holder.card(token) if token else None
        return replace(self, operation=wish.operation, card=card)

    @property
    def spoken_of(self) -> tuple[Card, ...]:
        """The cards of which the last assistant turn spoke, where this turn leans on it; else none."""
        if not self.leaning:
            return ()
        said = heard_words(last_said(self.history))
        return tuple(card for card in self.holder.cards if card.last4 in said)

    def pointed_at(self, cards: Sequence[Card]) -> Card | None:
        """Return the one of these cards that a turn means which names none: the only one that was just spoken of."""
        pointed = self.spoken_of[0] if len(self.spoken_of) == 1 else None
        return pointed if pointed in cards else None

    def is_proven(self, ledger: Ledger) -> bool:
        """Return whether the caller's PIN counts.

        Where the conversation has no id of its own, only while the turn that gave it is still in the history.
        """
        proof = self.view.proof
        if proof is None:
            return False
        said = all_words(self.history, fillers())
        return self.lasting or any(ledger.fingerprint(words) == proof.turn_hash for words in said)


def believed(requested_at: datetime | None, now: datetime) -> datetime:
    """Return when a turn was asked for: as the client says, if its clock may be right, else now."""
    return requested_at if requested_at and abs(requested_at - now) < _CLOCKS_DIFFER else now


def _is_plain(intent: Intent, words: str, operation: Operation) -> bool:
    urgent_only = intent.topic == "fraud_in_progress"  # what the caller wants done, he did not say
    return not (urgent_only or intent.asks_first) and is_plain_request(
        words, operation, sure=intent.confidence >= _SURE
    )


def pin_of(history: Sequence[Turn], view: CardView, ledger: Ledger) -> SpokenPin:
    """Return the PIN of a turn: said with the wish, or the digits since it was asked for."""
    judged = {wish.judged for wish in view.wishes} | ({view.proof.turn_hash} if view.proof else set())
    last = turn_text(history)
    if digits := pin_with_wish(last):
        words = turn_words(last)
        return SpokenPin(digits, words, judged=ledger.fingerprint(words) in judged)
    return spoken_pin(history, lambda words: ledger.fingerprint(words) in judged, fillers())
