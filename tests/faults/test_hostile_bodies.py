"""Bodies made to hurt: whatever comes, the answer is a reply or an error in the envelope, never a 500 or silence."""

import asyncio
import gzip
import json
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Message

from doors import body_limit
from server import create_app
from teller.settings import Settings
from tests.support.server import Server

CHAT = "/api/chat/completions/"
OURS = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
NAMES = (
    "messages model temperature top_p max_tokens max_completion_tokens stop stream stream_options n logprobs tools "
    "tool_choice response_format modalities metadata call customer timestamp"
).split()
messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "developer", "user", "assistant", "tool", "function", "boss"])},
        optional={
            "content": st.text(max_size=60) | json_values,
            "tool_calls": json_values,
            "tool_call_id": json_values,
            "name": json_values,
        },
    ),
    max_size=5,
)
bodies = st.dictionaries(st.sampled_from(NAMES), json_values, max_size=5).flatmap(
    lambda body: st.builds(lambda said: {**body, "messages": said}, messages) | st.just(body)
)


def fits(response: httpx.Response) -> None:
    """Hold what must be true of every answer."""
    assert response.status_code in (200, 400, 413, 429), (response.status_code, response.text[:300])
    if response.status_code != 200:
        error: dict[str, Any] = response.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
    elif response.headers["content-type"].startswith("text/event-stream"):
        assert response.text.rstrip().endswith("data: [DONE]")
    else:
        assert response.json()["choices"][0]["message"]["content"] is not None


@OURS
@given(body=bodies)
def test_any_object_is_answered(http: httpx.Client, body: dict[str, Any]) -> None:
    content = json.dumps(body).encode("utf-8", "surrogatepass")
    fits(http.post(CHAT, content=content, headers={"content-type": "application/json"}))


@OURS
@given(body=st.binary(max_size=200))
def test_any_bytes_are_answered(http: httpx.Client, body: bytes) -> None:
    fits(http.post(CHAT, content=body))


@OURS
@given(place=st.integers(0, 10_000), byte=st.binary(min_size=1, max_size=3))
def test_a_good_body_with_a_wound_is_answered(http: httpx.Client, place: int, byte: bytes) -> None:
    good = json.dumps({"messages": [{"role": "user", "content": "What does a wire cost?"}], "stream": False}).encode()
    cut = place % len(good)
    fits(http.post(CHAT, content=good[:cut] + byte + good[cut + 1 :]))


@OURS
@given(route=st.sampled_from(["invoke", "batch", "stream"]), said=messages | json_values, config=json_values)
def test_any_object_is_answered_by_langserve(http: httpx.Client, route: str, said: Any, config: Any) -> None:
    turn = {"messages": said}
    body = {"inputs": [turn]} if route == "batch" else {"input": turn}
    others: list[dict[str, Any]] = [{}, {"config": config}, {"config": [{}, {}]}, {"config": None}, {"kwargs": config}]
    for more in others:
        given_body = {**body, **more}
        content = json.dumps(given_body).encode("utf-8", "surrogatepass")
        answer = http.post(f"/agent/{route}", content=content, headers=JSON)
        assert answer.status_code in (200, 400), (answer.status_code, answer.text[:300])
        if answer.status_code == 400:
            refused(answer, 400)


NESTED = b'{"input": {"messages": %s}}'
JSON = {"content-type": "application/json"}
AGENT = ("invoke", "batch", "stream", "stream_log", "stream_events")


def refused(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, (response.status_code, response.text[:300])
    error: dict[str, Any] = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


@pytest.mark.parametrize("depth", [300, 100_000])
def test_absurd_nesting_is_refused_at_every_door(http: httpx.Client, depth: int) -> None:
    deep = b"[" * depth + b"]" * depth
    for route in AGENT:
        refused(http.post(f"/agent/{route}", content=NESTED % deep, headers=JSON), 400)
        refused(http.post(f"/agent/{route}", content=b'{"config": %s, "input": null}' % deep, headers=JSON), 400)
    said = b'[{"role": "user", "content": "Hello"}]'
    for name in (b"metadata", b"call", b"response_format"):
        refused(http.post(CHAT, content=b'{"messages": %s, "%s": %s}' % (said, name, deep), headers=JSON), 400)
    assert http.post("/api/vapi/events", content=b'{"message": %s}' % deep, headers=JSON).json() == {}


@pytest.mark.parametrize("text", [b'"\\ud800"', b'"\\u0000"', b"7", b"{}", b'{"role": 7}', b'["boss", "x"]', b"[[]]"])
def test_what_is_no_message_is_refused_by_langserve_too(http: httpx.Client, text: bytes) -> None:
    for route in AGENT:
        body = b'{"inputs": [{"messages": [%s]}], "input": {"messages": [%s]}}' % (text, text)
        answer = http.post(f"/agent/{route}", content=body, headers=JSON)
        assert answer.status_code in (200, 400), (route, answer.text[:300])


def test_a_message_that_is_too_long_is_refused_and_named(http: httpx.Client) -> None:
    long = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "x" * 100_001}]
    assert refused(http.post(CHAT, json={"messages": long}), 400)["param"] == "messages.1.content"
    for route in ("invoke", "stream"):
        answer = refused(http.post(f"/agent/{route}", json={"input": {"messages": long}}), 400)
        assert answer["param"] == "input.messages.1.content"
    many = [{"role": "user", "content": "x"}] * 1001
    assert refused(http.post("/agent/invoke", json={"input": {"messages": many}}), 400)["param"] == "input.messages"
    among_all = {"inputs": [{"messages": many[:600]}] * 2}
    assert refused(http.post("/agent/batch", json=among_all), 400)["param"] == "input.messages"
    batch = {"inputs": [{"messages": many[:1]}] * 101}
    assert refused(http.post("/agent/batch", json=batch), 400)["param"] == "inputs"


@pytest.mark.parametrize(
    "unit",
    [
        *("1", "[phone: ", "4242 ", "one ", "no ", "oh ", "and ", "$1,", "*", "|-", "<thinking>", "é", "\n"),
        " " * 20 + "x",
        *("are you ", "what did you ", "so how ", "and can you "),
    ],
)
def test_a_long_message_of_anything_is_answered(http: httpx.Client, unit: str) -> None:
    said = (unit * 100_000)[:100_000]
    for role in ("user", "system", "assistant"):
        messages = [{"role": role, "content": said}, {"role": "user", "content": "Hello"}]
        fits(http.post(CHAT, json={"messages": messages, "stream": False}, timeout=20))
    fits(http.post(CHAT, json={"messages": [{"role": "user", "content": said}], "stream": False}, timeout=20))


@pytest.mark.parametrize("gap", [" ", "\n", "\t", "\u00a0"])
def test_a_long_gap_in_what_is_said_is_passed_over(http: httpx.Client, gap: str) -> None:
    gap = gap * 40_000
    for said in (f"What does{gap}a wire cost?", f"My PIN is 4821,{gap}and that's it.{gap}Thanks"):
        turn = {"messages": [{"role": "user", "content": said}]}
        chat = http.post(CHAT, json={**turn, "stream": False}, timeout=20)
        agent = http.post("/agent/invoke", json={"input": turn}, timeout=20)
        answer = chat.json()["choices"][0]["message"]["content"]
        assert agent.json()["output"] == answer
        assert "$25" in answer or "PIN" in said


@pytest.mark.parametrize("path", [CHAT, "/agent/invoke", "/agent/stream", "/api/vapi/events"])
def test_a_body_is_refused_before_it_is_read_whole(server: Server, path: str) -> None:
    address = urlsplit(server.base_url)
    for head in ("Content-Length: 50000000", "Transfer-Encoding: chunked"):
        with socket.create_connection((address.hostname, address.port or 80), timeout=20) as caller:
            caller.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode())
            for _ in range(12 if "chunked" in head else 0):
                caller.sendall(b"186a0\r\n" + b"x" * 100_000 + b"\r\n")
            assert caller.recv(1000).startswith(b"HTTP/1.1 413 "), head  # and the rest was never sent


@pytest.mark.parametrize("path", [CHAT, "/agent/invoke", "/api/vapi/events", "/api/documents/upload/"])
def test_a_packed_body_is_refused_unread(http: httpx.Client, path: str) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    for coding in ("gzip", "deflate", "br", "GZIP"):
        error = refused(http.post(path, content=bomb, headers={**JSON, "content-encoding": coding}), 415)
        assert "Content-Encoding" in error["message"]
    hello = {"messages": [{"role": "user", "content": "Hello"}]}
    assert http.post(CHAT, json=hello, headers={"content-encoding": "identity"}).status_code == 200


def test_an_upload_of_undeclared_length_is_stopped_too(http: httpx.Client) -> None:
    start = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    body = (piece for piece in (start, *(b"word " * 20_000 for _ in range(120))))
    headers = {"content-type": "multipart/form-data; boundary=b"}
    refused(http.post("/api/documents/upload/", content=body, headers=headers), 413)


async def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limit, "_LONGEST_SECONDS", 0.05)
    sent: list[Message] = []

    async def trickle() -> Message:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "path": CHAT, "method": "POST", "headers": [], "query_string": b"", "raw_path": b""}
    await create_app(Settings(_env_file=None))(scope, trickle, send)
    assert sent[0]["status"] == 408
    assert json.loads(sent[1]["body"])["error"]["type"] == "invalid_request_error"
