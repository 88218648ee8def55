"""generate: what the caller hears. The card's sentence first, then knowledge or a fixed line, a question last."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import structlog
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph.message import push_message
from langgraph.runtime import Runtime

from graph.card_sentences import told
from graph.events import Finish, FinishReason, Speaking
from graph.history import user_turns
from graph.lines import has_line, line
from graph.options import DEFAULT_OPTIONS, Channel, TurnOptions
from graph.prompting import knowledge_prompt
from graph.state import Intent, Retrieval, TellerState, TurnUpdate
from graph.text_filter import TextFilter
from teller.errors import LedgerUnavailableError, ModelUnavailableError, SearchUnavailableError
from teller.knowledge.index import Passage
from teller.services import Services

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Answer:
    """The answer while it is spoken: every piece goes to the doors at once, and to Studio as part of one message."""

    write: Callable[[object], None]
    run_id: UUID
    model: str
    pieces: list[str] = field(default_factory=list)
    reason: FinishReason = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    passages: tuple[Passage, ...] = ()

    @property
    def message_id(self) -> str:
        """The id that LangGraph gives to the stream of this run, so that Studio shows one message."""
        return f"lc_run--{self.run_id}"

    def say(self, sentence: str) -> None:
        """Say a rendered sentence, after a space where something was said before."""
        if not sentence:
            return
        text = f" {sentence}" if self.pieces else sentence
        push_message(AIMessageChunk(content=text, id=self.message_id), state_key=None)
        self.hear(text)

    def hear(self, text: str) -> None:
        """Pass on a piece of text as it is."""
        if not self.pieces:
            self.write(Speaking(self.model))
        self.pieces.append(text)
        self.write(text)

    def count(self, chunk: AIMessageChunk) -> None:
        """Take in what a chunk tells besides text: tokens, and why the model stopped."""
        if chunk.usage_metadata:
            self.prompt_tokens += chunk.usage_metadata["input_tokens"]
            self.completion_tokens += chunk.usage_metadata["output_tokens"]
        if chunk.response_metadata.get("finish_reason") == "length":
            self.reason = "length"

    def finished(self) -> Finish:
        """Return the event that ends the answer."""
        if not self.pieces:
            self.write(Speaking(self.model))
        return Finish(self.reason, self.model, self.prompt_tokens, self.completion_tokens, self.passages)


class Generate:
    """The node. It runs once, after both branches."""

    def __init__(self, services: Services) -> None:
        self._models = services.models
        self._timeout = services.settings.model_timeout_seconds

    async def __call__(self, state: TellerState, *, runtime: Runtime[TurnOptions]) -> TurnUpdate:
        """Say the answer piece by piece, and return it whole.

        Raises:
            LedgerUnavailableError, SearchUnavailableError, ModelUnavailableError: nothing could be said (chat only; on
                voice a failure is spoken).
        """
        options = runtime.context or DEFAULT_OPTIONS
        name, model = self._models.choose(options.model)
        answer = Answer(runtime.stream_writer, uuid4(), name)
        turn = len(user_turns(state["messages"])) - 1
        outcome, intent = state.get("card"), state["intent"]
        _nothing_to_say(state, options)
        if outcome:
            answer.say(told(outcome, options.channel))
        if "knowledge" in intent.routes:
            await self._knowledge(state, options, model, answer, turn)
        answer.say(_fixed_line(intent, turn))
        if outcome and outcome.question:
            answer.say(outcome.question.text)
        runtime.stream_writer(answer.finished())
        return {"messages": [AIMessage("".join(answer.pieces), id=answer.message_id)]}

    async def _knowledge(
        self, state: TellerState, options: TurnOptions, model: BaseChatModel, answer: Answer, turn: int
    ) -> None:
        retrieval = state.get("retrieval") or Retrieval("")
        if retrieval.failed or not retrieval.passages:
            answer.say(line("search_failed" if retrieval.failed else "not_in_documents", turn))
            return
        prompt = knowledge_prompt(state["messages"], state["intent"].question, retrieval.passages, options.channel)
        said_before = len(answer.pieces)
        try:
            await self._speak(_answering(model, prompt, answer.run_id, options), answer, options.channel)
        except (ModelUnavailableError, TimeoutError) as failure:
            _log.error("model failed", error=type(failure).__name__)
            only_a_card_was_told = 0 < said_before == len(answer.pieces)
            if options.channel == "chat" and not only_a_card_was_told:
                raise ModelUnavailableError("The model did not answer. Please try again.") from failure
            answer.say(line("model_failed", turn))
            return
        if len(answer.pieces) == said_before:
            answer.say(line("not_in_documents", turn))
        else:
            answer.passages = retrieval.passages

    async def _speak(self, chunks: AsyncIterator[AIMessageChunk], answer: Answer, channel: Channel) -> None:
        """Pass on a model's tokens as they are made, filtered; only the first is waited for with a limit."""
        text_filter = TextFilter(channel)
        gap = " " if answer.pieces else ""
        async with asyncio.timeout(self._timeout) as limit:
            async for chunk in chunks:
                limit.reschedule(None)
                if text := text_filter.feed(chunk.text):
                    answer.hear(gap + text)
                    gap = ""
                answer.count(chunk)
        if text := text_filter.end():
            answer.hear(gap + text)


def _nothing_to_say(state: TellerState, options: TurnOptions) -> None:
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


def _fixed_line(intent: Intent, turn: int) -> str:
    """Return the line for a turn that needs neither documents nor a card; empty for one that does."""
    route = intent.routes[0]
    if route in ("knowledge", "card"):
        return ""
    return line(intent.topic if route == "smalltalk" and has_line(intent.topic) else route, turn)


def _answering(
    model: BaseChatModel, prompt: list[BaseMessage], run_id: UUID, options: TurnOptions
) -> AsyncIterator[AIMessageChunk]:
    """Return the model's answer as it is made, under the run id that names the answer's message."""
    bounds: dict[str, Any] = {"temperature": options.temperature, "max_tokens": options.max_tokens}
    if options.top_p is not None:
        bounds["top_p"] = options.top_p
    return model.astream(prompt, RunnableConfig(run_id=run_id), stop=list(options.stop) or None, **bounds)
