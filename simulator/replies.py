"""What a chat completion's stream says, frame by frame, read as Vapi's client reads it."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from simulator.transport import MAX_REPLY_BYTES, Reply, TransportError

_NO_COMPLETION = "the reply is no chat completion"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the assistant called; `arguments` is JSON in a string."""

    id: str
    name: str
    arguments: str


@dataclass(slots=True)
class Heard:
    """What a stream has said so far."""

    text: str = ""
    tool_calls: list[ToolCall] = field(default_factory=list)
    finish_reason: str | None = None
    model: str = ""
    error: str | None = None

    @property
    def whole(self) -> bool:
        """Whether the stream ended as a good one does."""
        return self.finish_reason is not None and self.error is None

    def take(self, frame: dict[str, Any]) -> str:
        """Take in a frame and return the words in it."""
        if isinstance(error := frame.get("error"), dict):
            self.error = f"the stream ended with an error: {error.get('message')}"
        self.model = str(frame.get("model") or self.model)
        words = ""
        for choice in frame.get("choices") or ():
            delta = choice.get("delta") or {}
            words += delta.get("content") or ""
            for piece in delta.get("tool_calls") or ():
                self._take_call(piece)
            self.finish_reason = choice.get("finish_reason") or self.finish_reason
        self.text += words
        return words

    def _take_call(self, piece: dict[str, Any]) -> None:
        function = piece.get("function") or {}
        if piece.get("id"):
            self.tool_calls.append(ToolCall(piece["id"], function.get("name") or "", function.get("arguments") or ""))
        elif self.tool_calls:
            last = self.tool_calls[-1]
            longer = last.arguments + (function.get("arguments") or "")
            self.tool_calls[-1] = ToolCall(last.id, last.name, longer)


async def frames(reply: Reply) -> AsyncIterator[dict[str, Any]]:
    """Yield the frames of a stream up to `[DONE]`; a reply that is no stream counts as one frame.

    Raises:
        TransportError: it broke off, is too long, or is no chat completion.
    """
    if "text/event-stream" not in reply.headers.get("content-type", ""):
        yield _as_frame(await _whole(reply))
        return
    done = False
    async for line in _lines(reply):  # to its end, as openai's clients do: a stream that is left is a hang-up
        data = line.removeprefix("data:").strip()
        done = done or data == "[DONE]"
        if line.startswith("data:") and not done:
            yield _frame(_json(data))
    if not done:
        raise TransportError("the stream ended without [DONE]")


async def refusal(reply: Reply) -> str:
    """Return what a reply with an error status says."""
    try:
        error = _json((await _whole(reply)).decode(errors="replace")).get("error")
    except TransportError:
        error = None
    message = error.get("message") if isinstance(error, dict) else None
    return f"HTTP {reply.status}" + (f": {message}" if message else "")


async def _lines(reply: Reply) -> AsyncIterator[str]:
    rest, size = b"", 0
    async for chunk in reply.body:
        size += len(chunk)
        if size > MAX_REPLY_BYTES:
            raise TransportError(f"the reply is longer than {MAX_REPLY_BYTES:,} bytes")
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace").strip()


async def _whole(reply: Reply) -> bytes:
    content = b""
    async for chunk in reply.body:
        content += chunk
        if len(content) > MAX_REPLY_BYTES:
            raise TransportError(f"the reply is longer than {MAX_REPLY_BYTES:,} bytes")
    return content


def _json(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise TransportError(_NO_COMPLETION)
    return content


def _frame(content: dict[str, Any]) -> dict[str, Any]:
    """Return what a stream said, if it has the form of a frame: any server may stand behind a URL."""
    deltas = [choice.get("delta") for choice in _dicts(content.get("choices"))]
    for delta in _dicts([delta or {} for delta in deltas]):
        functions = _dicts([call.get("function") or {} for call in _dicts(delta.get("tool_calls"))])
        texts = [delta.get("content"), *(one.get(name) for one in functions for name in ("name", "arguments"))]
        if not all(text is None or isinstance(text, str) for text in texts):
            raise TransportError(_NO_COMPLETION)
    return content


def _dicts(listed: object) -> list[dict[str, Any]]:
    if listed is None:
        return []
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise TransportError(_NO_COMPLETION)
    return listed


def _as_frame(body: bytes) -> dict[str, Any]:
    """Return a whole reply in the form of a frame."""
    content = _json(body.decode(errors="replace"))
    choices = _dicts(content.get("choices"))
    if not choices and "error" not in content:
        raise TransportError(_NO_COMPLETION)
    return _frame({**content, "choices": [{**choice, "delta": choice.get("message")} for choice in choices]})
