"""Callers who hang up: all work of their request stops at once, watched from the upstream's side of the socket."""

import json
import select
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.bedrock.client import BedrockWire
from tests.support.server import Server, start_server

LOANS = {"messages": [{"role": "user", "content": "What loan options are available?"}]}
CALLERS = 100


@pytest.fixture(scope="module")
def nova(bank: Path, wire: BedrockWire, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data_dir = shutil.copytree(bank, tmp_path_factory.mktemp("hang-ups") / "data")
    settings = {"CHAT_MODEL": "amazon.nova-lite-v1:0", "MODEL_TIMEOUT_SECONDS": "60", **wire.environment()}
    server, process = start_server(data_dir, **settings)
    yield server
    process.terminate()
    process.communicate(timeout=10)


def call(server: Server, path: str, body: dict[str, Any]) -> socket.socket:
    """Send a request over a socket of its own and return the socket, with nothing read."""
    address = urlsplit(server.base_url)
    content = json.dumps(body).encode()
    caller = socket.create_connection((address.hostname, address.port or 80), timeout=30)
    head = f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
    caller.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
    return caller


def wait_until(wire: BedrockWire, reached: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not reached(wire.requests()):
        assert time.monotonic() < deadline, [(one.deltas, one.closed_at) for one in wire.requests()]
        time.sleep(0.02)


DOORS: list[tuple[str, dict[str, Any]]] = [
    ("/api/chat/completions/", {**LOANS, "stream": True}),
    ("/api/chat/completions/", {**LOANS, "stream": False}),
    ("/agent/invoke", {"input": LOANS}),
    ("/agent/stream", {"input": LOANS}),
]


@pytest.mark.parametrize(("path", "body"), DOORS)
@pytest.mark.parametrize("stall", [{"stall_before_first": True}, {"chunks": 80, "stall_after": 5}])
def test_a_hang_up_closes_the_models_socket(
    nova: Server, wire: BedrockWire, path: str, body: dict[str, Any], stall: dict[str, Any]
) -> None:
    wire.reset()
    wire.script(stall)
    caller = call(nova, path, body)
    wait_until(wire, lambda seen: len(seen) == 1 and seen[0].deltas >= (5 if "chunks" in stall else 0))
    caller.close()
    wait_until(wire, lambda seen: seen[0].hung_up)


def refused(caller: socket.socket) -> bool:
    """Return whether a caller has got an answer already, which only a refusal can be: the model says nothing."""
    return bool(select.select([caller], [], [], 0)[0]) and b" 503 " in caller.recv(100, socket.MSG_PEEK)


def call_until_taken(server: Server, wire: BedrockWire, body: dict[str, Any]) -> socket.socket:
    """Send a chat request until it reaches the model: a machine that is too slow for a hundred refuses some."""
    before = len(wire.requests())
    while True:
        caller = call(server, "/api/chat/completions/", body)
        wait_until(wire, lambda seen, caller=caller: len(seen) > before or refused(caller), seconds=60)
        if len(wire.requests()) > before:
            return caller
        caller.close()
        time.sleep(0.05)


def test_a_hundred_callers_hang_up_at_once(nova: Server, wire: BedrockWire) -> None:
    wire.reset()
    wire.script({"stall_before_first": True, "times": CALLERS})
    callers = [call_until_taken(nova, wire, {**LOANS, "stream": place % 2 == 0}) for place in range(CALLERS)]
    assert not any(one.hung_up for one in wire.requests())
    for caller in callers:
        caller.close()
    wait_until(wire, lambda seen: all(one.hung_up for one in seen))
    assert len(wire.requests()) == CALLERS


def test_of_a_hundred_who_call_at_once_some_are_refused_and_the_next_is_answered(
    nova: Server, wire: BedrockWire
) -> None:
    wire.reset()
    wire.script({"stall_before_first": True, "times": CALLERS})
    callers = [call(nova, "/api/chat/completions/", {**LOANS, "stream": place % 2 == 0}) for place in range(CALLERS)]
    wait_until(wire, lambda seen: len(seen) + sum(map(refused, callers)) == CALLERS, seconds=60)
    for caller in callers:
        caller.close()
    wait_until(wire, lambda seen: len(seen) > 0 and all(one.hung_up for one in seen))
    wire.reset()
    reply = httpx.post(f"{nova.base_url}/api/chat/completions/", json={**LOANS, "stream": False}, timeout=30)
    assert reply.status_code == 200


def test_of_six_guesses_for_one_turn_the_last_is_answered(nova: Server, wire: BedrockWire) -> None:
    wire.reset()
    words = "What loan options are available right now".split()
    wire.script({"stall_before_first": True, "times": 5}, {"text": "Three kinds of loans."})
    for guess in range(1, 6):
        body = {"messages": [{"role": "user", "content": " ".join(words[: guess + 1])}], "call": {"id": "call-1"}}
        caller = call(nova, "/api/chat/completions/", body)
        time.sleep(0.05)  # Vapi's guesses follow one another; how fast does not matter here
        caller.close()
    wait_until(wire, lambda seen: all(one.hung_up for one in seen))
    wire.reset()
    wire.script({"text": "Three kinds of loans.", "times": 3})  # a late guess may still take one
    whole: dict[str, Any] = {**LOANS, "call": {"id": "call-1"}, "stream": False}
    reply = httpx.post(f"{nova.base_url}/api/chat/completions/", json=whole, timeout=30)
    assert reply.json()["choices"][0]["message"]["content"] == "Three kinds of loans."


def test_who_hangs_up_before_his_body_is_whole_is_no_failure_of_ours(nova: Server) -> None:
    body = json.dumps(LOANS).encode()
    log_file = nova.data_dir / "server.log"
    before = log_file.read_text("utf-8")
    for path in ("/api/chat/completions/", "/agent/invoke", "/agent/stream", "/api/vapi/events"):
        address = urlsplit(nova.base_url)
        caller = socket.create_connection((address.hostname, address.port or 80), timeout=30)
        caller.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body[:-1])
        time.sleep(0.05)
        caller.close()
    deadline = time.monotonic() + 20
    while (log := log_file.read_text("utf-8").removeprefix(before)).count('"status": 499') < 4:
        assert time.monotonic() < deadline, log[-2000:]
        time.sleep(0.02)
    assert '"level": "error"' not in log
    assert '"status": 500' not in log
