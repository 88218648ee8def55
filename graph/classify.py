"""classify: what does this turn wish? First the open card question, then the nearest examples; no network."""

from dataclasses import replace

from langchain_core.messages import AIMessage, AnyMessage, FunctionMessage, ToolMessage
from langgraph.runtime import Runtime

from graph.card_turn import believed, pin_of
from graph.history import earlier_turns, resolved_caller, spoken_turns, turn_text
from graph.intent_rules import (
    SURE,
    asks_of_teller,
    beside_open_question,
    ends_the_call,
    first_things_first,
    is_misused,
    of_another,
    raises_limit,
    says_a_number,
    wants_person,
    without_ledger,
)
from graph.intents import IntentClassifier
from graph.lines import fillers
from graph.options import TurnOptions
from graph.private_words import private_turns, without_masks
from graph.question_first import question_first, without_caller
from graph.state import Intent, Route, TellerState, TurnUpdate
from graph.wish_before import after_a_no, beside_what_is_denied, going_on
from teller.caller import conversation_of
from teller.cards.answers import points_elsewhere
from teller.cards.dialogue import Turn
from teller.cards.ledger import CardView
from teller.cards.reading import Reading, read_turn, told_block
from teller.cards.records import Operation, Wish, WishState
from teller.errors import LedgerUnavailableError
from teller.knowledge.question import continues
from teller.services import Services

_UNHEARD = ("distress_or_repeat", "repeat")  # of who was not understood: his card may be all that was missing


class Classify:
    """The node. It resolves the caller and the conversation too, since an open question belongs to both."""

    def __init__(self, services: Services, classifier: IntentClassifier) -> None:
        self._ledger = services.ledger
        self._classifier = classifier

    async def __call__(self, state: TellerState, *, runtime: Runtime[TurnOptions]) -> TurnUpdate:
        """Return caller, conversation and intent."""
        messages = state["messages"]
        history = spoken_turns(messages)
        caller = resolved_caller(state.get("caller"), messages)
        first = next((turn.text for turn in history if turn.role == "user"), "")
        conversation = conversation_of(state.get("client", ""), state.get("conversation_id"), caller.phone, first)
        intent = by_shape(messages, history)
        if intent and intent.topic == "still_there":
            intent = await self._silence(intent, caller.phone, conversation)
        elif intent is None:
            intent = await self._intent(state, history, caller.phone, conversation)
        return {"caller": caller, "conversation": conversation, "intent": intent}

    async def _silence(self, silence: Intent, phone: str | None, talk: str | None) -> Intent:
        """Return the intent of a caller who says nothing: a question that is open is asked again.

        After anything else, his next "yes" would not be an answer to it.
        """
        if phone is None or talk is None:
            return silence
        try:
            wish = (await self._ledger.view(phone, talk)).open_wish
        except LedgerUnavailableError:
            return silence
        return replace(silence, routes=("card",), action=wish.operation) if wish else silence

    async def _intent(self, state: TellerState, history: list[Turn], phone: str | None, talk: str | None) -> Intent:
        text = without_masks(turn_text(history))
        nearest = await self._nearest(text, history)
        if phone is None:
            said = says_a_number(nearest, turn_text(private_turns(state["messages"])))
            nearest = without_caller(said, text, goes_on=await self._goes_on(text, history))
        if all(turn.role == "user" for turn in history):
            return first_things_first(nearest, phone)
        if phone is None or talk is None:
            return wants_person(nearest, history)
        private, now = private_turns(state["messages"]), self._ledger.now()
        try:
            view = await self._ledger.view(phone, talk)
            changed = view.others
            if changed:  # the caller has changed: what the other one left open is not his to answer
                await self._ledger.end_conversation(talk)
                view = await self._ledger.view(phone, talk)
            if blocked := told_block(view, private, now, fillers()):  # an older guess may be about to take it back
                await self._ledger.note_request(blocked.id, believed(state.get("requested_at"), now))
        except LedgerUnavailableError:
            return without_ledger(nearest, history)
        reading = read_turn(view, private, pin_of(private, view, self._ledger), now, fillers())
        if reading.kind != "other" and reading.wish:
            return await self._answer(reading, reading.wish, nearest)
        if wish := view.open_wish:
            beside = await self._beside(wish, view, nearest, history)
            return beside if wish.state is WishState.SETTLING else first_things_first(beside, phone)
        if not changed:
            nearest = await going_on(self._classifier, nearest, turn_text(history), history)
        return first_things_first(wants_person(nearest, history), phone)

    async def _goes_on(self, text: str, history: list[Turn]) -> bool:
        """Return whether a turn opens as one that goes on with the one before it, which asked the documents."""
        *others, before = earlier_turns(history) or [""]
        if not before or not continues(text):
            return False
        first = await self._classifier.classify(before, others)
        return "knowledge" in without_caller(first, before, goes_on=False).routes

    async def _beside(self, wish: Wish, view: CardView, nearest: Intent, history: list[Turn]) -> Intent:
        """Return the intent of a turn that does not answer the open question."""
        text = without_masks(turn_text(history))
        if wish.state is not WishState.SETTLING and (person := wants_person(nearest, history)) is not nearest:
            return person
        unsure = nearest.topic in _UNHEARD or (nearest.action is None and nearest.confidence < SURE)
        if unsure and names_another_card(text, view, wish):
            return Intent(("card",), "answer", wish.operation, decided_by="dialogue")
        return beside_open_question(await after_a_no(self._classifier, nearest, text), wish, text)

    async def _nearest(self, text: str, history: list[Turn]) -> Intent:
        """Return what a turn wishes by its own words."""
        wished = await self._classifier.classify(text, earlier_turns(history))
        wished = await beside_what_is_denied(self._classifier, wished, text)
        nearest = of_another(question_first(is_misused(wished, text), text), turn_text(history))
        nearest = ends_the_call(asks_of_teller(raises_limit(nearest, text), text))
        if nearest.topic == "done_so_far":  # told from the ledger
            return replace(nearest, routes=("card",), action=Operation.STATUS)
        return nearest

    async def _answer(self, reading: Reading, wish: Wish, nearest: Intent) -> Intent:
        """Return the intent of an answer, with what else the turn wished that began it all."""
        earlier = reading.question.earlier if reading.question else ()
        intents = [await self._classifier.classify(words) for words in (*earlier[:1], *earlier[-1:])]
        first, misused = next(iter(intents), None), any(one.topic == "fraud_in_progress" for one in intents)
        person: tuple[Route, ...] = ("handoff",) if misused else ()
        asks: tuple[Route, ...] = ("knowledge",) if reading.kind == "too late" and "knowledge" in nearest.routes else ()
        also = first.also if first and first.also and first.also.operation is not wish.operation else None
        return Intent((*asks, "card", *person), "answer", wish.operation, also=also, decided_by="dialogue")


def names_another_card(text: str, view: CardView, wish: Wish) -> bool:
    """Return whether a turn names another of the caller's cards than the one that an open wish is about."""
    cards = view.holder.cards if view.holder else ()
    return points_elsewhere(text, cards, wish.card_among(cards)) is not None


def by_shape(messages: list[AnyMessage], history: list[Turn]) -> Intent | None:
    """Return the intent of a turn whose shape decides; None where the user's words do.

    No user message: the opening. The last message is a tool's result: it is done. The assistant spoke last: the caller
    is silent. A blank user message counts as silence too.
    """
    if messages and isinstance(messages[-1], ToolMessage | FunctionMessage):
        return Intent(("smalltalk",), "tool_done", decided_by="conversation")
    if not any(turn.role == "user" for turn in history):
        return Intent(("smalltalk",), "opening", decided_by="conversation")
    if isinstance(messages[-1], AIMessage) or history[-1].role == "assistant":
        return Intent(("smalltalk",), "still_there", decided_by="conversation")
    return None
