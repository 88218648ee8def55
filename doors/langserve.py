"""The LangServe routes and their chat playground: a thin, frozen door (the library is archived; the graph is not)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import Context, copy_context
from pathlib import Path
from typing import Annotated, Any, Self, cast

import langserve
from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from langchain_core.messages import AnyMessage, convert_to_messages
from langchain_core.runnables import RunnableConfig, RunnableGenerator
from langchain_core.runnables.config import var_child_runnable_config
from langserve import CustomUserType, add_routes
from langserve.serialization import WellKnownLCSerializer
from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import from_json

from doors.access import require
from doors.admission import Place
from doors.bounds import refuse_too_much, without_long_gaps
from doors.callers import admit_caller
from doors.disconnect import unless_gone
from doors.errors import invalid
from graph.options import DEFAULT_OPTIONS, Channel, TurnOptions
from graph.private_words import PrivateWords, set_apart
from graph.state import InputState
from graph.turn import RunningTurn
from graph.workflow import Teller
from teller.caller import Caller, Trust
from teller.keys import ApiKey

_MOST_INPUTS = 100
_PAGES = Path(langserve.__file__).parent / "chat_playground" / "dist"
_PAGE_FILES = frozenset(file.relative_to(_PAGES).as_posix() for file in _PAGES.rglob("*") if file.is_file())


def _messages(value: object) -> object:
    """Take role, type and tuple forms of messages, as the playground, curl and RemoteRunnable send them.

    Raises:
        ValueError: they have none of these forms, or hold what LangServe could not stream back (a number beyond 64
            bits); LangChain's own words would repeat what they hold.
    """
    if not isinstance(value, list):
        return value
    try:
        messages = convert_to_messages(value)
        WellKnownLCSerializer().dumps(messages)
    except Exception:  # they raise whatever they stumble over
        raise ValueError('is no message: send {"role": …, "content": …}') from None
    return messages


class AgentCaller(BaseModel):
    """Who is calling, as the client asserts it."""

    phone: str | None = None
    conversation_id: str | None = None
    channel: Channel = "chat"


class AgentInput(CustomUserType):
    """What the routes take. The caller is hidden from the schema: the chat playground breaks on a second field."""

    messages: Annotated[list[AnyMessage], BeforeValidator(_messages)] = Field(min_length=1)
    caller: SkipJsonSchema[AgentCaller | None] = None
    _state: InputState
    _words: PrivateWords

    @model_validator(mode="after")
    def _set_apart(self) -> Self:
        """Take out what LangServe must not trace or stream back, before it sees the input."""
        named = self.caller or AgentCaller()
        given: InputState = {
            "messages": [one.model_copy(update={"content": without_long_gaps(one.text)}) for one in self.messages],
            "caller": Caller(phone=named.phone, trust=Trust.ASSERTED),
            "conversation_id": named.conversation_id,
        }
        self._state, self._words = set_apart(given)
        self.messages = self._state["messages"]
        self.caller = named.model_copy(update={"phone": None})
        return self

    def state(self, client: str) -> InputState:
        """Return what the graph takes of this input, from the client of that key's name."""
        return {**self._state, "client": client}

    def turn(self, graph: Teller, client: str) -> RunningTurn:
        """Return this input's turn of the graph, begun."""
        options = TurnOptions(channel=self.caller.channel) if self.caller else DEFAULT_OPTIONS
        return RunningTurn(graph, self.state(client), options, self._words)


class AgentRequest(BaseModel):
    """What the doors read of a body before LangServe does: one input, or those of a batch."""

    input: AgentInput | None = None
    inputs: list[AgentInput] = Field([], max_length=_MOST_INPUTS)

    @model_validator(mode="before")
    @classmethod
    def _not_null(cls, body: object) -> object:
        for name in ("config", "kwargs"):  # LangServe lets null in, and fails on it
            if isinstance(body, dict) and body.get(name, {}) is None:
                raise ValueError(f"{name} is null: leave it out, or send an object")
        return body

    @property
    def turns(self) -> list[AgentInput]:
        """The inputs, one a turn."""
        return [*([self.input] if self.input else []), *self.inputs]


def agent_routes(graph: Callable[[], Teller]) -> APIRouter:
    """Return the routes under /agent; the graph is asked for at each request, since the app opens it later."""

    async def answer(inputs: AsyncIterator[AgentInput], config: RunnableConfig) -> AsyncIterator[str]:
        async for given in inputs:
            client = config.get("configurable", {}).get("client", "")
            turn = _apart().run(given.turn, graph(), client)
            try:
                async for event in turn:
                    if isinstance(event, str):
                        yield event
            finally:
                turn.cancel()

    runnable = RunnableGenerator(cast("Any", answer)).with_types(input_type=AgentInput, output_type=str)
    one_by_one = runnable.with_config(max_concurrency=1)  # a batch holds one place, so its turns follow one another
    router = APIRouter(prefix="/agent", tags=["langserve"], dependencies=[Depends(_admitted)])
    add_routes(
        router,
        one_by_one,
        playground_type="chat",
        per_req_config_modifier=_with_client,
        disabled_endpoints=["config_hashes", "token_feedback"],  # type: ignore[list-item]  # its type lacks the second
    )
    for name in ("input_schema", "output_schema"):
        router.get(f"/c/{{config}}/{name}", include_in_schema=False)(_schema_of_any_config(name))
    return router


def _apart() -> Context:
    """Return a context in which a turn is no part of LangServe's run.

    `stream_log` and `stream_events` repeat all that runs within it: what the nodes hand on, such as a card with its
    balance, is not the client's to see, and no JSON.
    """
    context = copy_context()
    context.run(var_child_runnable_config.set, None)
    return context


def _schema_of_any_config(name: str) -> Callable[[], Awaitable[Response]]:
    """Return a route for the playground: while it waits for this schema it may forget the one that its page brought."""

    async def schema() -> Response:
        return RedirectResponse(f"../../{name}")

    return schema


async def _admitted(request: Request, key: Annotated[ApiKey, Depends(require("chat"))]) -> AsyncIterator[None]:
    """Admit a request as the chat route does, before LangServe begins a reply: a refusal has its HTTP status.

    Its place is held until the reply is sent. The body is read by pydantic first: LangServe's `json.loads` fails on
    absurd nesting.
    """
    request.state.key = key
    if request.method != "POST":
        _refuse_unknown_page(request)
        yield
        return
    body = await request.body()
    _refuse_too_many(body, request.app.state.settings.max_messages)
    place: Place = request.app.state.admission.place()
    try:
        await unless_gone(request, place.take())
        for given in _parsed(body).turns:
            texts = [message.text for message in given.messages]
            refuse_too_much(texts, request.app.state.settings, "input.messages")
            await admit_caller(request, key, given.state(key.name))
        yield
    finally:
        place.leave()


def _refuse_unknown_page(request: Request) -> None:
    """Refuse what is no file of the playground: LangServe would open any name, and fails on a folder's or an odd one.

    Raises:
        ApiError: 404.
    """
    file = request.path_params.get("file_path")
    if file and file not in _PAGE_FILES:
        raise invalid("The playground has no such file.", status=404)


def _refuse_too_many(body: bytes, most: int) -> None:
    """Refuse more messages than are taken, before each of them is made and masked, which takes its time.

    Raises:
        ApiError: 400.
    """
    try:
        given = from_json(body)
    except ValueError:  # told by what parses it next
        return
    if not isinstance(given, dict):
        return
    many = given.get("inputs")
    inputs = [given.get("input"), *(many if isinstance(many, list) else [])]
    messages = [one.get("messages") for one in inputs if isinstance(one, dict)]
    if sum(len(listed) for listed in messages if isinstance(listed, list)) > most:
        raise invalid(f"input.messages: at most {most:,} are taken in a request.", "input.messages")


def _parsed(body: bytes) -> AgentRequest:
    try:
        return AgentRequest.model_validate_json(body)
    except ValidationError as wrong:
        raise RequestValidationError(wrong.errors(include_url=False, include_input=False)) from None


def _with_client(config: dict[str, Any], request: Request) -> dict[str, Any]:
    return {**config, "configurable": {"client": request.state.key.name}}
