"""The LangServe routes, as its own client and as plain HTTP."""

import asyncio
import re

import httpx
import pytest
from langchain_core.messages import HumanMessage
from langserve import RemoteRunnable

from tests.support.server import Server

LOANS = "What loan options are available?"


async def test_its_own_client_invokes_streams_and_batches(server: Server) -> None:
    agent = RemoteRunnable[dict[str, list[HumanMessage]], str](f"{server.base_url}/agent/")
    asked = {"messages": [HumanMessage(LOANS)]}
    whole = await agent.ainvoke(asked)
    assert "personal loans" in whole.lower()
    pieces = [piece async for piece in agent.astream(asked)]
    assert len(pieces) > 3
    assert "".join(pieces) == whole
    assert await agent.abatch([asked, asked]) == [whole, whole]
    await agent.async_client.aclose()
    agent.sync_client.close()
    await asyncio.sleep(0.1)  # the sockets close a moment after their client


@pytest.mark.parametrize(
    "message", [{"role": "user", "content": "Hello"}, ["human", "Hello"], {"type": "human", "content": "Hello"}]
)
def test_messages_are_taken_in_every_form(http: httpx.Client, message: object) -> None:
    reply = http.post("/agent/invoke", json={"input": {"messages": [message]}})
    assert "Teller" in reply.json()["output"]


def test_the_caller_field_names_the_caller(http: httpx.Client) -> None:
    given = {"messages": [{"role": "user", "content": "is my card active?"}], "caller": {"phone": "+1234567890"}}
    reply = http.post("/agent/invoke", json={"input": given})
    assert reply.json()["output"] == "Your Everyday Visa ending 1881 is active."


@pytest.mark.parametrize("route", ["invoke", "batch", "stream", "stream_log", "stream_events"])
def test_nonsense_answers_in_the_envelope(http: httpx.Client, route: str) -> None:
    for body in (b"{bad", b"{}", b'{"input": {"messages": []}}', b'{"input": 7}'):
        reply = http.post(f"/agent/{route}", content=body, headers={"content-type": "application/json"})
        assert reply.status_code == 400, (route, body, reply.text)
        assert reply.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("route", ["invoke", "stream", "stream_log", "stream_events"])
def test_what_could_not_be_streamed_back_is_refused(http: httpx.Client, route: str) -> None:
    """A number beyond 64 bits would break off a stream that repeats its input."""
    message = {"type": "human", "content": "Hello", "additional_kwargs": {"huge": 2**70}}
    reply = http.post(f"/agent/{route}", json={"input": {"messages": [message]}})
    assert (reply.status_code, reply.json()["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize("route", ["stream_log", "stream_events"])
@pytest.mark.parametrize("words", ["is my card active?", "I lost my card", "what is my balance, my PIN is 1234"])
def test_a_card_turn_is_streamed_and_shows_no_more_than_is_said(http: httpx.Client, route: str, words: str) -> None:
    """What the nodes hand on, a card with its balance among it, is neither shown nor breaks the stream."""
    given = {"messages": [{"role": "user", "content": words}], "caller": {"phone": "+1234567890"}}
    reply = http.post(f"/agent/{route}", json={"input": given})
    assert (reply.status_code, "event: error" in reply.text) == (200, False)
    assert re.search(r"\bPIN\b|1881", reply.text)
    assert not [told for told in ("412.65", "3000", "1234567890", "token_", "Castellan") if told in reply.text]


@pytest.mark.parametrize("route", ["stream_log", "stream_events"])
def test_parts_that_are_no_text_are_not_streamed_back(http: httpx.Client, route: str) -> None:
    content = [{"type": "text", "text": "Hello"}, {"type": "note", "note": "4111 1111 1111 1111"}]
    reply = http.post(f"/agent/{route}", json={"input": {"messages": [{"type": "human", "content": content}]}})
    assert reply.status_code == 200
    assert "Teller" in reply.text
    assert "4111" not in reply.text


def test_the_playground_is_served(http: httpx.Client) -> None:
    assert http.get("/agent/playground/").status_code == 200
    assert http.get("/docs").status_code == 200


@pytest.mark.parametrize("name", ["assets", "%00", "a" * 5000, "..%2f..%2fserver.py", "none.js"])
def test_the_playground_has_its_own_files_and_no_other(http: httpx.Client, name: str) -> None:
    reply = http.get(f"/agent/playground/{name}")
    assert reply.status_code == 404
    assert set(reply.json()["error"]) == {"message", "type", "param", "code"}
