"""generate: what the caller hears. The card's sentence first, then knowledge or a fixed line, a question last."""

from uuid import uuid4

from langgraph.runtime import Runtime

from graph.answer import Answer
from graph.card_sentences import told
from graph.client_tools import sort_tools
from graph.history import user_turns
from graph.lines import has_line, line
from graph.model_speech import ModelSpeech
from graph.options import DEFAULT_OPTIONS, TurnOptions
from graph.prompting import conversation_prompt, knowledge_prompt
from graph.state import Intent, Retrieval, TellerState, TurnUpdate
from teller.errors import LedgerUnavailableError, SearchUnavailableError
from teller.services import Services


class Generate:
    """The node. It runs once, after both branches."""

    def __init__(self, services: Services) -> None:
        self._models = services.models
        self._patience = services.settings.model_timeout_seconds

    async def __call__(self, state: TellerState, *, runtime: Runtime[TurnOptions]) -> TurnUpdate:
        """Say the answer piece by piece, and return it whole.

        Raises:
            LedgerUnavailableError, SearchUnavailableError, ModelUnavailableError: nothing could be said (chat only; on
                voice a failure is spoken).
        """
        options = runtime.context or DEFAULT_OPTIONS
        outcome, intent = state.get("card"), state["intent"]
        _raise_if_nothing_can_be_said(state, options)
        tools = sort_tools(options.tools, options.tool_choice)
        answer = Answer(runtime.stream_writer, uuid4(), self._models.choose(options.model).name)
        if call := tools.call_for(intent, outcome):
            answer.call(call)
        else:
            if outcome:
                answer.say(told(outcome, options.channel))
            await _speak(state, ModelSpeech(self._models, tools, options, answer, self._patience))
            if outcome and outcome.question:
                answer.say(outcome.question.text)
        answer.finish()
        return {"messages": [answer.message()]}


async def _speak(state: TellerState, speech: ModelSpeech) -> None:
    """Say what is neither the card's sentence nor its question: knowledge, the model's own turn, or a fixed line."""
    intent, turn = state["intent"], len(user_turns(state["messages"])) - 1
    if "knowledge" in intent.routes:
        await _speak_of_documents(state, speech, turn)
    elif speech.may_call_tools and (speech.tools.demanded or _may_be_the_models(intent)):
        await speech.speak(conversation_prompt(state["messages"], speech.options.channel))
    else:
        speech.answer.say(_fixed_line(intent, turn))


async def _speak_of_documents(state: TellerState, speech: ModelSpeech, turn: int) -> None:
    retrieval = state.get("retrieval") or Retrieval("")
    if retrieval.failed:
        speech.answer.say(line("search_failed", turn))
        return
    if not retrieval.passages:
        _say_unanswered(state, speech, turn)
        return
    question = state["intent"].question
    prompt = knowledge_prompt(state["messages"], question, retrieval.passages, speech.options.channel)
    start = speech.answer.length
    if await speech.speak(prompt):
        speech.answer.cite(retrieval.passages, start)
    elif not speech.answer.calls:
        _say_unanswered(state, speech, turn)


def _say_unanswered(state: TellerState, speech: ModelSpeech, turn: int) -> None:
    """Say that the documents do not answer; where no caller is known, the card's sentence has said enough."""
    outcome = state.get("card")
    if outcome is None or outcome.kind != "no_number":
        speech.answer.say(line(state["intent"].otherwise or "not_in_documents", turn))


def _raise_if_nothing_can_be_said(state: TellerState, options: TurnOptions) -> None:
    """Raise where, in chat, a part that failed is all there was to the turn: a client can then try again."""
    outcome, retrieval = state.get("card"), state.get("retrieval")
    if options.channel == "voice":
        return
    ledger_failed = outcome is not None and outcome.kind == "unavailable"
    search_failed = retrieval is not None and retrieval.failed
    if ledger_failed and retrieval is None:
        raise LedgerUnavailableError("The card system does not answer; nothing was changed. Please try again.")
    if search_failed and (outcome is None or ledger_failed):
        raise SearchUnavailableError("The document search does not answer. Please try again.")


def _may_be_the_models(intent: Intent) -> bool:
    """Return whether a turn is the model's to answer where it may call the client's tools."""
    return intent.topic == "tool_done" or (
        intent.decided_by == "utterances" and intent.routes[0] in ("smalltalk", "out_of_scope")
    )


def _fixed_line(intent: Intent, turn: int) -> str:
    """Return the line for a turn that needs neither documents nor a card; empty for one that does."""
    route = intent.routes[0]
    if route in ("knowledge", "card"):
        return ""
    return line(intent.topic if route == "smalltalk" and has_line(intent.topic) else route, turn)
