"""Tools as OpenAI's clients declare, choose and call them, in the forms that Bedrock takes."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from langchain_core.messages import ToolCall

_NO_PARAMETERS = {"type": "object", "properties": {}}
_NOT_IN_NAME = re.compile(r"[^a-zA-Z0-9_-]")
_NOT_IN_ID = re.compile(r"[^a-zA-Z0-9_.:-]")
_LONGEST = 64  # characters of a name or an id: botocore's service model, ToolName and ToolUseId


def declared(tools: Iterable[Any]) -> list[Any]:
    """Return tools that may be sent.

    Those in OpenAI's form are copied with what Bedrock knows of them: langchain-aws 1.9.1 changes them in place, so
    that a bound model would work once, and it fails where `parameters` is missing, as it may be.
    """
    return [_openai(tool) if isinstance(tool, dict) and "function" in tool else tool for tool in tools]


def choice(wanted: Any) -> Any:
    """Return a tool choice in a form that langchain-aws takes, or "none", which it takes for a tool's name."""
    match wanted:
        case "required" | True:
            return "any"
        case False:
            return "none"
        case {"type": "function", "function": {"name": name}}:
            return {"tool": {"name": name}}
        case {"type": "auto" | "any" | "none" as kind}:
            return kind
        case _:
            return wanted


def lawful(calls: Sequence[ToolCall], taken: set[str]) -> list[ToolCall]:
    """Return calls with names and ids that Bedrock takes; an id stands once in a conversation, and joins `taken`."""
    return [_lawful(call, taken) for call in calls]


def _openai(tool: dict[str, Any]) -> dict[str, Any]:
    function = tool["function"]
    kept = {key: function[key] for key in ("name", "description", "strict") if function.get(key) is not None}
    return {"type": "function", "function": {**kept, "parameters": _NO_PARAMETERS | (function.get("parameters") or {})}}


def _lawful(call: ToolCall, taken: set[str]) -> ToolCall:
    name = _NOT_IN_NAME.sub("_", call["name"])[:_LONGEST] or "tool"
    wished = _NOT_IN_ID.sub("-", call["id"] or "")[:_LONGEST] or "call"
    unique, again = wished, 1
    while unique in taken:
        again += 1
        unique = f"{wished[: _LONGEST - 6]}-{again}"
    taken.add(unique)
    return ToolCall(name=name, args=call["args"], id=unique)
