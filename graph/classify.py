"""classify: what does this turn wish? First the open card question, then the nearest examples; no network."""

from dataclasses import replace

from langchain_core.messages import AIMessage, AnyMessage, FunctionMessage, ToolMessage
from langgraph.runtime import Runtime

from graph.history import earlier_turns, resolved_caller, spoken_turns, turn_text
from graph.intents import IntentClassifier
from graph.options import TurnOptions
from graph.state import Intent, TellerState, TurnUpdate
from teller.caller import conversation_of
from teller.cards.dialogue import Turn, heard_question, read_answer
from teller.errors import LedgerUnavailableError
from teller.knowledge.question import is_question
from teller.services import Services

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
        if intent is None:
            intent = await self._intent(history, caller.phone, conversation)
        return {"caller": caller, "conversation": conversation, "intent": intent}

    async def _intent(self, history: list[Turn], phone: str | None, conversation: str | None) -> Intent:
        turn = turn_text(history)
        nearest = await self._classifier.classify(turn, earlier_turns(history))
        if (
            phone is None
            and nearest.routes == ("card",)
            and nearest.asks >= _MAY_ASK
            and is_question(turn_text(history))
        ):
            return replace(nearest, routes=("knowledge", "card"))  # no card can be told of: the documents may know
        if phone is None or conversation is None or all(turn.role == "user" for turn in history):
            return nearest
        return await self._with_open_question(nearest, history, phone, conversation)

    async def _with_open_question(self, nearest: Intent, history: list[Turn], phone: str, conversation: str) -> Intent:
        """Return the intent of a turn in a conversation that may have an open card question."""
        try:
            view = await self._ledger.view(phone, conversation)
        except LedgerUnavailableError:
            return nearest  # a card turn will meet it again, and say so; the others do not need the ledger
        heard = heard_question(view.wishes, history)
        cards = view.holder.cards if view.holder else ()
        if heard and read_answer(heard, cards) != "other":
            return Intent(("card",), "answer", heard.wish.operation, decided_by="dialogue")
        wish = view.open_wish
        if wish is None or "card" in nearest.routes:
            return nearest
        if nearest.routes == ("smalltalk",):
            return Intent(("card",), "answer", wish.operation, nearest.confidence, decided_by="dialogue")
        return Intent(
            (*nearest.routes, "card"), nearest.topic, wish.operation, nearest.confidence, decided_by="dialogue"
        )


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
