"""POST /api/chat/completions/ and its aliases, and the list of models."""

import asyncio
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from doors.access import require
from doors.admission import Place
from doors.callers import admit_caller
from doors.disconnect import unless_gone
from doors.errors import ErrorEnvelope
from doors.openai.convert import graph_input, parse_request, refuse_tool_choice, turn_options
from doors.openai.events import events_of, opening_of
from doors.openai.filler import with_filler
from doors.openai.reply import ChatCompletion
from doors.openai.schema import ChatCompletionRequest
from doors.openai.stream import TurnStream, cite_under, whole_reply
from graph.options import TurnOptions
from graph.turn import RunningTurn
from teller.keys import ApiKey

router = APIRouter(tags=["chat"])

_PATH = "/api/chat/completions/"
_ALIASES = (
    "/api/chat/completions",
    "/api/chat/completions/chat/completions",  # Vapi appends this to whatever URL it was given
    "/api/chat/completions/chat/completions/",
    "/v1/chat/completions",
    "/v1/chat/completions/",
    "/api/agent/query/chat/completions",  # the ancestor's, which existing assistants still call
    "/api/agent/query/chat/completions/",
)
_SCHEMAS = "#/components/schemas/"
_CHAT_DOCS: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": f"{_SCHEMAS}ChatCompletionRequest"}}},
    }
}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"model": ChatCompletion, "description": "The answer: server-sent chunks, or this object.",
          "content": {"text/event-stream": {"schema": {"type": "string"}}}},
    **{status: {"model": ErrorEnvelope} for status in (400, 401, 403, 413, 500, 503)},
}  # fmt: skip


async def chat_completions(request: Request, key: Annotated[ApiKey, Depends(require("chat"))]) -> Response:
    """Answer the last turn of a conversation, as server-sent events by default.

    The caller's number stands in `metadata.phone`, in Vapi's `customer.number`, or in a `[phone: +1234567890]` tag.
    """
    body = await request.body()
    place: Place = request.app.state.admission.place()
    try:
        await unless_gone(request, place.take())  # before the body is parsed: a refusal must cost little
        asked = parse_request(body, request.app.state.settings)
        options = turn_options(asked, key)
        refuse_tool_choice(options, request.app.state.services.models)
        given = graph_input(asked, key)
        await admit_caller(request, key, given)
    except BaseException:
        place.leave()
        raise
    turn = RunningTurn(request.app.state.graph, given, options)
    turn.on_end(place.leave)
    try:
        return await _reply(request, turn, asked, options)
    except BaseException:
        turn.cancel()
        raise


async def _reply(request: Request, turn: RunningTurn, asked: ChatCompletionRequest, options: TurnOptions) -> Response:
    events = events_of(turn, options.channel)
    cites = cite_under("" if options.channel == "voice" else str(request.base_url))
    if wants_stream(asked, request.headers.get("accept", ""), request.headers.get("user-agent", "")):
        if options.channel == "voice" and (after := request.app.state.settings.filler_after_ms):
            model = request.app.state.services.models.choose(options.model).name
            events = with_filler(events, partial(asyncio.sleep, after / 1000), model)
        opening = await unless_gone(request, opening_of(events))
        return TurnStream(turn, events, opening, cites, include_usage=bool(asked.stream_options.include_usage))
    reply, opening = await unless_gone(request, whole_reply(events, cites))
    return Response(reply.model_dump_json(), headers=opening.headers, media_type="application/json")


def wants_stream(asked: ChatCompletionRequest, accept: str, user_agent: str) -> bool:
    """Return whether the reply is a stream: as `stream` says; absent, unless the client is one that expects JSON.

    The openai SDKs leave `stream` out of a plain call, ask for application/json and break on SSE; so does the AI SDK,
    which asks for anything but names itself. curl sends `*/*` and gets SSE.
    """
    if asked.stream is not None:
        return asked.stream
    wants_json = "application/json" in accept and "text/event-stream" not in accept
    return not (wants_json or "ai-sdk" in user_agent)


router.post(_PATH, responses=_RESPONSES, openapi_extra=_CHAT_DOCS)(chat_completions)
for _alias in _ALIASES:
    router.post(_alias, include_in_schema=False)(chat_completions)


@router.get("/v1/models", dependencies=[Depends(require("chat"))])
@router.get("/api/models", dependencies=[Depends(require("chat"))])
async def models(request: Request) -> dict[str, Any]:
    """List the models that a request may name."""
    names = request.app.state.services.models.offered
    created = request.app.state.started
    return {
        "object": "list",
        "data": [{"id": name, "object": "model", "created": created, "owned_by": "teller"} for name in names],
    }


def request_schemas() -> dict[str, Any]:
    """Return what the OpenAPI document must add: the request's schemas, since we parse the body and FastAPI does not.

    Its `json.loads` lets NaN and lone surrogates through and fails on absurd nesting; pydantic's parser does neither.
    """
    schema = ChatCompletionRequest.model_json_schema(ref_template=f"{_SCHEMAS}{{model}}")
    return {**schema.pop("$defs"), "ChatCompletionRequest": schema}
