"""The client's own tools: hanging up and putting through by rule, with every model."""

import json
from typing import Any

import httpx
import pytest

CHAT = "/api/chat/completions/"


def function(name: str, **parameters: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": parameters or {"type": "object"}}}


def ask(http: httpx.Client, said: str, tools: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    body = {"messages": [{"role": "user", "content": said}], "tools": tools, "stream": False, **more}
    reply = http.post(CHAT, json=body)
    assert reply.status_code == 200, reply.text
    choice: dict[str, Any] = reply.json()["choices"][0]
    return choice


@pytest.mark.parametrize("name", ["endCall", "end_call_tool", "hangup", "my_end_call"])
def test_a_goodbye_hangs_up_under_any_name(http: httpx.Client, name: str) -> None:
    choice = ask(http, "Okay thanks, goodbye!", [function(name)])
    call = choice["message"]["tool_calls"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    assert (call["type"], call["function"]) == ("function", {"name": name, "arguments": "{}"})


DESTINATIONS = [
    {"type": "number", "number": "+15550001111", "description": "the sales line"},
    {"type": "number", "number": "+15550002222", "description": "a person who helps customers"},
]
TRANSFERS = [
    ({"type": "transferCall", "destinations": DESTINATIONS}, "transferCall", "+15550002222"),
    ({**function("transfer_call_tool_1"), "destinations": DESTINATIONS[:1]}, "transfer_call_tool_1", "+15550001111"),
    (function("transferCall", properties={"destination": {"enum": ["+15550003333"]}}), "transferCall", "+15550003333"),
]


@pytest.mark.parametrize("wrong", [5, "x", {"a": 1}, [5], True])
def test_a_tool_of_wrong_types_is_one_that_says_nothing(http: httpx.Client, wrong: Any) -> None:
    vapi = {"type": "transferCall", "destinations": wrong}
    named = function("transfer_call", properties={"destination": {"enum": wrong}}, required=wrong)
    for tool in (vapi, named, function("transfer_call", properties=wrong)):
        assert ask(http, "What does a wire cost?", [tool])["message"]["content"]
        assert ask(http, "I want to speak to a real person please", [tool])["message"]


@pytest.mark.parametrize(("tool", "name", "number"), TRANSFERS)
def test_a_wish_for_a_person_puts_through(http: httpx.Client, tool: dict[str, Any], name: str, number: str) -> None:
    choice = ask(http, "I want to speak to a real person please", [tool])
    call = choice["message"]["tool_calls"][0]["function"]
    assert (call["name"], json.loads(call["arguments"])) == (name, {"destination": number})


@pytest.mark.parametrize(
    ("name", "takes", "required"),
    [
        ("transfer_funds", "amount", ["amount"]),
        ("transfer_funds", "amount", []),
        ("wire_transfer", "to", []),
        ("transfer_to_account", "number", []),
        ("make_transfer", "iban", []),
    ],
)
def test_a_tool_that_moves_money_is_no_transfer(http: httpx.Client, name: str, takes: str, required: list[str]) -> None:
    tool = function(name, properties={takes: {"type": "string"}}, required=required)
    choice = ask(http, "I want to speak to a real person please", [tool])
    assert choice["finish_reason"] == "stop"
    assert "person" in choice["message"]["content"]


def test_tool_choice_none_stops_the_rules_too(http: httpx.Client) -> None:
    choice = ask(http, "goodbye", [function("endCall")], tool_choice="none")
    assert choice["finish_reason"] == "stop"


def test_other_turns_are_answered_as_ever(http: httpx.Client) -> None:
    choice = ask(http, "What loan options are available?", [function("endCall"), function("get_weather")])
    assert choice["finish_reason"] == "stop"
    assert "personal loans" in choice["message"]["content"]


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "endCall"}}])
def test_a_model_that_cannot_call_tools_refuses_to_be_made_to(http: httpx.Client, choice: object) -> None:
    body = {"messages": [{"role": "user", "content": "hi"}], "tools": [function("endCall")], "tool_choice": choice}
    refused = http.post(CHAT, json=body)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "tool_choice")


def test_in_a_stream_the_call_comes_without_content(http: httpx.Client) -> None:
    body = {"messages": [{"role": "user", "content": "goodbye"}], "tools": [function("endCall")]}
    lines = [line.removeprefix("data: ") for line in http.post(CHAT, json=body).text.splitlines() if line]
    choices = [json.loads(line)["choices"][0] for line in lines[:-1]]
    assert "".join(choice["delta"].get("content") or "" for choice in choices) == ""
    assert [call["function"]["name"] for choice in choices for call in choice["delta"].get("tool_calls", [])] == [
        "endCall"
    ]
    assert choices[-1]["finish_reason"] == "tool_calls"


def test_a_tools_result_is_taken_as_done(http: httpx.Client) -> None:
    called = {"id": "call_1", "type": "function", "function": {"name": "dtmf", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "press one"},
        {"role": "assistant", "content": None, "tool_calls": [called]},
        {"role": "tool", "tool_call_id": "call_1", "content": "ok"},
    ]
    reply = http.post(CHAT, json={"messages": messages, "stream": False}).json()
    assert reply["choices"][0]["message"]["content"].startswith("That's done.")
