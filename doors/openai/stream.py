"""The reply: server-sent frames while the turn speaks, or one object when it has ended."""

from collections.abc import AsyncIterator, Callable
from time import time

import structlog
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from doors.errors import api_error
from doors.openai.events import Opening
from doors.openai.frames import DONE, Frames, new_id
from doors.openai.reply import (
    Annotation,
    ChatCompletion,
    Choice,
    FunctionCall,
    ReplyMessage,
    ToolCall,
    UrlCitation,
    Usage,
)
from graph.events import Citation, Finish, ToolCallDelta, TurnEvent
from graph.turn import RunningTurn

_log = structlog.get_logger(__name__)

_MOST_BYTES = 16_384

Events = AsyncIterator[TurnEvent]
Cites = Callable[[tuple[Citation, ...]], list[Annotation]]
"""How a reply names the documents that it rests on."""


def cite_under(base_url: str) -> Cites:
    """Return citations as links to the documents under this address; none where it is empty (on voice)."""

    def cites(citations: tuple[Citation, ...]) -> list[Annotation]:
        if not base_url:
            return []
        return [
            Annotation(
                url_citation=UrlCitation(
                    url=f"{base_url.rstrip('/')}/api/documents/{one.document_id}",
                    title=one.title,
                    start_index=one.start,
                    end_index=one.end,
                )
            )
            for one in citations
        ]

    return cites


class TurnStream(StreamingResponse):
    """The stream of a turn. However it ends, sent whole or hung up on, nothing of the turn is left running.

    Frames leave as they are made; those that are there at the same time leave together, since each send has its price.
    """

    def __init__(
        self,
        turn: RunningTurn,
        events: AsyncIterator[TurnEvent],
        opening: Opening,
        cites: Cites,
        *,
        include_usage: bool,
    ) -> None:
        headers = {"cache-control": "no-cache", "x-accel-buffering": "no", **opening.headers}
        frames = _frames(events, opening.model, cites, include_usage=include_usage)
        super().__init__(_together(frames, turn), headers=headers, media_type="text/event-stream")
        self._turn = turn

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._turn.cancel()


async def whole_reply(events: Events, cites: Cites) -> tuple[ChatCompletion, Opening]:
    """Return the reply that is not a stream, and what its headers tell."""
    opening, pieces, calls = Opening(), list[str](), dict[int, ToolCall]()
    finish = Finish("stop", "")
    async for event in events:
        opening.note(event)
        match event:
            case str():
                pieces.append(event)
            case ToolCallDelta():
                _collect(calls, event)
            case Finish():
                finish = event
    message = ReplyMessage(
        content="".join(pieces) or (None if calls else ""),
        annotations=cites(finish.citations),
        tool_calls=list(calls.values()) or None,
    )
    choice = Choice(message=message, finish_reason=finish.reason)
    reply = ChatCompletion(
        id=new_id(), created=int(time()), model=opening.model, choices=[choice], usage=usage_of(finish)
    )
    return reply, opening


def usage_of(finish: Finish) -> Usage:
    """Return a turn's token counts in OpenAI's form."""
    return Usage(
        prompt_tokens=finish.prompt_tokens,
        completion_tokens=finish.completion_tokens,
        total_tokens=finish.prompt_tokens + finish.completion_tokens,
        prompt_tokens_details={"cached_tokens": finish.cached_tokens},
    )


async def _frames(events: Events, model: str, cites: Cites, *, include_usage: bool) -> AsyncIterator[bytes]:
    frames = Frames(model, include_usage=include_usage)
    yield frames.role()
    finish = Finish("stop", model)
    try:
        async for event in events:
            match event:
                case str():
                    yield frames.text(event)
                case ToolCallDelta():
                    yield frames.tool_call(event)
                case Finish():
                    finish = event
    except Exception as failure:  # whatever it is, the client must not take the cut text for an answer
        _log.error("turn failed while speaking", error=type(failure).__name__)
        yield frames.failure(api_error(failure).body) + DONE
        return
    annotations = cites(finish.citations)
    cited = frames.annotations(annotations) if annotations else b""
    usage = frames.usage(usage_of(finish)) if include_usage else b""
    yield cited + frames.finish(finish.reason) + usage + DONE


async def _together(frames: AsyncIterator[bytes], turn: RunningTurn) -> AsyncIterator[bytes]:
    """Yield the frames, those together for which nothing had to be waited."""
    held = bytearray()
    async for frame in frames:
        held += frame
        if not turn.has_more or len(held) > _MOST_BYTES:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


def _collect(calls: dict[int, ToolCall], delta: ToolCallDelta) -> None:
    """Put a piece of a tool call where it belongs."""
    call = calls.get(delta.index)
    if call is None:
        function = FunctionCall(name=delta.name or "", arguments=delta.arguments)
        calls[delta.index] = ToolCall(id=delta.id or "", function=function)
    else:
        call.function.arguments += delta.arguments
