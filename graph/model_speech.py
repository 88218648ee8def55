"""A model's part of an answer: its tokens as they are made, filtered, and its calls of the client's tools."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal

import structlog
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig

from graph.answer import Answer
from graph.client_tools import ClientTools
from graph.lines import line
from graph.options import TurnOptions
from graph.text_filter import TextFilter
from teller.errors import ModelTimeoutError, ModelUnavailableError, UpstreamAuthError
from teller.models.registry import ChatModels, NamedModel

Spoken = Literal["answer", "line", "nothing"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ModelSpeech:
    """The model of a turn, with the client's tools, speaking into one answer.

    Only the first token is waited for with a limit, `patience` in seconds; after it the model's own limits hold.
    """

    models: ChatModels
    tools: ClientTools
    options: TurnOptions
    answer: Answer
    patience: float

    @property
    def may_call_tools(self) -> bool:
        """Whether there are tools for a model to call, and the model of the turn can."""
        return bool(self.tools.others) and self.models.choose(self.options.model).calls_tools

    async def speak(self, prompt: list[BaseMessage]) -> Spoken:
        """Let the model answer; return whether it did, or a line was said in its place, or nothing was said.

        Raises:
            ModelUnavailableError: it failed, in chat, and was all there was to say; on voice, or after a card's
                sentence, a failure is spoken.
            ModelRequestError: the model does not take what the caller asks.
        """
        said_before = len(self.answer.pieces)
        try:
            await self._first_that_answers(prompt)
        except ModelUnavailableError:
            only_a_card_was_told = 0 < said_before == len(self.answer.pieces)
            if self.options.channel == "chat" and not only_a_card_was_told:
                raise
            self.answer.say(line("model_failed"))
            return "line"
        if len(self.answer.pieces) > said_before:
            return "answer"
        if self.answer.reason == "content_filter":
            self.answer.say(line("filtered"))
            return "line"
        return "nothing"

    async def _first_that_answers(self, prompt: list[BaseMessage]) -> None:
        """Let the chosen model speak, and the fallback where it fails before its first token.

        Raises:
            ModelUnavailableError: the last that was tried failed, or one did while it spoke.
        """
        *others, last = self.models.in_turn(self.options.model)
        for model in (*others, last):
            heard = len(self.answer.pieces) + len(self.answer.calls)
            try:
                await self._stream(model, prompt)
            except ModelUnavailableError as failure:
                self._note(model, failure)
                if model is last or len(self.answer.pieces) + len(self.answer.calls) > heard:
                    raise
            else:
                self.models.note(model, None)
                return

    def _note(self, model: NamedModel, failure: ModelUnavailableError) -> None:
        self.models.note(model, failure)
        alert = isinstance(failure, UpstreamAuthError)  # nobody but whoever runs this can mend it
        (_log.critical if alert else _log.error)("model failed", model=model.name, error=type(failure).__name__)

    async def _stream(self, model: NamedModel, prompt: list[BaseMessage]) -> None:
        text_filter = TextFilter(self.options.channel)
        gap = " " if self.answer.pieces else ""
        self.answer.model = model.name
        try:
            async with asyncio.timeout(self.patience) as limit:
                async for chunk in self._chunks(model, prompt):
                    limit.reschedule(None)
                    if text := text_filter.feed(chunk.text):
                        self.answer.hear(gap + text)
                        gap = ""
                    self.answer.take_in(chunk)
        except TimeoutError as silence:
            raise ModelTimeoutError("The model gave no first token in time. Please try again.") from silence
        if text := text_filter.end():
            self.answer.hear(gap + text)

    def _chunks(self, model: NamedModel, prompt: list[BaseMessage]) -> AsyncIterator[AIMessageChunk]:
        """Return the model's chunks, under the run id that names the answer's message."""
        bounds: dict[str, Any] = {"temperature": self.options.temperature, "max_tokens": self.options.max_tokens}
        if self.options.top_p is not None:
            bounds["top_p"] = self.options.top_p
        speaker: Runnable[Any, Any] = model.model
        if self.tools.others and model.calls_tools:
            speaker = model.model.bind_tools(self.tools.others, tool_choice=_named(self.options.tool_choice))
        config = RunnableConfig(run_id=self.answer.run_id)
        return speaker.astream(prompt, config, stop=list(self.options.stop) or None, **bounds)


def _named(tool_choice: str | dict[str, Any] | None) -> str | None:
    """Return a tool choice in LangChain's form: a named tool by its name alone."""
    match tool_choice:
        case {"function": {"name": str(name)}}:
            return name
        case str(choice):
            return choice
        case _:
            return None
