"""What Nova refuses of a Converse request, in Bedrock's words.

`validate(request, model)` is pure: a property test may call it on what it would send.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from tests.support.bedrock.faults import BedrockError, bedrock_error, invalid
from tests.support.bedrock.models import Model
from tests.support.bedrock.usage import prompt_tokens

_ROLES = ("user", "assistant")
_MOST_CACHE_POINTS = 4
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_TOOL_USE_ID = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_BLOCKS = {
    "user": {"text", "image", "document", "video", "audio", "toolResult", "guardContent", "cachePoint"},
    "assistant": {"text", "toolUse", "cachePoint"},
}
_RESULT_BLOCKS = {"text", "json", "image", "document", "video"}
_ENUMS = {
    "performanceConfig.latency": ("standard", "optimized"),
    "serviceTier.type": ("priority", "default", "flex", "reserved"),
}

Block = Mapping[str, Any]
Message = Mapping[str, Any]


def validate(request: Mapping[str, Any], model: Model) -> None:
    """Return if Nova would take the request.

    Raises:
        BedrockError: it would not; a ValidationException, or a SerializationException where a type is wrong.
    """
    messages = [_typed(message, dict, "messages") for message in _typed(request.get("messages", []), list, "messages")]
    _system(request)
    _turns(messages)
    for place, message in enumerate(messages):
        _content(message, f"messages.{place}")
    _inference(request, model)
    _tool_config(request, messages)
    _tool_results(messages)
    _cache_points(request, messages)
    _enumerated(request)
    if prompt_tokens(request) > model.context:
        raise _by_the_model(
            "Input Tokens Exceeded: Number of input tokens exceeds maximum length. Please update the input to try "
            "again."
        )


def _turns(messages: Sequence[Message]) -> None:
    """The user begins, and the roles alternate."""
    roles = [message.get("role") for message in messages]
    for place, role in enumerate(roles):
        if role not in _ROLES:
            raise _not_one_of(role, f"messages.{place}.role", _ROLES)
    if roles[:1] != ["user"]:
        raise invalid(
            "A conversation must start with a user message. Try again with a conversation that starts with a user "
            "message."
        )
    if any(role == before for before, role in pairwise(roles)):
        raise invalid(
            "A conversation must alternate between user and assistant roles. Make sure the conversation alternates "
            "between user and assistant roles and try again."
        )


def _system(request: Mapping[str, Any]) -> None:
    for place, block in enumerate(_typed(request.get("system", []), list, "system")):
        kind = _kind(block, f"SystemContentBlock object at system.{place}", {"text", "guardContent", "cachePoint"})
        if kind == "text":
            _text(block, f"SystemContentBlock object at system.{place}")


def _content(message: Message, at: str) -> None:
    content = _typed(message.get("content", []), list, f"{at}.content")
    if not content:
        raise invalid(
            f"The content field in the Message object at {at} is empty. Add a ContentBlock object to the content field "
            "and try again."
        )
    for place, block in enumerate(content):
        where = f"{at}.content.{place}"
        if isinstance(block, dict) and "reasoningContent" in block:
            raise invalid(
                "User messages cannot contain reasoning content. Please remove the reasoning content and try again."
            )
        match _kind(block, f"ContentBlock object at {where}", _BLOCKS[message["role"]]):
            case "text":
                _text(block, f"ContentBlock object at {where}")
            case "toolUse":
                _tool_use(block["toolUse"], f"{where}.toolUse")
            case "toolResult":
                _tool_result(block["toolResult"], f"{where}.toolResult")


def _kind(block: Any, name: str, kinds: set[str]) -> str:
    """Return which of its kinds a block is: it must be exactly one."""
    found = list(_typed(block, dict, name))
    if len(found) != 1 or found[0] not in kinds:
        raise invalid(f"The {name} must set one of the following keys: {', '.join(sorted(kinds))}.")
    return str(found[0])


def _text(block: Block, name: str) -> None:
    if not _typed(block["text"], str, name).strip():
        raise invalid(f"The text field in the {name} is blank. Add text to the text field, and try again.")


def _tool_use(use: Any, at: str) -> None:
    _matches(_typed(use, dict, at).get("toolUseId"), _TOOL_USE_ID, f"{at}.toolUseId")
    _matches(use.get("name"), _TOOL_NAME, f"{at}.name")
    if not isinstance(use.get("input"), dict):
        raise invalid(
            f"The format of the value at {at}.input is invalid. Provide a json object for the field and try again."
        )


def _tool_result(result: Any, at: str) -> None:
    """A tool's text may be blank: live Bedrock takes it."""
    _matches(_typed(result, dict, at).get("toolUseId"), _TOOL_USE_ID, f"{at}.toolUseId")
    if result.get("status", "success") not in ("success", "error"):
        raise _not_one_of(result["status"], f"{at}.status", ("success", "error"))
    for place, block in enumerate(_typed(result.get("content"), list, f"{at}.content")):
        _kind(block, f"ToolResultContentBlock object at {at}.content.{place}", _RESULT_BLOCKS)


def _inference(request: Mapping[str, Any], model: Model) -> None:
    config = _typed(request.get("inferenceConfig", {}), dict, "inferenceConfig")
    for name in ("temperature", "topP"):
        _within(config.get(name), f"inferenceConfig.{name}", lowest=0, highest=1)
    most = config.get("maxTokens")
    _within(most, "inferenceConfig.maxTokens", lowest=1)
    if most is not None and most > model.max_output:
        raise invalid(
            f"The maximum tokens you requested exceeds the model limit of {model.max_output}. Try again with a maximum "
            f"tokens value that is lower than {model.max_output}."
        )
    for place, text in enumerate(_typed(config.get("stopSequences", []), list, "inferenceConfig.stopSequences")):
        if not _typed(text, str, "inferenceConfig.stopSequences"):
            raise _constraint(
                text,
                f"inferenceConfig.stopSequences.{place}",
                "Member must have length greater than or equal to 1",
            )


def _tool_config(request: Mapping[str, Any], messages: Sequence[Message]) -> None:
    if "toolConfig" not in request:
        if any("toolUse" in block or "toolResult" in block for message in messages for block in message["content"]):
            raise invalid("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
        return
    config = _typed(request["toolConfig"], dict, "toolConfig")
    tools = _typed(config.get("tools", []), list, "toolConfig.tools")
    if not tools:
        raise _constraint("[]", "toolConfig.tools", "Member must have length greater than or equal to 1")
    names = {_tool(tool, place) for place, tool in enumerate(tools)}
    if "toolChoice" in config:
        _tool_choice(config["toolChoice"], names)


def _tool(tool: Any, place: int) -> str:
    """Return the name of a tool."""
    at = f"toolConfig.tools.{place}"
    if isinstance(tool, dict) and "cachePoint" in tool:
        raise _extraneous_cache_point(f"toolConfig/tools/{place}")
    kind = _kind(tool, f"Tool object at {at}", {"toolSpec", "systemTool"})
    spec = _typed(tool[kind], dict, f"{at}.{kind}")
    _matches(spec.get("name"), _TOOL_NAME, f"{at}.{kind}.name")
    if kind == "toolSpec":
        if spec.get("description") == "":
            rule = "Member must have length greater than or equal to 1"
            raise _constraint("", f"{at}.toolSpec.description", rule)
        schema = _typed(spec.get("inputSchema"), dict, f"{at}.toolSpec.inputSchema").get("json")
        if not isinstance(schema, dict) or schema.get("type") != "object":
            raise invalid(f"The value at {at}.toolSpec.inputSchema.json.type must be one of the following: object.")
    return str(spec["name"])


def _tool_choice(choice: Any, names: set[str]) -> None:
    match choice:
        case {"auto": dict(), **rest} | {"any": dict(), **rest} if not rest:
            return
        case {"tool": {"name": name}, **rest} if not rest:
            if name not in names:
                raise invalid(
                    f"The value at toolConfig.toolChoice.tool.name, {name}, is not the name of a tool in "
                    "toolConfig.tools. Provide the name of one of the tools and try again."
                )
        case _:
            raise invalid(
                "The ToolChoice object at toolConfig.toolChoice must set one of the following keys: any, auto, tool."
            )


def _tool_results(messages: Sequence[Message]) -> None:
    """The results of a turn's tool calls stand together in the next turn, all of them and no others."""
    called: list[str] = []
    for place, message in enumerate(messages):
        results = _ids(message, "toolResult")
        if len(results) > len(called):
            raise invalid(
                f"The number of toolResult blocks at messages.{place}.content exceeds the number of toolUse blocks of "
                "previous turn."
            )
        if set(results) != set(called):
            raise _expected_results(place, called)
        called = _ids(message, "toolUse")
    if called:
        raise _expected_results(len(messages), called)


def _expected_results(place: int, called: Sequence[str]) -> BedrockError:
    return invalid(f"Expected toolResult blocks at messages.{place}.content for the following Ids: {', '.join(called)}")


def _ids(message: Message, kind: str) -> list[str]:
    return [block[kind]["toolUseId"] for block in message["content"] if kind in block]


def _cache_points(request: Mapping[str, Any], messages: Sequence[Message]) -> None:
    """Nova caches after text of the system or of a message, not first in either nor right after a tool's block."""
    sections = [("system", request.get("system", []))]
    sections += [(f"messages/{place}/content", message["content"]) for place, message in enumerate(messages)]
    points = [point for section in sections for point in _misplaced_and_placed(*section)]
    for misplaced in filter(None, points):
        raise _extraneous_cache_point(misplaced)
    if len(points) > _MOST_CACHE_POINTS:
        raise invalid(f"The number of cachePoint blocks exceeds the maximum of {_MOST_CACHE_POINTS}.")


def _misplaced_and_placed(at: str, blocks: Sequence[Block]) -> Iterator[str]:
    """Yield a word for each cache point: where it stands if it may not stand there, else nothing."""
    before: Block = {}
    for place, block in enumerate(blocks):
        if "cachePoint" in block:
            yield "" if before and not before.keys() & {"toolUse", "toolResult"} else f"{at}/{place}"
        before = block


def _enumerated(request: Mapping[str, Any]) -> None:
    for at, allowed in _ENUMS.items():
        section, _, name = at.partition(".")
        value = _typed(request.get(section, {}), dict, section).get(name, allowed[0])
        if value not in allowed:
            raise _not_one_of(value, at, allowed)


def _typed(value: Any, wanted: type, at: str) -> Any:
    if not isinstance(value, wanted):
        raise bedrock_error("SerializationException", f"Unexpected value at {at}: {type(value).__name__}")
    return value


def _within(value: Any, at: str, *, lowest: float, highest: float | None = None) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise bedrock_error("SerializationException", f"Unexpected value at {at}: {type(value).__name__}")
    if not value >= lowest:
        raise _constraint(value, at, f"Member must have value greater than or equal to {lowest}")
    if highest is not None and value > highest:
        raise _constraint(value, at, f"Member must have value less than or equal to {highest}")


def _matches(value: Any, pattern: re.Pattern[str], at: str) -> None:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _constraint(value, at, f"Member must satisfy regular expression pattern: {pattern.pattern}")


def _not_one_of(value: object, at: str, allowed: Sequence[str]) -> BedrockError:
    return _constraint(value, at, f"Member must satisfy enum value set: [{', '.join(allowed)}]")


def _constraint(value: object, at: str, rule: str) -> BedrockError:
    return invalid(f"1 validation error detected: Value '{value}' at '{at}' failed to satisfy constraint: {rule}")


def _extraneous_cache_point(at: str) -> BedrockError:
    return _by_the_model(
        f"Malformed input request: #/{at}: extraneous key [cachePoint] is not permitted, please reformat your input "
        "and try again."
    )


def _by_the_model(message: str) -> BedrockError:
    return invalid(f"The model returned the following errors: {message}")
