"""Words that come when the outcome stands: what was done, a further card, a block taken back, or more after a no."""

from dataclasses import replace

from graph.card_form import CardForm, done
from graph.card_settling import Settling
from graph.card_turn import CardTurn
from graph.state import CardOutcome, OutcomeKind
from teller.cards.answers import adds_a_card
from teller.cards.choice import Choice, choose_instead
from teller.cards.dialogue import HeardQuestion
from teller.cards.ledger import Ledger
from teller.cards.reading import Reading
from teller.cards.records import Operation, Wish
from tools.cards import CardTools


class Correction:
    """Goes on from an outcome."""

    def __init__(self, ledger: Ledger, settling: Settling, form: CardForm) -> None:
        self._tools, self._settling, self._form = CardTools(ledger), settling, form

    async def too_late(self, turn: CardTurn, wish: Wish, question: HeardQuestion | None) -> CardOutcome | None:
        """Tell the outcome to words that came after it; where they wish the same for a further card, go on with it."""
        if wish.record is None:
            return None
        if question is None or not adds_a_card(question.answer):
            return recorded(turn, wish, "too_late")
        outcome = recorded(turn, wish, "done")
        further = choose_instead(turn.holder.cards, question.answer, turn.card)
        if not further.named:
            return outcome
        again = replace(turn, plain=False, answered=None, card=None)
        return replace(outcome, then=await self._form.choose(again, further))

    async def of_given_up(self, turn: CardTurn, reading: Reading) -> CardOutcome | None:
        """Return what words lead to whose beginning gave the wish up, or asked it anew: at most a question."""
        wish, question = reading.wish, reading.question
        if wish is None or question is None:
            return None
        about = replace(turn.about(wish), plain=False, words=question.answer)
        match reading.kind:
            case "no":
                return CardOutcome("given_up", wish.operation, (about.card,) if about.card else ())
            case "card":
                return await self._form.choose(about, choose_instead(turn.holder.cards, question.answer, about.card))
            case "both":
                return await self._form.choose(about, Choice(turn.holder.cards, named=True))
            case "unclear":
                return await self._form.ask(about, question.clause)
            case _:
                return None

    async def take_back(self, turn: CardTurn, blocked: Wish) -> CardOutcome:
        """Take a block back, then go on with the card that was meant, if one was named.

        Raises:
            OvertakenError: newer words came.
        """
        current = turn.holder.card(blocked.record.card.token) if blocked.record else None
        await self._settling.correction_stands(turn, blocked)
        record = await self._tools.take_back(blocked.id)
        if record is None:
            return CardOutcome("status", Operation.BLOCK, (current,) if current else turn.holder.cards)
        outcome = CardOutcome("taken_back", Operation.BLOCK, (record.card,), record)
        instead = choose_instead(turn.holder.cards, turn.words, current)
        meant_others = tuple(card for card in instead.cards if card.token != record.card.token)
        if not instead.named or not meant_others:
            return outcome
        meant = replace(turn, operation=Operation.BLOCK, plain=True, card=None)
        return replace(outcome, then=await self._form.choose(meant, Choice(meant_others, named=True)))


def recorded(turn: CardTurn, wish: Wish, kind: OutcomeKind) -> CardOutcome:
    """Return what was done for a wish, while it still holds; else how the card stands now."""
    if turn.card and wish.record and wish.record.card.version == turn.card.version:
        return replace(done(wish.record), kind=kind)
    return CardOutcome("status", wish.operation, (turn.card,) if turn.card else turn.holder.cards)
