"""The client's own tools. Hanging up and putting through are done by rule; the others are offered to the model.

The rules follow Vapi's tools under the names that its dashboard gives them: `endCall`, `end_call_tool`, `transferCall`,
`transfer_call_tool_…`.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from graph.events import ToolCallDelta
from graph.state import CardOutcome, Intent, Retrieval

Tool = dict[str, Any]
"""A tool as a request declares it: `{"type": …, "function": {"name", "description", "parameters"}}`."""

_END_CALL = re.compile(r"end_?call|hang_?up", re.IGNORECASE)
_TRANSFER_CALL = re.compile(r"transfer_?call", re.IGNORECASE)
_TRANSFER = re.compile(r"transfer", re.IGNORECASE)
_OF_MONEY = re.compile(
    r"fund|money|cash|amount|payment|balance|wire|sepa|iban|payee|currency|bank_?transfer|account_?transfer|to_?account$",
    re.IGNORECASE,
)
_NOTHING_DONE = ("no_number", "not_trusted", "conflict", "unknown_number", "no_cards", "no_conversation", "unavailable")


@dataclass(frozen=True, slots=True)
class ClientTools:
    """A request's tools, sorted: how to hang up, how to put through, and what is the model's to call.

    `demanded`: the client insists on a call.
    """

    end_call: str | None = None
    transfer: ToolCallDelta | None = None
    others: tuple[Tool, ...] = ()
    demanded: bool = False

    def call_for(
        self, intent: Intent, outcome: CardOutcome | None, retrieval: Retrieval | None
    ) -> ToolCallDelta | None:
        """Return the call that a turn leads to by rule: a goodbye hangs up, a wish for a person puts through.

        Where there is something to say first, an answer or a question about a card, a person is offered instead.
        """
        if intent.topic == "goodbye" and self.end_call:
            return _call(self.end_call, {})
        silent = (outcome is None or outcome.kind in _NOTHING_DONE) and not (retrieval and retrieval.passages)
        return self.transfer if "handoff" in intent.routes and silent else None


def sort_tools(tools: Iterable[Tool], tool_choice: object) -> ClientTools:
    """Return a request's tools, sorted; `tool_choice: "none"` stops them all.

    Where a call is demanded it is the model's to make, whichever the tool.
    """
    if tool_choice == "none":
        return ClientTools()
    if tool_choice == "required" or isinstance(tool_choice, dict):
        return ClientTools(others=tuple(_as_function(tool, tool_name(tool)) for tool in tools), demanded=True)
    end_call: str | None = None
    transfer: ToolCallDelta | None = None
    others: list[Tool] = []
    for tool in tools:
        name = tool_name(tool)
        if not name:
            continue
        if _END_CALL.search(name):
            end_call = end_call or name
        elif _puts_through(tool, name):
            transfer = transfer or _call(name, _destination(tool))
        else:
            others.append(_as_function(tool, name))
    return ClientTools(end_call, transfer, tuple(others))


def tool_name(tool: Tool) -> str:
    """Return the name under which a tool is called; a platform's own tool without one goes by its type."""
    function = tool.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else str(tool.get("type", "")) if tool.get("type") != "function" else ""


def _as_function(tool: Tool, name: str) -> Tool:
    """Return a tool of a platform's own type, such as Vapi's `dtmf`, in the form that models are offered."""
    if tool.get("type") == "function":
        return tool
    function = tool.get("function") if isinstance(tool.get("function"), dict) else {}
    return {"type": "function", "function": {"parameters": {"type": "object"}, **(function or {}), "name": name}}


def _properties(tool: Tool) -> tuple[dict[str, Any], list[Any]]:
    parameters = (tool.get("function") or {}).get("parameters") or {}
    properties, required = parameters.get("properties"), parameters.get("required")
    return properties if isinstance(properties, dict) else {}, _list(required)


def _puts_through(tool: Tool, name: str) -> bool:
    """`transfer_funds(amount)` moves money and puts nobody through, by its name or by what it takes."""
    if tool.get("type") == "transferCall" or _TRANSFER_CALL.search(name):
        return True
    properties, required = _properties(tool)
    of_money = any(map(_OF_MONEY.search, (name, *properties)))
    return bool(_TRANSFER.search(name)) and not of_money and ("destination" in properties or not required)


def _destination(tool: Tool) -> dict[str, str]:
    """Return the arguments of a transfer: the destination described as a person's, else the first, else none."""
    listed = [entry for entry in _list(tool.get("destinations")) if isinstance(entry, dict)]
    numbers = [(str(entry.get("number") or entry.get("sipUri") or ""), _words(entry)) for entry in listed]
    destination = _properties(tool)[0].get("destination")
    choices = _list(destination.get("enum")) if isinstance(destination, dict) else []
    numbers += [(str(choice), "") for choice in choices]
    known = [number for number in numbers if number[0]]
    if not known:
        return {}
    best = next((number for number, words in known if re.search(r"person|agent|human|support|service", words)), None)
    return {"destination": best or known[0][0]}


def _list(given: object) -> list[Any]:
    return given if isinstance(given, list) else []


def _words(entry: dict[str, Any]) -> str:
    return f"{entry.get('description', '')} {entry.get('message', '')}".lower()


def _call(name: str, arguments: dict[str, str]) -> ToolCallDelta:
    return ToolCallDelta(0, f"call_{uuid4().hex[:24]}", name, json.dumps(arguments, separators=(",", ":")))
