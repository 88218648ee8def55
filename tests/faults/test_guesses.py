"""Six requests for one turn, five of them cancelled: the last is answered, and nothing of the others is left behind."""

import asyncio
import json
import shutil
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn

from server import create_app
from teller.settings import Settings
from tests.support.bedrock.client import BedrockWire
from tests.support.server import start_server

LOANS = "What loan options are available right now for a new car".split()
BLOCK_AND_LOANS = "block my card and tell me what loan options are available right now for a new car".split()
"""A guess at this opens a row and speaks its question before the model says anything."""
STALLS: dict[str, dict[str, Any]] = {
    "before the first token": {"stall_before_first": True},
    "after some": {"chunks": 80, "stall_after": 5},
}


@asynccontextmanager
async def guess(base_url: str, body: dict[str, Any]) -> AsyncIterator[asyncio.StreamReader]:
    """Send a request over a socket of its own; leaving the block hangs up."""
    address = urlsplit(base_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    content = json.dumps(body).encode()
    head = f"POST /api/chat/completions/ HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
    try:
        yield reader
    finally:
        writer.close()


def asked(words: list[str], call: str, stream: bool) -> dict[str, Any]:
    return {
        "messages": [{"role": "user", "content": " ".join(words)}],
        "stream": stream,
        "call": {"id": call},
        "metadata": {"phone": "+1234567890"},
    }


async def play_turn(
    base_url: str, wire: BedrockWire, words: list[str], call: str, *, stream: bool, deltas: int
) -> httpx.Response:
    """Play one turn: five guesses that each reach the model and are hung up on, then the whole sentence."""
    for said in range(len(words) - 5, len(words)):
        before = len(wire.requests())
        async with guess(base_url, asked(words[:said], call, stream)):
            await wire.until(lambda seen, before=before: seen[before].deltas >= deltas, 10)  # type: ignore[misc]
    await wire.until(lambda seen: all(one.hung_up for one in seen), 10)
    wire.script({"text": "Three kinds of loans."})
    async with httpx.AsyncClient(timeout=30) as http:
        return await http.post(f"{base_url}/api/chat/completions/", json=asked(words, call, stream))


def open_rows(data_dir: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(data_dir / "teller.db") as ledger:
        rows: list[tuple[str, str]] = ledger.execute("SELECT conversation, state FROM pending").fetchall()
    ledger.close()
    return rows


async def settled_tasks() -> int:
    """Return how many tasks there are once those that are ending have ended."""
    fewest = len(asyncio.all_tasks())
    for _ in range(100):
        await asyncio.sleep(0.02)
        now = len(asyncio.all_tasks())
        if now >= fewest and _ > 10:
            break
        fewest = min(fewest, now)
    return fewest


@asynccontextmanager
async def serving(data_dir: Path) -> AsyncIterator[str]:
    """Serve in this very process and loop, over real TCP: so its tasks can be counted."""
    listening = socket.create_server(("127.0.0.1", 0))
    app = create_app(Settings(data_dir=data_dir, chat_model="amazon.nova-lite-v1:0", _env_file=None))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="on"))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110  (uvicorn has no event for it)
        await asyncio.sleep(0.02)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await running


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize("words", [LOANS, BLOCK_AND_LOANS], ids=["question", "card and question"])
async def test_no_task_socket_or_row_is_left_of_them(
    data_dir: Path, wire: BedrockWire, monkeypatch: pytest.MonkeyPatch, words: list[str], stall: str, stream: bool
) -> None:
    for name, value in wire.environment().items():
        monkeypatch.setenv(name, value)
    async with serving(data_dir) as base_url:
        wire.reset()
        async with httpx.AsyncClient(timeout=30) as http:  # opens what is opened once
            await http.post(f"{base_url}/api/chat/completions/", json=asked(LOANS, "warm", stream))
        tasks = await settled_tasks()
        for turn in range(3):
            wire.reset()
            wire.script(*({**STALLS[stall]} for _ in range(5)))
            deltas = 5 if stall == "after some" else 0
            reply = await play_turn(base_url, wire, words, f"call-{turn}", stream=stream, deltas=deltas)
            assert "Three kinds of loans." in spoken(reply, stream)
            guessed = {one.connection for one in wire.requests()[:5]}
            assert guessed.isdisjoint(wire.connections()), "a guess that was cancelled holds its socket"
        assert await settled_tasks() <= tasks
        rows = {("/call-0", "open"), ("/call-1", "open"), ("/call-2", "open")} if words is BLOCK_AND_LOANS else set()
        assert sorted(open_rows(data_dir)) == sorted(rows), "one wish a call, however often it was guessed at"


def spoken(reply: httpx.Response, stream: bool) -> str:
    assert reply.status_code == 200, reply.text
    if not stream:
        return cast("str", reply.json()["choices"][0]["message"]["content"])
    frames = [line.removeprefix("data: ") for line in reply.text.splitlines() if line.startswith("data: {")]
    deltas = [json.loads(frame)["choices"][0]["delta"] for frame in frames]
    return "".join(delta.get("content") or "" for delta in deltas)


def kilobytes_and_files(pid: int) -> tuple[int, int]:
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    return resident, len(list(Path(f"/proc/{pid}/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc here: memory was not looked at")
async def test_hundreds_of_cancelled_guesses_leave_neither_memory_nor_files(
    bank: Path, tmp_path: Path, wire: BedrockWire
) -> None:
    settings = {"CHAT_MODEL": "amazon.nova-lite-v1:0", "RATE_LIMIT_PER_CALLER": "", **wire.environment()}
    data_dir = shutil.copytree(bank, tmp_path / "data")
    server, process = start_server(data_dir, **settings)
    try:
        reached = await storm(server.base_url, wire, rounds=20)  # until caches, pools and arenas have their size
        resident, files = kilobytes_and_files(process.pid)
        reached += await storm(server.base_url, wire, rounds=50)
        grown, now_open = kilobytes_and_files(process.pid)
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert reached > 100
    assert grown - resident < 8_000, f"{grown - resident} kB more after 300 requests"
    assert now_open <= files + 3


async def storm(base_url: str, wire: BedrockWire, rounds: int) -> int:
    """Play turns, their five guesses at once; half of the guesses stall before the first token, half after some.

    A machine that is busy with other things refuses some of them. Returns how many guesses reached the model.
    """
    reached = 0
    for turn in range(rounds):
        wire.reset()
        wire.script(*[one for one in STALLS.values() for _ in range(3)][:5])
        guesses = [asked(LOANS[:said], f"call-{turn}", stream=said % 2 == 0) for said in range(5, 10)]
        async with AsyncExitStack() as callers:
            readers = [await callers.enter_async_context(guess(base_url, body)) for body in guesses]
            status_lines = [asyncio.create_task(reader.readline()) for reader in readers]
            await wire.until(lambda seen, lines=status_lines: len(seen) + refusals(lines) == 5, 60)  # type: ignore[misc]
            reached += 5 - refusals(status_lines)
        await asyncio.wait(status_lines)
        await wire.until(lambda seen: all(one.hung_up for one in seen), 60)
        async with asyncio.timeout(60):
            while not await is_answered(base_url, asked(LOANS, f"call-{turn}", stream=False)):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    return reached


def refusals(status_lines: list[asyncio.Task[bytes]]) -> int:
    return sum(line.done() and b" 503 " in line.result() for line in status_lines)


async def is_answered(base_url: str, body: dict[str, Any]) -> bool:
    async with httpx.AsyncClient(timeout=30) as http:
        reply = await http.post(f"{base_url}/api/chat/completions/", json=body)
    assert reply.status_code in (200, 503), reply.text
    return reply.status_code == 200
