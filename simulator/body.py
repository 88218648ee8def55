"""The body of a request, in the form in which Vapi sends it (and a chat client, where there is no call)."""

from datetime import datetime
from typing import Any

from simulator.history import Message
from simulator.script import Setting

_MADE_UP = "5f1d0c3a-0000-4000-8000-000000000001"
_TOOLS: dict[str, dict[str, Any]] = {
    "endCall": {
        "type": "function",
        "function": {
            "name": "endCall",
            "description": "Hang up.",
            "parameters": {"type": "object", "properties": {}},
        },
    },
    "transferCall": {
        "type": "transferCall",
        "function": {
            "name": "transferCall",
            "description": "Put the caller through.",
            "parameters": {
                "type": "object",
                "properties": {"destination": {"type": "string", "enum": ["+15550004444"]}},
                "required": ["destination"],
            },
        },
        "destinations": [{"type": "number", "number": "+15550004444", "description": "a person of the service team"}],
    },
}


def request_body(
    setting: Setting, number: str | None, call_id: str, messages: list[Message], at: datetime, in_turn: int
) -> dict[str, Any]:
    """Return the body of the request that is the `in_turn`-th of its turn, sent `at` this time."""
    how = setting.caller.how
    body: dict[str, Any] = {
        "model": "simulated-call",
        "messages": _tagged(messages, number) if how == "tag" and number else messages,
        "temperature": 0.5,
        "max_tokens": 250,
        "stream": True,
    }
    if setting.tools:
        body["tools"] = [_TOOLS.get(name) or _made_up(name) for name in setting.tools]
    metadata: dict[str, Any] = {}
    if setting.channel == "voice":
        metadata["numModelRequestInTurn"] = in_turn
        body |= _call(call_id, number if how == "vapi" else None)
        body["timestamp"] = round(at.timestamp() * 1000)
    else:
        metadata["conversation_id"] = call_id
    if asserted := setting.caller.metadata or (number if how == "metadata" else None):
        metadata["phone"] = asserted
    if number and how == "vapi":
        body["customer"] = {"number": number}
    return body | {"metadata": metadata}


def _made_up(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}


def end_of_call(call_id: str, at: datetime) -> dict[str, Any]:
    """Return the server message that tells the end of a call."""
    return {
        "message": {
            "type": "end-of-call-report",
            "timestamp": round(at.timestamp() * 1000),
            "endedReason": "customer-ended-call",
            "call": {"id": call_id, "type": "inboundPhoneCall"},
        }
    }


def _call(call_id: str, number: str | None) -> dict[str, Any]:
    return {
        "call": {
            "id": call_id,
            "orgId": _MADE_UP,
            "type": "inboundPhoneCall",
            "status": "in-progress",
            "transport": {"provider": "twilio", "conversationType": "voice"},
            "monitor": {"controlUrl": "https://control.example.invalid/simulated"},
            **({"customer": {"number": number}} if number else {}),
            "assistantOverrides": {"variableValues": {}},
        },
        "phoneNumber": {"number": "+15550100200", "provider": "twilio"},
        "assistant": {"id": _MADE_UP, "name": "simulated"},
    }


def _tagged(messages: list[Message], number: str) -> list[Message]:
    """Return the messages with the caller's number behind the first words of the user."""
    place = next((place for place, message in enumerate(messages) if message["role"] == "user"), None)
    if place is None:
        return messages
    tagged = {**messages[place], "content": f"{messages[place]['content']} [phone: {number}]"}
    return [*messages[:place], tagged, *messages[place + 1 :]]
