"""What nodes say while they work, in LangGraph's custom stream; every door reads the same events.

A piece of the answer is a plain `str`, for speed; the rest are the records below.
"""

from dataclasses import dataclass
from typing import Literal

FinishReason = Literal["stop", "length", "content_filter", "tool_calls"]


@dataclass(frozen=True, slots=True)
class Progress:
    """A node has finished: its name, the milliseconds it took, and after classify the routes of the turn."""

    node: str
    milliseconds: float
    routes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Speaking:
    """The first piece of the answer follows; `model` is the one that words what is not rendered."""

    model: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a call of the client's tool: the first one has id and name; the pieces of `arguments` make up JSON."""

    index: int
    id: str | None
    name: str | None
    arguments: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A document that an answer rests on, and the part of the answer that does, by its characters."""

    document_id: str
    title: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of an answer. `model` is the one that really answered; tokens are 0 where none did.

    Tokens are of all model calls of the turn; `cached_tokens` are those of the prompt that came from a cache.
    """

    reason: FinishReason
    model: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    citations: tuple[Citation, ...] = ()


TurnEvent = str | Progress | Speaking | ToolCallDelta | Finish
