"""What Nova refuses of tools: their specification, the choice among them, calls and results."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.bedrock.checks import constraint, extraneous_cache_point, kind_of, matches, not_one_of, typed
from tests.support.bedrock.faults import BedrockError, invalid

_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_TOOL_USE_ID = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_RESULT_BLOCKS = {"text", "json", "image", "document", "video"}

Message = Mapping[str, Any]


def tool_config(request: Mapping[str, Any], messages: Sequence[Message]) -> None:
    """There are tools where messages speak of them, each well specified, and the choice is one of them."""
    if "toolConfig" not in request:
        if any("toolUse" in block or "toolResult" in block for message in messages for block in message["content"]):
            raise invalid("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
        return
    config = typed(request["toolConfig"], dict, "toolConfig")
    tools = typed(config.get("tools", []), list, "toolConfig.tools")
    if not tools:
        raise constraint("[]", "toolConfig.tools", "Member must have length greater than or equal to 1")
    names = {_tool(tool, place) for place, tool in enumerate(tools)}
    if "toolChoice" in config:
        _tool_choice(config["toolChoice"], names)


def _tool(tool: Any, place: int) -> str:
    """Return the name of a tool."""
    at = f"toolConfig.tools.{place}"
    if isinstance(tool, dict) and "cachePoint" in tool:
        raise extraneous_cache_point(f"toolConfig/tools/{place}")
    kind = kind_of(tool, f"Tool object at {at}", {"toolSpec", "systemTool"})
    spec = typed(tool[kind], dict, f"{at}.{kind}")
    matches(spec.get("name"), _TOOL_NAME, f"{at}.{kind}.name")
    if kind == "toolSpec":
        if spec.get("description") == "":
            rule = "Member must have length greater than or equal to 1"
            raise constraint("", f"{at}.toolSpec.description", rule)
        schema = typed(spec.get("inputSchema"), dict, f"{at}.toolSpec.inputSchema").get("json")
        if not isinstance(schema, dict) or schema.get("type") != "object":
            raise invalid(f"The value at {at}.toolSpec.inputSchema.json.type must be one of the following: object.")
    return str(spec["name"])


def _tool_choice(choice: Any, names: set[str]) -> None:
    match choice:
        case {"auto": dict(), **rest} | {"any": dict(), **rest} if not rest:
            return
        case {"tool": {"name": str(name)}, **rest} if not rest:
            if name not in names:
                raise invalid(
                    f"The value at toolConfig.toolChoice.tool.name, {name}, is not the name of a tool in "
                    "toolConfig.tools. Provide the name of one of the tools and try again."
                )
        case _:
            raise invalid(
                "The ToolChoice object at toolConfig.toolChoice must set one of the following keys: any, auto, tool."
            )


def tool_results(messages: Sequence[Message]) -> None:
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


def tool_use(use: Any, at: str) -> None:
    """A call names a tool and has an id and an object as input."""
    matches(typed(use, dict, at).get("toolUseId"), _TOOL_USE_ID, f"{at}.toolUseId")
    matches(use.get("name"), _TOOL_NAME, f"{at}.name")
    if not isinstance(use.get("input"), dict):
        raise invalid(
            f"The format of the value at {at}.input is invalid. Provide a json object for the field and try again."
        )


def tool_result(result: Any, at: str) -> None:
    """A tool's text may be blank: live Bedrock takes it."""
    matches(typed(result, dict, at).get("toolUseId"), _TOOL_USE_ID, f"{at}.toolUseId")
    if result.get("status", "success") not in ("success", "error"):
        raise not_one_of(result["status"], f"{at}.status", ("success", "error"))
    for place, block in enumerate(typed(result.get("content"), list, f"{at}.content")):
        kind_of(block, f"ToolResultContentBlock object at {at}.content.{place}", _RESULT_BLOCKS)
