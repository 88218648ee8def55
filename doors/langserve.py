"""The LangServe routes and their chat playground: a thin, frozen door (the library is archived; the graph is not)."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Self, cast

from fastapi import APIRouter, Depends, Request
from langchain_core.messages import AnyMessage, convert_to_messages
from langchain_core.runnables import RunnableConfig, RunnableGenerator
from langserve import CustomUserType, add_routes
from pydantic import BaseModel, BeforeValidator, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from doors.access import require
from graph.options import DEFAULT_OPTIONS, Channel, TurnOptions
from graph.private_words import PrivateWords, set_apart
from graph.state import InputState
from graph.turn import RunningTurn
from graph.workflow import Teller
from teller.caller import Caller, Trust
from teller.keys import ApiKey


def _messages(value: object) -> object:
    """Take role, type and tuple forms of messages, as the playground, curl and RemoteRunnable send them.

    Raises:
        ValueError: they have none of these forms; LangChain's own words would repeat what they hold.
    """
    try:
        return convert_to_messages(value) if isinstance(value, list) else value
    except (ValueError, TypeError, KeyError, NotImplementedError):
        raise ValueError("each is an object with role and content, or a pair of them") from None


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
            "messages": self.messages,
            "caller": Caller(phone=named.phone, trust=Trust.ASSERTED),
            "conversation_id": named.conversation_id,
        }
        self._state, self._words = set_apart(given)
        self.messages = self._state["messages"]
        self.caller = named.model_copy(update={"phone": None})
        return self

    def turn(self, graph: Teller, client: str) -> RunningTurn:
        """Return this input's turn of the graph, begun."""
        options = TurnOptions(channel=self.caller.channel) if self.caller else DEFAULT_OPTIONS
        return RunningTurn(graph, {**self._state, "client": client}, options, self._words)


def agent_routes(graph: Callable[[], Teller]) -> APIRouter:
    """Return the routes under /agent; the graph is asked for at each request, since the app opens it later."""

    async def answer(inputs: AsyncIterator[AgentInput], config: RunnableConfig) -> AsyncIterator[str]:
        async for given in inputs:
            client = config.get("configurable", {}).get("client", "")
            turn = given.turn(graph(), client)
            try:
                async for event in turn:
                    if isinstance(event, str):
                        yield event
            finally:
                turn.cancel()

    runnable = RunnableGenerator(cast("Any", answer)).with_types(input_type=AgentInput, output_type=str)
    router = APIRouter(prefix="/agent", tags=["langserve"], dependencies=[Depends(_keep_key)])
    add_routes(router, runnable, playground_type="chat", per_req_config_modifier=_with_client)
    return router


def _keep_key(request: Request, key: Annotated[ApiKey, Depends(require("chat"))]) -> None:
    request.state.key = key


def _with_client(config: dict[str, Any], request: Request) -> dict[str, Any]:
    return {**config, "configurable": {"client": request.state.key.name}}
