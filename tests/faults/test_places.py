"""One place a turn, at every door: taken before the turn begins, left when it ends or its caller hangs up."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.bedrock.client import BedrockWire
from tests.support.server import Server, start_server

LOANS: dict[str, Any] = {"messages": [{"role": "user", "content": "What loan options are available?"}]}
DOORS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat stream": ("/api/chat/completions/", {**LOANS, "stream": True}),
    "chat whole": ("/api/chat/completions/", {**LOANS, "stream": False}),
    "invoke": ("/agent/invoke", {"input": LOANS}),
    "batch": ("/agent/batch", {"inputs": [LOANS, LOANS]}),
    "stream": ("/agent/stream", {"input": LOANS}),
    "stream_events": ("/agent/stream_events", {"input": LOANS}),
    "stream_log": ("/agent/stream_log", {"input": LOANS}),
}
STALLS: dict[str, dict[str, Any]] = {
    "before the first token": {"stall_before_first": True},
    "after some": {"chunks": 80, "stall_after": 5},
}


@pytest.fixture(scope="module")
def narrow(bank: Path, wire: BedrockWire, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with one place, and so room for one to wait."""
    data_dir = shutil.copytree(bank, tmp_path_factory.mktemp("places") / "data")
    settings = {"CHAT_MODEL": "amazon.nova-lite-v1:0", "MODEL_TIMEOUT_SECONDS": "60", "MAX_CONCURRENT_TURNS": "1"}
    server, process = start_server(data_dir, **settings, **wire.environment())
    yield server
    process.terminate()
    process.communicate(timeout=10)


@pytest.mark.parametrize(
    ("door", "stall"),
    [*((door, "before the first token") for door in DOORS), ("chat stream", "after some"), ("stream", "after some")],
)
async def test_a_turn_at_any_door_holds_a_place_until_its_caller_hangs_up(
    narrow: Server, wire: BedrockWire, door: str, stall: str
) -> None:
    await asyncio.sleep(1.1)  # the queue of the test before stood, and is closed for a second
    wire.reset()
    wire.script(STALLS[stall])
    path, body = DOORS[door]
    async with httpx.AsyncClient(base_url=narrow.base_url, timeout=60) as http:
        holds = asyncio.create_task(http.post(path, json=body))
        await wire.until(lambda seen: seen[0].deltas >= (5 if stall == "after some" else 0))
        waits = asyncio.create_task(http.post("/api/chat/completions/", json={**LOANS, "stream": False}))
        await asyncio.sleep(0.1)  # until it has arrived
        refused = [await http.post(other, json=content) for other, content in DOORS.values()]
        refused.append(await upload(http))
        assert [reply.status_code for reply in refused] == [503] * (len(DOORS) + 1)
        for reply in refused:
            assert reply.json()["error"]["type"] == "service_unavailable_error"
            assert int(reply.headers["retry-after"]) >= 1
        assert len(wire.requests()) == 1, "nobody else has begun"
        holds.cancel()
        assert (await asyncio.wait_for(waits, 30)).status_code == 200
        assert (await http.post(path, json=body)).status_code == 200


async def upload(http: httpx.AsyncClient) -> httpx.Response:
    files = {"file": ("hours.md", b"# Hours\n\nThe branch in Dunmore opens at nine.", "text/markdown")}
    return await http.post("/api/documents/upload/", files=files)


async def test_a_turn_that_ends_leaves_its_place_whatever_became_of_it(narrow: Server, wire: BedrockWire) -> None:
    await asyncio.sleep(1.1)
    wire.reset()
    async with httpx.AsyncClient(base_url=narrow.base_url, timeout=60) as http:
        for _ in range(3):
            for path, body in DOORS.values():
                assert (await http.post(path, json=body)).status_code == 200
            assert (await upload(http)).status_code == 200
            wire.script({"fault": "AccessDeniedException", "times": 1})
            assert (await http.post("/api/chat/completions/", json=LOANS)).status_code == 503
            assert (await http.post("/api/chat/completions/", content=b"{bad")).status_code == 400
            assert (await http.post("/agent/invoke", content=b"{bad")).status_code == 400


async def test_who_hangs_up_while_waiting_frees_his_place_in_the_queue(narrow: Server, wire: BedrockWire) -> None:
    await asyncio.sleep(1.1)
    wire.reset()
    wire.script({"stall_before_first": True})
    async with httpx.AsyncClient(base_url=narrow.base_url, timeout=60) as http:
        holds = asyncio.create_task(http.post("/api/chat/completions/", json=LOANS))
        await wire.until(lambda seen: len(seen) == 1)
        for path, body in DOORS.values():
            waits = asyncio.create_task(http.post(path, json=body))
            await asyncio.sleep(0.1)
            waits.cancel()
            await asyncio.wait({waits})
        holds.cancel()
        await wire.until(lambda seen: seen[0].hung_up)
        await asyncio.sleep(0.5)  # the server sees a moment later than the client that he who waited is gone
        assert (await http.post("/api/chat/completions/", json={**LOANS, "stream": False})).status_code == 200
    assert len(wire.requests()) == 2, "nobody who hung up began"
