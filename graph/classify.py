"""classify: what does this turn wish? First the open card question, then the nearest examples; no network."""

import re
from dataclasses import replace

from langchain_core.messages import AIMessage, AnyMessage, FunctionMessage, ToolMessage
from langgraph.runtime import Runtime

from graph.card_turn import pin_of
from graph.history import earlier_turns, resolved_caller, spoken_turns, turn_text
from graph.intents import IntentClassifier
from graph.lines import fillers
from graph.options import TurnOptions
from graph.private_words import private_turns, without_masks
from graph.state import Intent, Route, TellerState, TurnUpdate
from teller.caller import conversation_of
from teller.cards.answers import is_yes, only_names_a_card
from teller.cards.dialogue import Turn, runs
from teller.cards.pin_words import says_pin
from teller.cards.policy import POLICY
from teller.cards.reading import Reading, read_turn
from teller.cards.records import Operation, Wish, WishState
from teller.cards.spoken import heard_words
from teller.errors import LedgerUnavailableError
from teller.knowledge.question import is_question
from teller.services import Services

_ASKS_HOW = re.compile(
    r"\bhow (?:do|can|would|should|does|long|soon)\b|\bwhat (?:do i|should i|happens|would)\b|\bdo i (?:need|have to)\b"
    r"|\b(?:by )?when (?:do|can|would|should|does|will|is|are) (?:i|we|you|it|that)\b"
    r"|\bis there an? (?:fee|limit|way|deadline)\b|\bwhat(?:'s| is) the (?:process|procedure|deadline|fee)\b",
    re.IGNORECASE,
)
_DENIAL = re.compile(
    r"^(?:(?:no|nope|never ?mind|wait|sorry|actually|(?:don't|do not) \w+ (?:it|that|the card|my card))\b[\s,.;!-]*)+"
    r"(?:(?:just|rather|but)\b\s*)*",
    re.IGNORECASE,
)
_ASKS_OF_A_CARD = re.compile(r"\b(?:shall i|which card)\b", re.IGNORECASE)
_FOR_A_PERSON = ("dispute_open", "change_details", "account_service", "access_problem", "fraud_in_progress")
_RECENT = 3  # turns in which a wish is looked for that another card is to have, too
_SURE = 0.5  # below this a turn beside an open question is taken for one that was not understood
_MAY_ASK = 0.1  # how likely a question about a card must be one for the documents to be asked of them too


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
        nearest = _question_first(await self._classifier.classify(text, earlier_turns(history)), text)
        if phone is None and nearest.routes == ("card",) and nearest.asks >= _MAY_ASK and is_question(text):
            return replace(nearest, routes=("knowledge", "card"))  # no card can be told of: the documents may know
        if all(turn.role == "user" for turn in history):
            return _first_things_first(nearest, phone)
        if phone is None or talk is None:
            return _wants_person(nearest, history)
        try:
            view = await self._ledger.view(phone, talk)
            if view.others:  # the caller has changed: what the other one left open is not his to answer
                await self._ledger.end_conversation(talk)
                view = await self._ledger.view(phone, talk)
        except LedgerUnavailableError:
            return _without_ledger(nearest, history)
        private = private_turns(state["messages"])
        reading = read_turn(view, private, pin_of(private, view, self._ledger), self._ledger.now(), fillers())
        if reading.kind != "other" and reading.wish:
            return await self._answer(reading, reading.wish, nearest)
        if wish := view.open_wish:
            return _beside_open_question(await self._changed_mind(nearest, text), wish, text)
        nearest = await self._the_same(nearest, text, history)
        return _first_things_first(_wants_person(nearest, history), phone)

    async def _the_same(self, nearest: Intent, text: str, history: list[Turn]) -> Intent:
        """Return the wish of the turns before for one that names another card and says no more: "and the gold one too".

        It was not said in full, so it is asked first.
        """
        if not only_names_a_card(text):
            return nearest
        for before in reversed(earlier_turns(history)[-_RECENT:]):  # in between, a PIN may have been given
            if (wished := await self._classifier.classify(before)).action:
                return replace(nearest, routes=("card",), action=wished.action, confidence=0.0)
        return nearest

    async def _changed_mind(self, nearest: Intent, text: str) -> Intent:
        """Return the wish about cards that follows a no ("never mind, just block it"), where there is one."""
        rest = _DENIAL.sub("", text)
        if rest in ("", text) or nearest.action is not None:
            return nearest
        wished = await self._classifier.classify(rest)
        return wished if wished.routes == ("card",) and wished.confidence >= _SURE else nearest

    async def _answer(self, reading: Reading, wish: Wish, nearest: Intent) -> Intent:
        """Return the intent of an answer, with what else the turn wished that began it all."""
        began = reading.question.earlier[:1] if reading.question else ()
        first = await self._classifier.classify(began[0]) if began else None
        person: tuple[Route, ...] = ("handoff",) if first and first.topic == "fraud_in_progress" else ()
        asks: tuple[Route, ...] = ("knowledge",) if reading.kind == "too late" and "knowledge" in nearest.routes else ()
        also = first.also if first and first.also and first.also.operation is not wish.operation else None
        return Intent((*asks, "card", *person), "answer", wish.operation, also=also, decided_by="dialogue")


def _beside_open_question(nearest: Intent, wish: Wish, text: str) -> Intent:
    """Return the intent of a turn that does not answer the open question: it is asked again, after what else is due.

    A new wish about cards takes its place, and so does a caller who wants a person or says goodbye, unless a yes is
    just settling, which these words may have changed.
    """
    sure_of_card = "card" in nearest.routes and (nearest.confidence >= _SURE or _names_another(nearest, wish, text))
    leaves = nearest.routes == ("handoff",) or nearest.topic == "goodbye"
    if sure_of_card or (leaves and wish.state is not WishState.SETTLING):
        return nearest
    understood = nearest.confidence >= _SURE and nearest.routes[0] in ("knowledge", "handoff", "out_of_scope")
    if not understood:
        return Intent(("card",), "answer", wish.operation, nearest.confidence, decided_by="dialogue")
    routes: tuple[Route, ...] = (*(route for route in nearest.routes if route != "card"), "card")
    return Intent(routes, nearest.topic, wish.operation, nearest.confidence, decided_by="dialogue")


def _names_another(nearest: Intent, wish: Wish, text: str) -> bool:
    """Return whether a turn says the verb of an operation that was not the one asked about: "can I just block it?"."""
    verbs = POLICY[nearest.action].verbs if nearest.action else frozenset[str]()
    return nearest.action is not wish.operation and not verbs.isdisjoint(heard_words(text))


def _without_ledger(nearest: Intent, history: list[Turn]) -> Intent:
    """Return the intent where the ledger does not answer: a card turn meets it again, and says so.

    What is not a wish of its own and follows a question about a card goes there too: "okay" to it would be a promise.
    """
    before = next((turn.text for turn in reversed(runs(history)) if turn.role == "assistant"), "")
    last = before.rstrip().removesuffix("?").rpartition("?")[2]
    asked = before.rstrip().endswith("?") and (says_pin(last) or _ASKS_OF_A_CARD.search(last))
    if asked and nearest.routes[0] in ("smalltalk", "out_of_scope") and nearest.topic != "goodbye":
        return Intent(("card",), "answer", Operation.STATUS, decided_by="dialogue")
    return nearest


def _question_first(intent: Intent, text: str) -> Intent:
    """Return the intent of a turn that asks how something goes which only a person can do: answered, then a person."""
    if intent.routes == ("handoff",) and intent.topic in _FOR_A_PERSON and _ASKS_HOW.search(text):
        return replace(intent, routes=("knowledge", "handoff"))
    return intent


def _first_things_first(intent: Intent, phone: str | None) -> Intent:
    """Return the intent of somebody whose card is being misused as a wish to block it, before he goes to a person."""
    if intent.topic != "fraud_in_progress" or phone is None:
        return intent
    return replace(intent, routes=("card", "handoff"), action=Operation.BLOCK)


def _wants_person(intent: Intent, history: list[Turn]) -> Intent:
    """Return the intent of a turn that accepts the offer of a person, which the last assistant turn made."""
    before = next((turn.text for turn in reversed(runs(history)) if turn.role == "assistant"), "")
    offered = "put you through" in before and not before.rstrip().endswith("?")
    if offered and is_yes(turn_text(history)):
        return Intent(("handoff",), "person", decided_by="dialogue")
    return intent


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
