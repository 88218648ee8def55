"""From a request to what the graph takes: messages, caller, conversation, options."""

import json
from datetime import UTC, datetime
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, FunctionMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.messages.tool import ToolCall as LangChainToolCall
from pydantic import ValidationError

from doors.bounds import refuse_too_much, without_long_gaps
from doors.errors import ApiError, invalid
from doors.openai.schema import ChatCompletionRequest, ChatMessage, NamedTool
from graph.client_tools import tool_name
from graph.options import Channel, TurnOptions
from graph.state import InputState
from teller.caller import Caller, Trust, agree
from teller.keys import ApiKey
from teller.models.registry import ChatModels
from teller.settings import Settings


def parse_request(body: bytes, settings: Settings) -> ChatCompletionRequest:
    """Return the request in a body, within the bounds of the settings.

    Raises:
        ApiError: 400, naming the parameter that is wrong.
    """
    try:
        request = ChatCompletionRequest.model_validate_json(body)
    except ValidationError as wrong:
        raise _bad_request(wrong) from None
    refuse_too_much([message.content or "" for message in request.messages], settings)
    last = request.messages[-1]
    if last.role == "user" and not (last.content or "").strip() and request.call is None:
        raise invalid("The last message is empty: say something.", f"messages.{len(request.messages) - 1}.content")
    if request.response_format and request.response_format.get("type", "text") != "text":
        raise invalid("response_format: only text is made here.", "response_format")
    if request.modalities and request.modalities != ["text"]:
        raise invalid("modalities: only text is made here.", "modalities")
    return request


def graph_input(request: ChatCompletionRequest, key: ApiKey) -> InputState:
    """Return what the graph takes of a request made with this key."""
    given: InputState = {
        "messages": [_message(message) for message in request.messages],
        "caller": _caller(request, key),
        "conversation_id": _text(request.call, "id") or _text(request.metadata, "conversation_id"),
        "client": key.name,
    }
    if requested_at := _moment(request.timestamp):
        given["requested_at"] = requested_at
    return given


def turn_options(request: ChatCompletionRequest, key: ApiKey) -> TurnOptions:
    """Return what the request chooses."""
    return TurnOptions(
        model=request.model,
        temperature=request.temperature,
        max_tokens=request.token_limit,
        top_p=request.top_p,
        stop=tuple(request.stop),
        tools=tuple(tool.model_dump(exclude_unset=True) for tool in request.tools),
        tool_choice=request.tool_choice.model_dump()
        if isinstance(request.tool_choice, NamedTool)
        else request.tool_choice,
        channel=_channel(request, key),
    )


def refuse_tool_choice(options: TurnOptions, models: ChatModels) -> None:
    """Refuse a demand to call a tool that is not declared, or that the chosen model cannot meet.

    Raises:
        ApiError: 400, naming `tool_choice`.
    """
    demanded = options.tool_choice == "required" or isinstance(options.tool_choice, dict)
    declared = {tool_name(tool) for tool in options.tools}
    named = options.tool_choice["function"]["name"] if isinstance(options.tool_choice, dict) else None
    if demanded and not (named in declared if named else declared):
        raise invalid("tool_choice: no such tool is declared in tools.", "tool_choice")
    model = models.choose(options.model)
    if demanded and not model.calls_tools:
        raise invalid(f"tool_choice: the model {model.name} cannot call tools; leave it out.", "tool_choice")


def _channel(request: ChatCompletionRequest, key: ApiKey) -> Channel:
    spoken = request.call is not None or _text(request.metadata, "channel") == "voice" or key.scope == "voice"
    return "voice" if spoken else "chat"


def _caller(request: ChatCompletionRequest, key: ApiKey) -> Caller:
    """Return the caller on whom the body's own fields agree; tags in messages are the graph's to read."""
    trust = Trust.NETWORK if key.name else Trust.CLAIMED  # without keys anyone can send a body like Vapi's
    network = Caller(phone=_text(request.customer, "number"), trust=trust)
    asserted = Caller(phone=_text(request.metadata, "phone"), trust=Trust.ASSERTED)
    return agree([network, asserted])


def _moment(milliseconds: Any) -> datetime | None:
    """Return a moment in milliseconds since 1970; None where it is none."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _text(value: Any, name: str) -> str | None:
    """Return a field of what may be an object; None where it is not a text."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, str) and found else None


def _message(message: ChatMessage) -> AnyMessage:
    text = without_long_gaps(message.content or "")
    match message.role:
        case "system" | "developer":
            return SystemMessage(text)
        case "user":
            return HumanMessage(text)
        case "assistant":
            return AIMessage(text, tool_calls=_tool_calls(message))
        case "tool":
            return ToolMessage(text, tool_call_id=message.tool_call_id or "")
        case "function":
            return FunctionMessage(content=text, name=message.name or "")


def _tool_calls(message: ChatMessage) -> list[LangChainToolCall]:
    """Return what the assistant called; a call whose arguments are no JSON object is passed over."""
    found: list[LangChainToolCall] = []
    for call in message.tool_calls or ():
        try:
            arguments = json.loads(call.function.arguments or "{}")
        except (ValueError, RecursionError):
            continue
        if isinstance(arguments, dict):
            found.append(LangChainToolCall(name=call.function.name, args=arguments, id=call.id or ""))
    return found


def _bad_request(wrong: ValidationError) -> ApiError:
    first = wrong.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] in ("json_invalid", "model_type", "model_attributes_type", "dict_type") and not first["loc"]:
        return invalid('The body is not a JSON object in UTF-8. Send {"messages": [{"role": "user", "content": "…"}]}.')
    param = ".".join(str(part) for part in first["loc"])
    return invalid(f"{param}: {first['msg'].removeprefix('Value error, ')}", param)
