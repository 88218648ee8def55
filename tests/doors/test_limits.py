"""Rates and places: what is too much is told so at once, with when to try again."""

import asyncio
import shutil
from pathlib import Path

import httpx
import pytest

from doors.admission import Admission
from doors.errors import ApiError
from tests.support.server import start_server

HELLO = [{"role": "user", "content": "Hello"}]


def chat(http: httpx.Client, **more: object) -> httpx.Response:
    return http.post("/api/chat/completions/", json={"messages": HELLO, "stream": False, **more})


def test_a_caller_and_a_key_have_their_rates(bank: Path, tmp_path: Path) -> None:
    settings = {"RATE_LIMIT_PER_CALLER": "3/minute", "RATE_LIMIT_PER_KEY": "8/minute", "API_KEYS": "web:secret-key"}
    server, process = start_server(shutil.copytree(bank, tmp_path / "data"), **settings)
    headers = {"authorization": "Bearer secret-key"}
    with httpx.Client(base_url=server.base_url, headers=headers, timeout=30) as http:
        by_caller = [chat(http, metadata={"phone": "+1234567890"}) for _ in range(4)]
        other = chat(http, metadata={"phone": "+1234567891"})
        by_key = [chat(http) for _ in range(4)]
    process.terminate()
    process.communicate(timeout=10)
    assert [reply.status_code for reply in by_caller] == [200, 200, 200, 429]
    assert other.status_code == 200
    assert by_key[-1].status_code == 429
    for refused in (by_caller[-1], by_key[-1]):
        assert refused.json()["error"]["type"] == "rate_limit_error"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert "+1234567890" not in refused.text


async def test_as_many_turns_wait_as_run_and_the_next_is_refused() -> None:
    admission = Admission(2)
    places = [await admission.enter(), await admission.enter()]
    waiting = [asyncio.create_task(admission.enter()) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(ApiError) as refused:
        await admission.enter()
    assert (refused.value.status, "retry-after" in refused.value.headers) == (503, True)
    for place in places:
        place.leave()
        place.leave()  # twice is once
    assert [task.result() for task in waiting if await asyncio.wait_for(task, 1)]


async def test_a_caller_who_hangs_up_while_waiting_leaves_the_queue() -> None:
    admission = Admission(1)
    place = await admission.enter()
    waiting = asyncio.create_task(admission.enter())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    place.leave()
    assert await asyncio.wait_for(admission.enter(), 1)
