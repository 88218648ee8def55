"""card: the caller's own card. Resolves caller, card and operation, applies the policy, then asks, acts or declines.

The node never raises: a ledger that does not answer is an outcome too, and the caller hears that nothing was changed.
Its parts: `card_turn.py` (what is known), `card_form.py` (which card, proof, confirmation), `card_settling.py` (the
wait before a write), `card_correction.py` (what comes after an outcome), `card_recap.py` (what was done so far),
`card_sentences.py` (what is said).
"""

from dataclasses import replace

import structlog
from langgraph.runtime import Runtime

from graph.card_correction import Correction, recorded
from graph.card_form import CardForm
from graph.card_recap import so_far
from graph.card_settling import OvertakenError, Settling
from graph.card_turn import CardTurn
from graph.lines import fillers
from graph.options import DEFAULT_OPTIONS, Channel, TurnOptions
from graph.state import CardOutcome, Intent, OutcomeKind, TellerState, TurnUpdate
from teller.caller import Caller, Trust
from teller.cards.answers import points_elsewhere, wanted_cards, wants_both
from teller.cards.choice import Choice, choose_instead, corrects_itself
from teller.cards.dialogue import HeardQuestion
from teller.cards.ledger import CardView, OutcomeUnknownError
from teller.cards.pin_words import turn_words
from teller.cards.policy import POLICY, fits
from teller.cards.reading import Reading, read_turn
from teller.cards.records import Card, Operation, Wish, WishState
from teller.errors import LedgerUnavailableError
from teller.knowledge.question import is_question
from teller.services import Services
from tools.cards import CardTools

_log = structlog.get_logger(__name__)


class CardDesk:
    """The node."""

    def __init__(self, services: Services) -> None:
        self._ledger = services.ledger
        self._tools = CardTools(services.ledger)
        self._settling = Settling(services.ledger, services.settings, services.unfinished)
        self._form = CardForm(services.ledger, self._settling)
        self._correction = Correction(services.ledger, self._settling, self._form)
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
        refusal = refused(caller, operation, self._least_trust)
        if refusal or caller.phone is None:
            await self._tools.note_refusal(caller.phone, operation, refusal or "no_number")
            return CardOutcome(refusal or "no_number", operation)
        view: CardView = await self._tools.view_cards(caller.phone, conversation)
        if view.others and conversation:  # the caller has changed: what the other one left open and proved is over
            await self._ledger.end_conversation(conversation)
            view = await self._tools.view_cards(caller.phone, conversation)
        if view.holder is None:
            return CardOutcome("unknown_number", operation)
        if not view.holder.cards:
            return CardOutcome("no_cards", operation)
        turn = CardTurn.of(state, view, view.holder, channel, self._ledger)
        wish = view.open_wish
        if wish and not await self._tools.note_request(wish.id, turn.requested_at):
            return _open_question(turn, wish)
        try:
            return await self._dispatch(turn, state)
        except OvertakenError:
            wish = (await self._tools.view_cards(turn.phone, turn.conversation)).open_wish or wish
            return _open_question(turn, wish) if wish else CardOutcome("question", operation)

    async def _dispatch(self, turn: CardTurn, state: TellerState) -> CardOutcome:
        reading = read_turn(turn.view, turn.history, turn.pin, self._ledger.now(), fillers())
        await self._reopen(turn, reading)
        answered = self._correction.of_given_up if reading.of_given_up else self._answered
        outcome, intent = await answered(turn, reading), state["intent"]
        wish = turn.view.open_wish
        if outcome is None and intent.topic == "done_so_far":
            return so_far(turn, await self._ask_again(turn, wish) if wish else None)
        answers = intent.decided_by != "utterances"
        if outcome is None and wish and (answers or intent.action is wish.operation):
            outcome = await self._point_elsewhere(turn, wish, intent)
        if outcome is None and wish and answers:
            return await self._ask_again(turn, wish)
        outcome = outcome or await self._form.begin(turn)
        return await self._with_next_wish(turn, state, reading.question, outcome)

    async def _reopen(self, turn: CardTurn, reading: Reading) -> None:
        """Stop what settles, if these words are others than those that it settles for."""
        wish, question = turn.view.open_wish, reading.question
        if wish is None or wish.state is not WishState.SETTLING or wish.answer_hash is None:
            return
        words = turn.pin.words if reading.kind == "pin" else turn_words(question.answer) if question else ""
        if self._ledger.fingerprint(words) != wish.answer_hash:
            await self._tools.reopen(wish.id, wish.answer_hash)

    async def _answered(self, turn: CardTurn, reading: Reading) -> CardOutcome | None:
        """Return what an answer to an open question leads to; None where the turn is no answer."""
        wish, question = reading.wish, reading.question
        if wish is None:
            return None
        about = turn.about(wish)
        match reading.kind:
            case "take back":
                return await self._correction.take_back(turn, wish)
            case "too late" if question and wish.answer_hash == self._ledger.fingerprint(turn_words(question.answer)):
                return recorded(about, wish, "done")  # the very words that it was done for, once more
            case "too late":
                return await self._correction.too_late(about, wish, question)
            case "pin":
                return await self._form.go_on(about)
            case "yes" if question and about.card:
                return await self._confirmed(about, question, about.card)
            case "no":
                await self._tools.give_up(wish.id)
                return CardOutcome("given_up", wish.operation, (about.card,) if about.card else ())
            case "card" if question:
                choice = choose_instead(turn.holder.cards, question.answer, about.card)
                # "is that the gold one" is asked about it first, and so is another card than was asked about,
                # one that corrects another, and each of several.
                asked_of_none = question.clause.kind == "card" and wish.card_token is None
                said_plainly = not is_question(question.answer) and not corrects_itself(question.answer)
                plain = asked_of_none and said_plainly and not choice.each
                return await self._form.choose(replace(about, plain=plain, answered=question), choice)
            case "both" if question:
                return await self._form.choose(
                    replace(about, plain=True, words=question.answer), Choice(turn.holder.cards, named=True)
                )
            case _:
                return None

    async def _confirmed(self, turn: CardTurn, question: HeardQuestion, card: Card) -> CardOutcome:
        wish = question.wish
        if wish.state is WishState.DONE:  # the same answer again: what was done is told, if it still holds
            return recorded(turn, wish, "done")
        if card.version != wish.card_version:
            return CardOutcome("status", wish.operation, (card,))
        return await self._form.confirmed(turn, question, card)

    async def _with_next_wish(
        self, turn: CardTurn, state: TellerState, question: HeardQuestion | None, outcome: CardOutcome
    ) -> CardOutcome:
        """Return the outcome with what follows it: the other cards of "both", or a second wish of the same turn."""
        if outcome.kind == "question" and state["intent"].also and state["intent"].decided_by == "utterances":
            return replace(outcome, kind="one_by_one")
        if outcome.question or outcome.then:
            return outcome
        again = replace(turn, plain=False, answered=None, card=None)
        if outcome.record and question:
            done_with, cards = outcome.record.card.token, turn.holder.cards
            earlier = [words for words in question.earlier if wants_both(words) or not state["intent"].also]
            wanted = next((found for words in earlier if (found := wanted_cards(words, cards))), ())
            rest = [card for card in wanted if card.token != done_with and fits(outcome.operation, card)]
            if rest:
                meant = Choice(tuple(rest[:1]), named=True)
                following = replace(again, operation=outcome.operation)
                return replace(outcome, then=await self._form.choose(following, meant))
        if also := state["intent"].also:
            following = replace(again, operation=also.operation, words=also.words)
            return replace(outcome, then=await self._form.begin(following))
        return outcome

    async def _point_elsewhere(self, turn: CardTurn, wish: Wish, intent: Intent) -> CardOutcome | None:
        """Ask about the card that words name which are no plain answer; None where they name no other."""
        about = turn.about(wish)
        choice = points_elsewhere(turn.words, turn.holder.cards, about.card) if intent.routes == ("card",) else None
        return await self._form.choose(replace(about, plain=False, card=None), choice) if choice else None

    async def _ask_again(self, turn: CardTurn, wish: Wish) -> CardOutcome:
        """Return the open question once more, in the same row: the turn was a question in between, or was not clear."""
        return await self._form.ask(turn.about(wish), wish.clauses[-1])


def refused(caller: Caller, operation: Operation, least_trust: Trust) -> OutcomeKind | None:
    """Return why nothing can be done for this caller, before any card is looked at; None if something can."""
    if caller.conflict:
        return "conflict"
    if caller.phone is None:
        return "no_number"
    enough = caller.trust.reaches(least_trust) and caller.trust.reaches(POLICY[operation].caller)
    return None if enough else "not_trusted"


def _open_question(turn: CardTurn, wish: Wish) -> CardOutcome:
    """Return what stands open, with nothing written: a newer request speaks for this turn."""
    card = turn.about(wish).card
    return CardOutcome("question", wish.operation, (card,) if card else (), question=wish.clauses[-1])
