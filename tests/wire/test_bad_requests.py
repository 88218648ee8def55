"""What is wrong with a request is told in OpenAI's envelope, names the parameter, and changes nothing."""

from typing import Any

import httpx
import pytest

from tests.support.server import Server

CHAT = "/api/chat/completions/"
HELLO = [{"role": "user", "content": "Hello"}]


def refused(response: httpx.Response, status: int = 400) -> dict[str, Any]:
    """Return the error of a reply that must be an envelope with all four fields."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"]
    error: dict[str, Any] = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert "Traceback" not in response.text
    return error


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": None}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": [{"role": "boss", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"content": "x"}]}, "messages.0.role"),
        ({"messages": [*HELLO, {"role": "user", "content": 7}]}, "messages.1.content"),
        ({"messages": [{"role": "user", "content": None}]}, "messages.0"),
        ({"messages": [{"role": "user", "content": ""}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}, "messages.0.content"),
        ({"temperature": 2.01}, "temperature"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 4097}, "max_tokens"),
        ({"max_completion_tokens": 0}, "max_completion_tokens"),
        ({"top_p": 1.5}, "top_p"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"stream": "yes"}, "stream"),
        ({"model": 7}, "model"),
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"tools": "x"}, "tools"),
        ({"tools": [{"type": "function"}]}, "tools.0"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools.0.function.name"),
        (
            {"tools": [{"type": "function", "function": {"name": "a", "parameters": "x"}}]},
            "tools.0.function.parameters",
        ),
        ({"tool_choice": "bogus"}, "tool_choice"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": 5}, "tool_choice"),
        ({"tool_choice": {"type": "function"}}, "tool_choice"),
        (
            {"messages": [{"role": "assistant", "content": "x", "tool_calls": [{"function": "x"}]}, *HELLO]},
            "messages.0.tool_calls.0.function",
        ),
    ],
)
def test_a_wrong_parameter_is_named(http: httpx.Client, change: dict[str, Any], param: str) -> None:
    error = refused(http.post(CHAT, json={"messages": HELLO, **change}))
    assert (error["type"], error["param"]) == ("invalid_request_error", param)


@pytest.mark.parametrize("body", [b"{bad", b"", b"[]", b'"text"', b"\xff\xfe", b'{"messages": NaN}', b"[" * 100_000])
def test_a_body_that_is_no_object_is_told_so(http: httpx.Client, body: bytes) -> None:
    refused(http.post(CHAT, content=body))


def test_null_is_the_same_as_absent(http: httpx.Client) -> None:
    names = ("model", "temperature", "max_tokens", "max_completion_tokens", "top_p", "stop", "n", "stream_options")
    reply = http.post(CHAT, json={"messages": HELLO, "stream": False, **dict.fromkeys(names)})
    assert reply.status_code == 200


def test_unknown_parameters_are_ignored(http: httpx.Client) -> None:
    body = {"messages": HELLO, "stream": False, "assistant": {"id": "a"}, "seed": 3, "metadata": {"n": 1}, "user": "u"}
    assert http.post(CHAT, json=body).status_code == 200


def test_a_large_max_completion_tokens_is_clamped(http: httpx.Client) -> None:
    assert http.post(CHAT, json={"messages": HELLO, "max_completion_tokens": 100_000}).status_code == 200


def test_a_body_of_two_megabytes_is_too_large(http: httpx.Client) -> None:
    body = {"messages": [{"role": "user", "content": "x" * 2_000_000}]}
    assert refused(http.post(CHAT, json=body), 413)["type"] == "invalid_request_error"


def test_a_body_of_undeclared_length_is_stopped_too(http: httpx.Client) -> None:
    refused(http.post(CHAT, content=(b"x" * 100_000 for _ in range(20))), 413)


def test_too_many_messages_are_told_so(http: httpx.Client) -> None:
    assert refused(http.post(CHAT, json={"messages": HELLO * 1001}))["param"] == "messages"


def test_an_unknown_address_and_a_wrong_method_answer_in_the_envelope(http: httpx.Client) -> None:
    refused(http.get("/nowhere"), 404)
    response = http.get(CHAT)
    refused(response, 405)
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize("tag", ["[phone: not-a-number]", "[phone: ]", "[phone: +19995550000]", "[phone: 12]"])
def test_a_tag_that_is_nobodys_is_answered_and_writes_nothing(server: Server, http: httpx.Client, tag: str) -> None:
    before = server.teller("cards", "list", "--json")
    body = {"messages": [{"role": "user", "content": f"Block my credit card {tag}"}], "stream": False}
    reply = http.post(CHAT, json=body).json()["choices"][0]["message"]["content"]
    assert "can't" in reply
    assert "person" in reply
    assert server.teller("cards", "list", "--json") == before
