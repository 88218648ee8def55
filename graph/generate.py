"""generate: what the caller hears. The card's sentence first, then knowledge or a fixed line, a question last."""

from uuid import uuid4

from langgraph.runtime import Runtime

from graph.answer import Answer
from graph.card_sentences import fraud_first, sorry, told
from graph.client_tools import sort_tools
from graph.history import spoken_turns, user_turns
from graph.intent_rules import BESIDE_A_QUESTION
from graph.lines import failed_before, has_line, line
from graph.model_speech import ModelSpeech
from graph.options import DEFAULT_OPTIONS, TurnOptions
from graph.prompting import conversation_prompt, knowledge_prompt
from graph.state import CardOutcome, Intent, Retrieval, TellerState, TurnUpdate
from teller.errors import LedgerUnavailableError, SearchUnavailableError
from teller.services import Services

_MISFORTUNES = ("report_lost", "declined")


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
        if call := tools.call_for(intent, outcome, state.get("retrieval")):
            answer.call(call)
        else:
            outcomes = [] if _waits(intent, outcome) else _in_turn(outcome)
            if outcomes and intent.topic == "fraud_in_progress" and outcomes[-1].question:
                answer.say(fraud_first(options.channel))
            elif _is_news_of_misfortune(state, outcomes, options):
                answer.say(sorry(options.channel))
            for one in outcomes:
                answer.say(told(one, options.channel))
            await _speak(state, ModelSpeech(self._models, tools, options, answer, self._patience))
            if outcomes and (question := outcomes[-1].question):
                answer.say(question.text)
        answer.finish()
        return {"messages": [answer.message()]}


def _is_news_of_misfortune(state: TellerState, outcomes: list[CardOutcome], options: TurnOptions) -> bool:
    """Return whether this is the turn in which a caller first says that a card is lost, stolen or was refused."""
    asked = bool(outcomes) and outcomes[0].kind in ("question", "one_by_one")
    said = any(sorry(options.channel) in turn.text for turn in spoken_turns(state["messages"]))
    return asked and state["intent"].topic in _MISFORTUNES and not said


def _waits(intent: Intent, outcome: CardOutcome | None) -> bool:
    """Return whether that the caller can't be seen is told only if the documents do not answer."""
    return outcome is not None and outcome.kind == "no_number" and intent.otherwise == "card"


def _in_turn(outcome: CardOutcome | None) -> list[CardOutcome]:
    """Return an outcome and those that follow it."""
    return [outcome, *_in_turn(outcome.then)] if outcome else []


async def _speak(state: TellerState, speech: ModelSpeech) -> None:
    """Say what is neither the card's sentence nor its question: knowledge, the model's own turn, or fixed lines."""
    intent, turn = state["intent"], len(user_turns(state["messages"])) - 1
    if "knowledge" in intent.routes:
        await _speak_of_documents(state, speech, turn)
    elif speech.may_call_tools and (speech.tools.demanded or _may_be_the_models(intent)):
        await speech.speak(conversation_prompt(state["messages"], speech.options.channel))
    elif not {"card", "handoff"} & set(intent.routes):
        speech.answer.say(_fixed_line(intent, turn))
    elif "smalltalk" in intent.routes:
        speech.answer.say(line(BESIDE_A_QUESTION[intent.topic], turn))
    outcomes = _in_turn(state.get("card"))
    if "handoff" in intent.routes and not (outcomes and outcomes[-1].question):
        speech.answer.say(line(intent.topic if has_line(intent.topic) else "handoff", turn))


async def _speak_of_documents(state: TellerState, speech: ModelSpeech, turn: int) -> None:
    retrieval = state.get("retrieval") or Retrieval("")
    if retrieval.failed or not retrieval.passages:
        _say_that_it_fails("search_failed" if retrieval.failed else "not_in_documents", state, speech, turn)
        return
    question = state["intent"].question
    prompt = knowledge_prompt(state["messages"], question, retrieval.passages, speech.options.channel)
    start = speech.answer.length
    spoken = await speech.speak(prompt)
    if spoken == "answer":
        speech.answer.cite(retrieval.passages, start)
    elif spoken == "nothing" and not speech.answer.calls:
        _say_that_it_fails("not_in_documents", state, speech, turn)


def _say_that_it_fails(name: str, state: TellerState, speech: ModelSpeech, turn: int) -> None:
    """Say that a question can't be answered; the second time in a row it goes to a person, at once where it can.

    So does one that may as well have been for a person. Where no caller is known, the card's sentence says enough.
    """
    intent, outcome = state["intent"], state.get("card")
    if outcome and _waits(intent, outcome):
        speech.answer.say(told(outcome, speech.options.channel))
    if intent.otherwise == "card" or "handoff" in intent.routes or (outcome and outcome.kind == "no_number"):
        return
    for_a_person = intent.otherwise == "handoff" or failed_before(spoken_turns(state["messages"]))
    if for_a_person and speech.tools.transfer and not speech.answer.begun:
        speech.answer.call(speech.tools.transfer)
    else:
        speech.answer.say(line("handoff" if for_a_person else _instead(intent) or name, turn))


def _instead(intent: Intent) -> str | None:
    """Return the line that is told where the documents do not answer what may as well have been no question."""
    return intent.topic if intent.otherwise == "smalltalk" and has_line(intent.topic) else intent.otherwise


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
    """Return the line for a turn that needs neither documents, nor a card, nor a person."""
    route = intent.routes[0]
    return line(intent.topic if route == "smalltalk" and has_line(intent.topic) else route, turn)
