"""A wish as a form: which card, proof, confirmation, done. The first thing that is missing is asked for.

Each question is committed to the ledger before its first word is spoken.
"""

from dataclasses import replace
from typing import Literal

from graph.card_sentences import question_confirm, question_pin, question_which, was_told
from graph.card_settling import Settling
from graph.card_turn import CardTurn
from graph.state import CardOutcome, OutcomeKind
from teller.cards.answers import wanted_cards
from teller.cards.choice import Choice, choose_after
from teller.cards.dialogue import HeardQuestion
from teller.cards.ledger import CardView, Ledger, NotProvenError, TooManyOrdersError
from teller.cards.pin_words import turn_words
from teller.cards.policy import POLICY, fits
from teller.cards.records import Card, CardRecord, CardState, Clause, Operation
from tools.cards import CardTools

_READS: dict[Operation, OutcomeKind] = {
    Operation.BALANCE: "balance",
    Operation.LIMIT: "limit",
    Operation.DUE_DATE: "due_date",
    Operation.TRANSACTIONS: "transactions",
    Operation.DECLINED: "declined",
}


class CardForm:
    """Leads a wish one step on."""

    def __init__(self, ledger: Ledger, settling: Settling) -> None:
        self._ledger, self._tools, self._settling = ledger, CardTools(ledger), settling

    async def begin(self, turn: CardTurn) -> CardOutcome:
        """Return what a new wish leads to: told, asked, or done at once.

        Raises:
            OvertakenError: newer words came while a PIN settled.
        """
        choice, held = choose_after(turn.holder.cards, turn.words, turn.spoken_of), turn.holder.held
        if choice.named and not choice.cards:
            return await self._lacks(turn)
        chosen = choice.cards if choice.named else held or turn.holder.cards
        if turn.operation is Operation.STATUS:
            return CardOutcome("status", turn.operation, chosen)
        fitting = tuple(card for card in chosen if _can(turn.operation, card))
        if not fitting:
            closed = tuple(card for card in turn.spoken_of if card.state is CardState.CLOSED)
            return CardOutcome("unchanged", turn.operation, closed or chosen)
        if len(fitting) > 1 and (card := turn.pointed_at(fitting)):
            return await self.go_on(replace(turn, card=card, plain=False))
        return await self._choose(turn, fitting)

    async def choose(self, turn: CardTurn, choice: Choice) -> CardOutcome:
        """Return what follows when the card is named, for the wish that the turn is about."""
        fitting = tuple(card for card in choice.cards if _can(turn.operation, card))
        if not choice.cards:
            return await self._lacks(turn)
        if not fitting:
            return CardOutcome("unchanged", turn.operation, choice.cards)
        return await self._choose(turn, fitting)

    async def go_on(self, turn: CardTurn) -> CardOutcome:
        """Return what follows when the card is known: proof, then the question or the answer."""
        card = turn.card
        if turn.operation not in _READS and card is None:
            return await self.begin(turn)
        if card and not _can(turn.operation, card):
            return CardOutcome("unchanged", turn.operation, (card,))
        if turn.conversation is None:
            return CardOutcome("no_conversation", turn.operation)
        if POLICY[turn.operation].proof == "pin" and (missing := await self._prove(turn, turn.conversation)):
            return missing
        if turn.operation in _READS or card is None:
            return await self._told(turn, turn.conversation)
        rule = POLICY[turn.operation]
        asks = rule.voice if turn.channel == "voice" else rule.chat
        if asks == "yes" or not turn.plain:
            return await self.ask(
                turn, self._clause("confirm", question_confirm(turn.operation, card, turn.channel), card)
            )
        return await self._act(turn, turn.conversation, card)

    async def confirmed(self, turn: CardTurn, question: HeardQuestion, card: Card) -> CardOutcome:
        """Return what a yes leads to, once it has settled.

        Raises:
            OvertakenError: newer words came.
        """
        if POLICY[turn.operation].proof == "pin" and not turn.is_proven(self._ledger):
            return await self._ask_pin(turn, "question")
        answer_hash = self._ledger.fingerprint(turn_words(question.answer))
        try:
            record = await self._settling.carry_out(turn, question.wish, answer_hash, card)
        except NotProvenError:
            return await self._ask_pin(turn, "question")
        except TooManyOrdersError:
            return CardOutcome("too_many_orders", turn.operation, (card,))
        return done(record) if record else await self._present_state(turn, card)

    async def ask(self, turn: CardTurn, clause: Clause, kind: OutcomeKind = "question") -> CardOutcome:
        """Commit a question before it is spoken."""
        if turn.conversation is None:
            return CardOutcome("no_conversation", turn.operation)
        await self._tools.ask_caller(turn.conversation, turn.phone, turn.operation, turn.card, clause)
        return CardOutcome(kind, turn.operation, (turn.card,) if turn.card else (), question=clause)

    async def _lacks(self, turn: CardTurn) -> CardOutcome:
        """Tell that the caller has no such card, and ask which of his is meant, where several can be."""
        held = turn.holder.held
        fitting = tuple(card for card in held if _can(turn.operation, card))
        if turn.operation is Operation.STATUS or len(fitting) < 2 or turn.conversation is None:
            return CardOutcome("lacks_card", turn.operation, held)
        clause = self._clause("card", question_which(turn.operation, fitting, turn.channel))
        return await self.ask(replace(turn, card=None), clause, "lacks_card")

    async def _choose(self, turn: CardTurn, fitting: tuple[Card, ...]) -> CardOutcome:
        if len(fitting) == 1:
            return await self.go_on(replace(turn, card=fitting[0]))
        if not wanted_cards(turn.words, turn.holder.cards):
            return await self.ask(turn, self._clause("card", question_which(turn.operation, fitting, turn.channel)))
        if turn.operation in _READS:
            return await self.go_on(replace(turn, card=None))
        outcome = await self.go_on(replace(turn, card=fitting[0]))
        if outcome.kind == "done":
            return replace(outcome, then=await self._choose(turn, fitting[1:]))
        return replace(outcome, kind="one_by_one") if outcome.kind == "question" else outcome

    async def _prove(self, turn: CardTurn, conversation: str) -> CardOutcome | None:
        """Return what the caller must be told or asked before his PIN counts; None where it does."""
        if turn.is_proven(self._ledger):
            return None
        if turn.holder.pin == "locked":
            if wish := turn.view.open_wish:  # it cannot go on
                await self._tools.give_up(wish.id)
            return CardOutcome("pin_locked", turn.operation)
        if turn.pin.judged:  # the same words again, in another request: they were wrong if it was asked again
            wish = turn.view.open_wish
            wrong = wish is not None and wish.clauses[-1].kind == "pin"
            return await self._ask_pin(turn, "pin_wrong" if wrong else "question")
        match turn.pin.standing:
            case "none":
                return await self._ask_pin(turn, "question")
            case "some":
                return await self._ask_pin(turn, "question", rest=True)
            case "too many":
                return await self._ask_pin(turn, "pin_too_long")
            case "whole":
                return await self._judge(turn, conversation)

    async def _judge(self, turn: CardTurn, conversation: str) -> CardOutcome | None:
        wish = turn.view.open_wish
        if wish is None or wish.operation is not turn.operation:
            clause = self._clause("pin", question_pin(turn.channel))
            wish = await self._tools.ask_caller(conversation, turn.phone, turn.operation, turn.card, clause)
        words = self._ledger.fingerprint(turn.pin.words)
        await self._settling.pin_stands(turn, wish, words)
        verdict = await self._tools.judge_pin(conversation, turn.phone, turn.pin.digits, words, wish.id)
        if verdict == "right":
            return None
        if verdict == "locked":
            await self._tools.give_up(wish.id)
            return CardOutcome("pin_locked", turn.operation)
        again = was_told("pin_wrong", turn.history, turn.channel)
        return await self._ask_pin(turn, "pin_wrong_again" if again else "pin_wrong")

    async def _ask_pin(self, turn: CardTurn, kind: OutcomeKind, *, rest: bool = False) -> CardOutcome:
        return await self.ask(turn, self._clause("pin", question_pin(turn.channel, rest=rest)), kind)

    async def _told(self, turn: CardTurn, conversation: str) -> CardOutcome:
        """Read what was asked of the card, or of all cards that are not closed."""
        cards = (turn.card,) if turn.card else turn.holder.held or turn.holder.cards
        try:
            purchases = [await self._tools.disclose(conversation, turn.phone, turn.operation, card) for card in cards]
        except NotProvenError:  # the proof ended since it was read
            return await self._ask_pin(turn, "question")
        view: CardView = await self._tools.view_cards(turn.phone, conversation)
        if (wish := view.open_wish) and wish.operation is turn.operation:
            await self._tools.give_up(wish.id)
        return CardOutcome(_READS[turn.operation], turn.operation, cards, purchases=tuple(purchases))

    async def _act(self, turn: CardTurn, conversation: str, card: Card) -> CardOutcome:
        """Write, once, what needs no further question."""
        if turn.answered:
            return await self.confirmed(turn, turn.answered, card)
        record = await self._tools.carry_out(conversation, turn.phone, turn.operation, card)
        return done(record) if record else await self._present_state(turn, card)

    async def _present_state(self, turn: CardTurn, card: Card) -> CardOutcome:
        view: CardView = await self._tools.view_cards(turn.phone, None)
        now = view.holder.card(card.token) if view.holder else None
        return CardOutcome("unchanged", turn.operation, (now or card,))

    def _clause(self, kind: Literal["card", "pin", "confirm"], text: str, card: Card | None = None) -> Clause:
        return Clause(kind, text, card.token if card else None, self._ledger.now())


def _can(operation: Operation, card: Card) -> bool:
    return operation in _READS or fits(operation, card)


def done(record: CardRecord) -> CardOutcome:
    """Return the outcome that tells a committed record."""
    return CardOutcome("done", record.operation, (record.card,), record)
