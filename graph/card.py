"""card: the caller's own card. Resolves caller, card and operation, applies the policy, then asks, acts or declines.

Never raises: a ledger that does not answer is an outcome too, and the caller hears that nothing was changed.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog
from langgraph.runtime import Runtime

from graph.card_sentences import question_confirm, question_which
from graph.history import spoken_turns, turn_text
from graph.options import DEFAULT_OPTIONS, Channel, TurnOptions
from graph.state import CardOutcome, OutcomeKind, TellerState, TurnUpdate
from teller.caller import Caller, Trust
from teller.cards.choice import choose
from teller.cards.dialogue import HeardQuestion, answer_hash, heard_question, is_plain_request, read_answer
from teller.cards.ledger import CardView, OutcomeUnknownError
from teller.cards.policy import POLICY, fits
from teller.cards.records import UNDER_WAY, Card, CardRecord, CardState, Clause, Holder, Operation, Wish, WishState
from teller.errors import LedgerUnavailableError
from teller.services import Services
from tools.cards import CardTools, card_tools

_log = structlog.get_logger(__name__)

_SURE = 0.5  # below this confidence chat asks too, instead of acting at once


@dataclass(frozen=True, slots=True)
class CardTurn:
    """One turn about cards, as far as it is known before anything is asked or done.

    `words`: what the caller said of the card in this turn. `plain`: the wish is put plainly enough to act on it where
    the policy lets chat act at once. `answered`: the question that this turn answers, if it answers one.
    """

    operation: Operation
    phone: str
    conversation: str | None
    channel: Channel
    holder: Holder
    words: str
    plain: bool
    answered: HeardQuestion | None = None


class CardDesk:
    """The node."""

    def __init__(self, services: Services) -> None:
        self._tools: CardTools = card_tools(services.ledger)
        self._least_trust = services.settings.min_caller_trust

    async def __call__(self, state: TellerState, *, runtime: Runtime[TurnOptions]) -> TurnUpdate:
        """Return what became of the card half of the turn."""
        operation = state["intent"].action or Operation.STATUS
        channel = (runtime.context or DEFAULT_OPTIONS).channel
        try:
            return {"card": await self._outcome(state, operation, channel)}
        except OutcomeUnknownError:
            _log.error("the outcome of a write is not known")
            return {"card": CardOutcome("outcome_unknown", operation)}
        except LedgerUnavailableError as failure:
            _log.error("ledger unavailable", error=type(failure.__cause__).__name__)
            return {"card": CardOutcome("unavailable", operation)}

    async def _outcome(self, state: TellerState, operation: Operation, channel: Channel) -> CardOutcome:
        caller, conversation = state.get("caller") or Caller(), state.get("conversation")
        if refusal := refused(caller, operation, self._least_trust):
            await self._tools.note_refusal.ainvoke({"phone": caller.phone, "operation": operation, "reason": refusal})
            return CardOutcome(refusal, operation)
        view: CardView = await self._tools.view_cards.ainvoke({"phone": caller.phone, "conversation": conversation})
        if view.holder is None:
            return CardOutcome("unknown_number", operation)
        if not view.holder.cards:
            return CardOutcome("no_cards", operation)
        history = spoken_turns(state["messages"])
        intent = state["intent"]
        words = intent.request or turn_text(history)
        plain = is_plain_request(words, operation, sure=intent.confidence >= _SURE)
        turn = CardTurn(operation, view.holder.phone, conversation, channel, view.holder, words, plain)
        question = heard_question(view.wishes, history)
        if question and (outcome := await self._answered(turn, question)):
            return outcome
        if intent.decided_by == "dialogue" and (wish := view.open_wish):
            return await self._ask_again(turn, wish)
        return await self._wished(turn)

    async def _answered(self, turn: CardTurn, question: HeardQuestion) -> CardOutcome | None:
        """Return what the answer to an open question leads to; None where the turn is no answer to it."""
        wish = question.wish
        turn = replace(turn, operation=wish.operation)
        card = turn.holder.card(wish.card_token) if wish.card_token else None
        match read_answer(question, turn.holder.cards):
            case "yes" if card:
                return await self._confirmed(turn, question, card)
            case "no" if wish.state in UNDER_WAY:
                await self._tools.give_up.ainvoke({"wish": wish})
                return CardOutcome("given_up", wish.operation, (card,) if card else ())
            case "card" if wish.state in UNDER_WAY:
                return await self._wished(replace(turn, plain=True, answered=question))
            case _:
                return None

    async def _confirmed(self, turn: CardTurn, question: HeardQuestion, card: Card) -> CardOutcome | None:
        wish = question.wish
        if wish.state is WishState.DROPPED:
            return None
        if wish.state is WishState.DONE:  # the same answer again: what was done is told, if it still holds
            told_before = wish.record and wish.record.card.version == card.version
            return _done(wish.record) if wish.record and told_before else CardOutcome("status", wish.operation, (card,))
        if card.version != wish.card_version:
            return CardOutcome("status", wish.operation, (card,))
        return await self._act(replace(turn, answered=question), card)

    async def _wished(self, turn: CardTurn) -> CardOutcome:
        """Return what a wish leads to: told, asked, or done at once."""
        if not POLICY[turn.operation].offered:
            return CardOutcome("not_offered", turn.operation)
        choice = choose(turn.holder.cards, turn.words)
        held = tuple(card for card in turn.holder.cards if card.state is not CardState.CLOSED)
        if choice.named and not choice.cards:
            return CardOutcome("lacks_card", turn.operation, held)
        chosen = choice.cards if choice.named else held or turn.holder.cards
        if turn.operation is Operation.STATUS:
            return CardOutcome("status", turn.operation, chosen)
        fitting = tuple(card for card in chosen if fits(turn.operation, card))
        if not fitting:
            return CardOutcome("unchanged", turn.operation, chosen)
        if turn.conversation is None:
            return CardOutcome("no_conversation", turn.operation)
        return await self._ask_or_act(turn, fitting)

    async def _ask_or_act(self, turn: CardTurn, fitting: tuple[Card, ...]) -> CardOutcome:
        if len(fitting) > 1:
            text = question_which(turn.operation, fitting, turn.channel)
            return await self._ask(turn, None, Clause("card", text, None, datetime.now(UTC)))
        card = fitting[0]
        rule = POLICY[turn.operation]
        asks = rule.voice if turn.channel == "voice" else rule.chat
        if asks == "yes" or not turn.plain:
            text = question_confirm(turn.operation, card, turn.channel)
            return await self._ask(turn, card, Clause("confirm", text, card.token, datetime.now(UTC)))
        return await self._act(turn, card)

    async def _act(self, turn: CardTurn, card: Card) -> CardOutcome:
        """Write, once: the wish that was answered, or one that needed no question."""
        record: CardRecord | None
        if turn.answered:
            arguments = {"wish": turn.answered.wish, "answer_hash": answer_hash(turn.answered), "card": card}
            record = await self._tools.carry_out_confirmed.ainvoke(arguments)
        else:
            arguments = {
                "conversation": turn.conversation,
                "phone": turn.phone,
                "operation": turn.operation,
                "card": card,
            }
            record = await self._tools.carry_out.ainvoke(arguments)
        return _done(record) if record else await self._present_state(turn, card)

    async def _ask_again(self, turn: CardTurn, wish: Wish) -> CardOutcome:
        """Return the open question once more, in the same row: the turn was a question in between, or was not clear."""
        clause = wish.clauses[-1]
        card = turn.holder.card(clause.card_token) if clause.card_token else None
        return await self._ask(
            replace(turn, operation=wish.operation), card, replace(clause, asked_at=datetime.now(UTC))
        )

    async def _ask(self, turn: CardTurn, card: Card | None, clause: Clause) -> CardOutcome:
        """Commit the question before it is spoken."""
        arguments = {"conversation": turn.conversation, "phone": turn.phone, "operation": turn.operation}
        await self._tools.ask_caller.ainvoke({**arguments, "card": card, "clause": clause})
        return CardOutcome("question", turn.operation, (card,) if card else (), question=clause)

    async def _present_state(self, turn: CardTurn, card: Card) -> CardOutcome:
        view: CardView = await self._tools.view_cards.ainvoke({"phone": turn.phone, "conversation": None})
        now = view.holder.card(card.token) if view.holder else None
        return CardOutcome("unchanged", turn.operation, (now or card,))


def refused(caller: Caller, operation: Operation, least_trust: Trust) -> OutcomeKind | None:
    """Return why nothing can be done for this caller, before any card is looked at; None if something can."""
    if caller.conflict:
        return "conflict"
    if caller.phone is None:
        return "no_number"
    enough = caller.trust.reaches(least_trust) and caller.trust.reaches(POLICY[operation].caller)
    return None if enough else "not_trusted"


def _done(record: CardRecord) -> CardOutcome:
    return CardOutcome("done", record.operation, (record.card,), record)
