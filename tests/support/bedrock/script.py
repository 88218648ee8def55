"""What a test may script: behaviours for the next requests, one or more requests each.

`POST /script` takes one behaviour or a list, in JSON; they join a queue. A request takes the first behaviour in the
queue that is meant for it, and is answered by the usual rules where that says nothing. A request whose credentials are
refused by themselves takes none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from tests.support.bedrock.answers import Answer, ToolCall, new_tool_use_id, usual_answer
from tests.support.bedrock.faults import ERRORS, MID_STREAM

Operation = Literal["converse", "converse-stream", "invoke"]
StopReason = Literal[
    "end_turn",
    "tool_use",
    "max_tokens",
    "stop_sequence",
    "guardrail_intervened",
    "content_filtered",
    "malformed_model_output",
    "malformed_tool_use",
    "model_context_window_exceeded",
]
UsageField = Literal["inputTokens", "outputTokens", "totalTokens", "cacheReadInputTokens", "cacheWriteInputTokens"]
Count = Annotated[int, Field(ge=0)]
Several = Annotated[int, Field(ge=1)]
Milliseconds = Annotated[float, Field(ge=0)]

_ADDRESS = {"model", "operation", "access_key", "times"}
_ENDINGS = ("exception_mid_stream", "cut", "stall_before_first", "stall_after", "corrupt_after")
_INSTEAD = ("fault", "status", "reject_credentials")
_SPLITTING = ("split", "every", "chunks")


class ScriptError(ValueError):
    """A script that makes no sense, and why."""


class Strict(BaseModel):
    """A part of a script: unknown fields and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ScriptedCall(Strict):
    """A tool call; without an id it gets a new one."""

    name: str
    input: dict[str, Any] = {}
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How an answer ends, and after how many deltas; None: before any."""

    how: Literal["whole", "stall", "exception", "reset", "close", "clean_end"]
    after: int | None


class Behaviour(Strict):
    """How requests are answered."""

    # Which requests
    model: str | None = Field(None, description="Only requests that name the model so; without: any.")
    operation: Operation | None = Field(None, description="Only requests of this operation; without: any.")
    access_key: str | None = Field(None, description="Only requests signed with this access key id; without: any.")
    times: Several | Literal["forever"] = Field(1, description="For how many requests.")

    # Instead of an answer
    fault: str | None = Field(None, description="An error by name, with its HTTP code.")
    message: str | None = Field(None, description="Other words for the fault or the exception mid-stream.")
    status: int | None = Field(None, ge=400, le=599, description="A bare HTTP error, as a proxy gives; see `body`.")
    body: str = Field("", description="The body of a bare HTTP error.")
    reject_credentials: bool = Field(False, description="The credentials are not known, whatever their scheme.")

    # The answer
    text: str | None = Field(None, description="What the model says, as it is: no limit cuts it.")
    reasoning: str | None = Field(None, description="A reasoningContent block before the text.")
    tool_calls: list[ScriptedCall] | None = Field(None, description="Tools that it calls, after the text if any.")
    stop_reason: StopReason | None = Field(None, description="Why it stopped; without: end_turn or tool_use.")
    usage: dict[UsageField, Count] | None = Field(None, description="Fields of the usage, over the counted ones.")

    # The frames and their pace
    split: list[str] | None = Field(None, description="The text in exactly these frames.")
    every: Several | None = Field(None, description="Text and tool input in frames of so many characters.")
    chunks: Several | None = Field(None, description="The text in so many frames; without `text`: so many words.")
    first_token_ms: Milliseconds = Field(0, description="Time before anything is sent, the HTTP head included.")
    chunk_ms: Milliseconds = Field(0, description="Time from one delta to the next.")

    # How it breaks off
    exception_mid_stream: str | None = Field(None, description="An exception frame by name; streams only.")
    cut: Literal["reset", "close", "clean_end"] | None = Field(
        None, description="A TCP reset; a close in the middle; or a stream's proper end, but without messageStop."
    )
    half_frame: bool = Field(False, description="With a reset or a close: half of the next frame is sent before it.")
    after: Count | None = Field(None, description="Deltas before the exception or the cut; without: it comes first.")
    stall_before_first: bool = Field(False, description="Nothing is ever sent.")
    stall_after: Count | None = Field(None, description="Nothing is sent after so many deltas.")
    corrupt_after: Count | None = Field(None, description="The next frame after so many deltas has a wrong CRC.")

    @model_validator(mode="after")
    def _known(self) -> Self:
        for field, names in (("fault", ERRORS), ("exception_mid_stream", MID_STREAM)):
            name = getattr(self, field)
            if name is not None and name not in names:
                raise ValueError(f"{field}: there is no {name}; there are {', '.join(sorted(names))}")
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        said = self.model_fields_set - _ADDRESS
        instead, endings = said.intersection(_INSTEAD), said.intersection(_ENDINGS)
        if len(instead) > 1 or (instead and said - instead - {"message", "body", "first_token_ms"}):
            raise ValueError(f"{' and '.join(sorted(instead))}: goes with nothing but message, body, first_token_ms")
        if len(endings) > 1:
            raise ValueError(f"{' and '.join(sorted(endings))}: an answer breaks off in one way")
        if len(said.intersection(_SPLITTING)) > 1:
            raise ValueError("split, every and chunks: give one of them")
        if self.split is not None and self.text not in (None, "".join(self.split)):
            raise ValueError("split: its parts together are not the text")
        self._need("message", "fault", "exception_mid_stream")
        self._need("body", "status")
        self._need("after", "exception_mid_stream", "cut")
        self._need("half_frame", "cut")
        self._need("half_frame", "after")
        if self.half_frame and self.cut == "clean_end":
            raise ValueError("half_frame: a clean end has none")
        return self

    def _need(self, field: str, *others: str) -> None:
        if field in self.model_fields_set and not self.model_fields_set.intersection(others):
            raise ValueError(f"{field}: needs {' or '.join(others)}")

    def is_for(self, model: str, operation: str, access_key: str | None) -> bool:
        """Return whether a request is meant."""
        return (
            self.model in (None, model)
            and self.operation in (None, operation)
            and self.access_key in (None, access_key)
            and (operation == "converse-stream" or not self._for_streams_alone())
        )

    @property
    def refuses(self) -> bool:
        """Whether there is an error instead of an answer."""
        return bool(self.fault or self.status or self.reject_credentials)

    @property
    def ending(self) -> Ending:
        """How the answer ends."""
        if self.stall_before_first:
            return Ending("stall", None)
        if self.stall_after is not None:
            return Ending("stall", self.stall_after)
        if self.exception_mid_stream:
            return Ending("exception", self.after)
        return Ending(self.cut or "whole", self.after)

    def answer(self, request: Mapping[str, Any]) -> Answer:
        """Return what the model says: what is scripted, else by its rules."""
        text, calls = self._scripted_text(), self.tool_calls
        if text is None and calls is None:
            whole = usual_answer(request)
        else:
            made = tuple(ToolCall(call.name, call.input, call.id or new_tool_use_id()) for call in calls or ())
            whole = Answer(text or "", made, stop_reason="tool_use" if made else "end_turn")
        return replace(
            whole, reasoning=self.reasoning or whole.reasoning, stop_reason=self.stop_reason or whole.stop_reason
        )

    def _for_streams_alone(self) -> bool:
        return bool(self.exception_mid_stream or self.cut == "clean_end" or self.corrupt_after is not None)

    def _scripted_text(self) -> str | None:
        if self.text is not None or self.split is not None:
            return self.text if self.text is not None else "".join(self.split or ())
        return "".join(f"word{number:03d} " for number in range(self.chunks)) if self.chunks else None


_BEHAVIOURS = TypeAdapter(list[Behaviour])


class Script:
    """The queue of behaviours."""

    def __init__(self) -> None:
        self._queue: list[tuple[Behaviour, float]] = []

    def add(self, body: bytes) -> int:
        """Add the behaviours of a JSON body, all or none, and return how many there are now.

        Raises:
            ScriptError: what is wrong with which of them.
        """
        listed = body if body.lstrip()[:1] == b"[" else b"[" + body + b"]"
        try:
            behaviours = _BEHAVIOURS.validate_json(listed)
        except ValidationError as wrong:
            raise ScriptError("; ".join(_problem(error) for error in wrong.errors())) from None
        self._queue += [(one, float("inf") if one.times == "forever" else one.times) for one in behaviours]
        return len(self._queue)

    def take(self, model: str, operation: str, access_key: str | None) -> Behaviour | None:
        """Return the behaviour for a request, if there is one, and count it."""
        for place, (behaviour, left) in enumerate(self._queue):
            if behaviour.is_for(model, operation, access_key):
                self._queue[place : place + 1] = [(behaviour, left - 1)] if left > 1 else []
                return behaviour
        return None

    def pending(self) -> list[dict[str, Any]]:
        """Return what no request has taken yet."""
        return [said(behaviour) for behaviour, _ in self._queue]

    def clear(self) -> None:
        """Forget every behaviour."""
        self._queue.clear()


def said(behaviour: Behaviour) -> dict[str, Any]:
    """Return a behaviour as it was scripted."""
    return behaviour.model_dump(exclude_unset=True)


def _problem(error: Mapping[str, Any]) -> str:
    at = ".".join(str(part) for part in error["loc"])
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"behaviour {at}: {message}" if at else message
