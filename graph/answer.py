"""The answer of a turn while it is spoken."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from langchain_core.messages import AIMessage, AIMessageChunk
from langgraph.graph.message import push_message

from graph.events import Citation, Finish, FinishReason, Speaking, ToolCallDelta, TurnEvent
from graph.sources import sources
from teller.knowledge.index import Passage


@dataclass(slots=True)
class Answer:
    """Every piece goes to the doors at once, and to Studio as part of one message; `message` is the whole.

    `places` counts tool calls: by the number that the model gives a call, which counts its texts too, the call's own.
    """

    write: Callable[[TurnEvent], None]
    run_id: UUID
    model: str
    pieces: list[str] = field(default_factory=list)
    calls: list[ToolCallDelta] = field(default_factory=list)
    places: dict[int | str | None, int] = field(default_factory=dict)
    reason: FinishReason = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    quoted: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()

    @property
    def message_id(self) -> str:
        """The id that LangGraph gives to the stream of this run, so that Studio shows one message."""
        return f"lc_run--{self.run_id}"

    @property
    def length(self) -> int:
        """How many characters were said."""
        return sum(map(len, self.pieces))

    @property
    def begun(self) -> bool:
        """Whether anything was said or called."""
        return bool(self.pieces or self.calls)

    def say(self, sentence: str) -> None:
        """Say a rendered sentence, after a space where something was said before."""
        if not sentence:
            return
        text = f" {sentence}" if self.pieces else sentence
        push_message(AIMessageChunk(content=text, id=self.message_id), state_key=None)
        self.hear(text)

    def hear(self, text: str) -> None:
        """Pass on a piece of text as it is."""
        self._begin()
        self.pieces.append(text)
        self.write(text)

    def call(self, delta: ToolCallDelta) -> None:
        """Pass on a piece of a call of the client's tool."""
        self._begin()
        self.calls.append(delta)
        self.reason = "tool_calls"
        self.write(delta)

    def take_in(self, chunk: AIMessageChunk) -> None:
        """Take in what a model's chunk holds besides text: calls of tools, tokens, and why the model stopped."""
        for call in chunk.tool_call_chunks:
            place = self.places.setdefault(call["index"], len(self.places))
            self.call(ToolCallDelta(place, call["id"], call["name"], call["args"] or ""))
        if usage := chunk.usage_metadata:
            self.prompt_tokens += usage["input_tokens"]
            self.completion_tokens += usage["output_tokens"]
            self.cached_tokens += usage.get("input_token_details", {}).get("cache_read", 0)
        self.quoted = tuple(chunk.response_metadata.get("quoted", self.quoted))
        if (reason := chunk.response_metadata.get("finish_reason")) in ("length", "content_filter"):
            self.reason = reason

    def cite(self, passages: Sequence[Passage], start: int) -> None:
        """Say which documents the answer rests on, from its character `start`: those quoted, where the model tells."""
        quoted = [passage for passage in passages if passage.filename in self.quoted]
        used = quoted or sources("".join(self.pieces)[start:], passages)
        titles = {passage.document_id: passage.title for passage in used}
        self.citations = tuple(Citation(document, title, start, self.length) for document, title in titles.items())

    def finish(self) -> None:
        """End the answer."""
        self._begin()
        self.write(
            Finish(
                self.reason, self.model, self.prompt_tokens, self.completion_tokens, self.cached_tokens, self.citations
            )
        )

    def message(self) -> AIMessage:
        """Return the whole answer as a message."""
        chunks = [
            {"index": call.index, "id": call.id, "name": call.name, "args": call.arguments} for call in self.calls
        ]
        whole = AIMessageChunk(content="")
        for chunk in chunks:
            whole += AIMessageChunk(content="", tool_call_chunks=[chunk])
        return AIMessage("".join(self.pieces), id=self.message_id, tool_calls=whole.tool_calls)

    def _begin(self) -> None:
        if not self.begun:
            self.write(Speaking(self.model))
