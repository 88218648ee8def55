"""Connections made to hurt: what comes before a request, and a reply that nobody takes, have their bounds too."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from doors import connection
from doors.connection import MOST_HEAD_BYTES, BoundedConnection
from tests.support.server import Server

CHAT = "/api/chat/completions/"
HELLO = json.dumps({"messages": [{"role": "user", "content": "Hello"}], "stream": False}).encode()


def answered(server: Server, *pieces: bytes) -> bytes:
    """Send these bytes over a connection of their own and return what comes back until it is closed."""
    address = urlsplit(server.base_url)
    with socket.create_connection((address.hostname, address.port or 80), timeout=30) as caller:
        for piece in pieces:
            caller.sendall(piece)
        return b"".join(iter(lambda: caller.recv(65_536), b""))


def refused(reply: bytes, status: int) -> dict[str, Any]:
    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), reply[:300]
    assert b"x-request-id: " in head
    error: dict[str, Any] = json.loads(body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


def request(head: str = "", body: bytes = HELLO, method: str = "POST") -> bytes:
    lines = f"{method} {CHAT} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
    return f"{lines}{head}\r\n".encode() + body


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://[bad/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused_in_the_envelope(server: Server, nonsense: bytes) -> None:
    assert "HTTP/1.1" in refused(answered(server, nonsense), 400)["message"]


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health/live HTTP/1.1\r\nX-Much: " + b"a" * 200_000,
        b"GET /health/live HTTP/1.1\r\n" + b"X-Much: a\r\n" * 20_000,
        b"GET /" + b"a" * 200_000,
        b"\r\n" * 100_000,
        b"GET /health/live HTTP/1.1\r\nX-Much: " + b"a" * MOST_HEAD_BYTES + b"\r\n\r\n",
    ],
    ids=["a header", "headers", "an address", "blank lines", "a head that is whole"],
)
def test_a_head_of_any_size_is_not_kept(server: Server, head: bytes) -> None:
    assert "65,536" in refused(answered(server, head), 431)["message"]


def test_trailers_are_headers_too(server: Server) -> None:
    head = f"POST {CHAT} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n".encode()
    refused(answered(server, head, b"X-Much: a\r\n" * 20_000), 431)


def test_a_large_head_within_the_bound_is_read(server: Server) -> None:
    assert answered(server, request(f"X-Much: {'a' * 60_000}\r\n")).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "asked", ["Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c", "Connection: Upgrade\r\nUpgrade: websocket"]
)
@pytest.mark.parametrize("split", [1, 10_000])
def test_a_request_that_asks_for_another_protocol_is_served_in_this_one(server: Server, asked: str, split: int) -> None:
    head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\n{asked}\r\nContent-Length: {len(HELLO)}\r\n\r\n".encode()
    address = urlsplit(server.base_url)
    with socket.create_connection((address.hostname, address.port or 80), timeout=30) as caller:
        whole = head + HELLO
        for place in range(0, len(whole), split):
            caller.sendall(whole[place : place + split])
        reply = caller.recv(65_536)
    assert reply.startswith(b"HTTP/1.1 200 "), reply


@pytest.mark.parametrize(
    "others", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 10_000, b"nonsense"], ids=["requests", "nonsense"]
)
def test_what_is_sent_behind_a_request_is_not_kept_while_that_is_served(server: Server, others: bytes) -> None:
    head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(HELLO)}\r\n\r\n".encode()
    reply = answered(server, head + HELLO + others)
    assert reply.startswith(b"HTTP/1.1 200 ")
    assert reply.count(b"HTTP/1.1 ") == 1


def test_this_is_no_proxy(server: Server) -> None:
    refused(answered(server, b"CONNECT bank.test:443 HTTP/1.1\r\nHost: bank.test\r\n\r\n"), 405)


async def small_app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer at once, or with more than any socket holds."""
    much = scope["path"] == "/much"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(500 if much else 0):
        await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
    await send({"type": "http.response.body", "body": b"done"})


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[uvicorn.Server, int]]:
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(small_app, http=BoundedConnection, ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110  (uvicorn has no event for it)
        await asyncio.sleep(0.01)
    try:
        yield server, listening.getsockname()[1]
    finally:
        server.should_exit = True
        await running


@pytest.mark.parametrize(
    ("begun", "status"),
    [(b"", None), (b"GE", 408), (b"GET / HTTP/1.1\r\nHost: x\r\n", 408), (b"GET / HTTP/1.1\r\n\r\nGET / HTTP", 408)],
    ids=["nothing", "a byte or two", "half a head", "half a head after a request"],
)
async def test_a_request_that_does_not_come_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, begun: bytes, status: int | None
) -> None:
    monkeypatch.setattr(connection, "LONGEST_SECONDS", 0.2)
    async with serving() as (server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        reply = await asyncio.wait_for(reader.read(), 30)
        writer.close()
        await until(lambda: not server.server_state.connections)
    first = reply.partition(b"done\r\n0\r\n\r\n")[2] or reply
    assert not reply if status is None else refused(first, status)


async def test_a_body_behind_its_reply_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LONGEST_SECONDS", 0.2)
    async with serving() as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n")
        assert b"done" in await reader.readuntil(b"\r\n0\r\n\r\n")
        while not writer.transport.is_closing():
            writer.write(b" ")
            await asyncio.sleep(0.01)


async def test_a_reply_that_nobody_takes_ends_with_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LONGEST_SECONDS", 0.2)
    async with serving() as (server, port):
        caller = socket.create_connection(("127.0.0.1", port))
        caller.sendall(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: len(server.server_state.tasks) == 1)
        await until(lambda: not server.server_state.connections and not server.server_state.tasks)
        caller.close()


async def test_a_slow_client_that_goes_on_taking_its_reply_gets_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LONGEST_SECONDS", 5.0)
    async with serving() as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /much HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        taken = 0
        while piece := await reader.read(1_000_000):
            taken += len(piece)
            await asyncio.sleep(0.005)
        writer.close()
    assert taken > 50_000_000


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not reached():  # noqa: ASYNC110  (uvicorn has no event for it)
            await asyncio.sleep(0.01)
