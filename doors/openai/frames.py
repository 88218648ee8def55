"""The frames of a streamed reply, put together from parts that are encoded once."""

import json
from time import time
from uuid import uuid4

from doors.errors import ErrorBody
from doors.openai.reply import Annotation, Usage
from graph.events import ToolCallDelta

DONE = b"data: [DONE]\n\n"


class Frames:
    """Makes the frames of one reply: they share id, time and model, and every one has a `choices` array."""

    def __init__(self, model: str, *, include_usage: bool) -> None:
        head = {"id": new_id(), "object": "chat.completion.chunk", "created": int(time()), "model": model}
        self._head = _compact(head)[:-1]
        self._tail = ',"usage":null}\n\n' if include_usage else "}\n\n"

    def role(self) -> bytes:
        """Return the first frame."""
        return self._frame({"role": "assistant", "content": ""})

    def text(self, text: str) -> bytes:
        """Return a frame with a piece of the answer."""
        delta = f'{{"index":0,"delta":{{"content":{json.dumps(text, ensure_ascii=False)}}},"finish_reason":null}}'
        return f'data: {self._head},"choices":[{delta}]{self._tail}'.encode()

    def tool_call(self, delta: ToolCallDelta) -> bytes:
        """Return a frame with a piece of a tool call; its first one carries id and name."""
        call: dict[str, object] = {"index": delta.index, "function": {"arguments": delta.arguments}}
        if delta.id:
            function = {"name": delta.name, "arguments": delta.arguments}
            call = {"index": delta.index, "id": delta.id, "type": "function", "function": function}
        return self._frame({"tool_calls": [call]})

    def annotations(self, annotations: list[Annotation]) -> bytes:
        """Return the frame with the citations, the last before the end."""
        return self._frame({"annotations": [annotation.model_dump() for annotation in annotations]})

    def finish(self, reason: str) -> bytes:
        """Return the last frame with a choice in it."""
        return self._frame({}, reason)

    def failure(self, error: ErrorBody) -> bytes:
        """Return the frame on which clients raise: they take a stream that just ends for a whole answer."""
        choices = _compact([{"index": 0, "delta": {}, "finish_reason": "error"}])
        return f'data: {self._head},"choices":{choices},"error":{error.model_dump_json()}{self._tail}'.encode()

    def usage(self, usage: Usage) -> bytes:
        """Return the frame behind the last, where usage was asked for."""
        return f'data: {self._head},"choices":[],"usage":{usage.model_dump_json()}}}\n\n'.encode()

    def _frame(self, delta: dict[str, object], finish_reason: str | None = None) -> bytes:
        choices = _compact([{"index": 0, "delta": delta, "finish_reason": finish_reason}])
        return f'data: {self._head},"choices":{choices}{self._tail}'.encode()


def new_id() -> str:
    """Return a new reply's id."""
    return f"chatcmpl-{uuid4().hex}"


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
