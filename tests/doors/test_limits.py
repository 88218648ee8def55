"""Rates and places: what is too much is told so at once, with when to try again."""

import asyncio
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from doors.admission import Admission, Place
from doors.errors import ApiError
from doors.pulse import keep_pulse
from doors.refusal import RefuseAtOnce
from tests.support.server import start_server

HELLO = [{"role": "user", "content": "Hello"}]


ROUTES = ("invoke", "stream", "stream_log", "stream_events")


def chat(http: httpx.Client, headers: dict[str, str] | None = None, **more: object) -> httpx.Response:
    body = {"messages": HELLO, "stream": False, **more}
    return http.post("/api/chat/completions/", json=body, headers=headers)


def agent(said: str) -> dict[str, dict[str, list[dict[str, str]]]]:
    return {"input": {"messages": [{"role": "user", "content": said}]}}


def test_a_caller_and_a_key_have_their_rates(bank: Path, tmp_path: Path) -> None:
    settings = {"RATE_LIMIT_PER_CALLER": "3/minute", "RATE_LIMIT_PER_KEY": "8/minute", "API_KEYS": "web:secret-key"}
    server, process = start_server(shutil.copytree(bank, tmp_path / "data"), **settings)
    headers = {"authorization": "Bearer secret-key"}
    with httpx.Client(base_url=server.base_url, headers=headers, timeout=30) as http:
        by_caller = [chat(http, metadata={"phone": "+1234567890"}) for _ in range(4)]
        other = chat(http, metadata={"phone": "+1234567891"})
        by_key = [chat(http) for _ in range(4)]
        event = http.post("/api/vapi/events", json={"message": {"type": "end-of-call-report", "call": {"id": "c"}}})
    process.terminate()
    process.communicate(timeout=10)
    assert [reply.status_code for reply in by_caller] == [200, 200, 200, 429]
    assert other.status_code == 200
    assert by_key[-1].status_code == 429
    assert (event.status_code, event.json()) == (200, {})  # Vapi would only send it again
    for refused in (by_caller[-1], by_key[-1]):
        assert refused.json()["error"]["type"] == "rate_limit_error"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert "+1234567890" not in refused.text


NUMBERS = [f"+1999555{number:04d}" for number in range(20)]


def test_who_tries_many_numbers_is_slowed_and_learns_nothing_of_the_next(bank: Path, tmp_path: Path) -> None:
    settings = {"RATE_LIMIT_UNKNOWN_NUMBERS": "5/hour", "API_KEYS": "web:secret-key,other:other-key"}
    server, process = start_server(shutil.copytree(bank, tmp_path / "data"), **settings)
    with httpx.Client(base_url=server.base_url, headers={"authorization": "Bearer secret-key"}, timeout=30) as http:
        known = [chat(http, metadata={"phone": "+1234567890"}).status_code for _ in range(3)]
        unknown = [chat(http, metadata={"phone": number}).status_code for number in (NUMBERS[0], *NUMBERS[:5])]
        guessed = chat(http, metadata={"phone": NUMBERS[5]})
        tagged = http.post("/agent/invoke", json=agent(f"Hello [phone: {NUMBERS[6]}]"))
        new_to_this_key = chat(http, metadata={"phone": "+1234567891"})
        goes_on = chat(http, metadata={"phone": "+1234567890"})
        without_number = chat(http)
        by_another_key = chat(http, metadata={"phone": NUMBERS[7]}, headers={"authorization": "Bearer other-key"})
    process.terminate()
    process.communicate(timeout=10)
    assert known == [200] * 3, "who is known costs nothing"
    assert unknown == [200] * 6, "and an unknown number counts once"
    assert (guessed.status_code, tagged.status_code) == (429, 429)
    assert new_to_this_key.status_code == 429, "else the refusal would tell which numbers there are"
    assert new_to_this_key.json()["error"].keys() == guessed.json()["error"].keys()
    assert int(guessed.headers["retry-after"]) >= 1
    assert [reply.status_code for reply in (goes_on, without_number, by_another_key)] == [200, 200, 200]
    log = (server.data_dir / "server.log").read_text("utf-8")
    assert "1999555" not in log + guessed.text + tagged.text


def test_a_caller_has_the_same_rate_at_every_door(bank: Path, tmp_path: Path) -> None:
    server, process = start_server(shutil.copytree(bank, tmp_path / "data"), RATE_LIMIT_PER_CALLER="4/minute")
    given = {**agent("Hello")["input"], "caller": {"phone": "+1234567890"}}
    with httpx.Client(base_url=server.base_url, timeout=30) as http:
        assert http.post("/agent/invoke", json={"input": given}).status_code == 200
        assert chat(http, metadata={"phone": "+1234567890"}).status_code == 200
        batch = http.post("/agent/batch", json={"inputs": [given, given]})
        refused = [http.post(f"/agent/{route}", json={"input": given}) for route in ROUTES]
        refused.append(chat(http, metadata={"phone": "+1234567890"}))
    process.terminate()
    process.communicate(timeout=10)
    assert batch.status_code == 200, "a batch counts a turn for each of its inputs"
    assert [reply.status_code for reply in refused] == [429] * 5
    assert all(int(reply.headers["retry-after"]) >= 1 for reply in refused)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_as_many_turns_wait_as_run_and_the_next_is_refused() -> None:
    admission = Admission(2)
    places = [admission.place() for _ in range(4)]
    for place in places[:2]:
        await place.take()
    waiting = [asyncio.create_task(place.take()) for place in places[2:]]
    await asyncio.sleep(0)
    with pytest.raises(ApiError) as refused:
        await admission.place().take()
    assert (refused.value.status, "retry-after" in refused.value.headers) == (503, True)
    for place in places[:2]:
        place.leave()
        place.leave()  # twice is once
    await asyncio.wait_for(asyncio.gather(*waiting), 1)
    for place in places:
        place.leave()
    async with asyncio.timeout(1), admission.place(), admission.place():
        pass


async def full(most: int) -> tuple[Admission, list[Place], asyncio.Task[None]]:
    """Return an admission whose places are all taken, these places, and one who waits for the next."""
    admission = Admission(most)
    places = [admission.place() for _ in range(most)]
    for place in places:
        await place.take()
    waiting = asyncio.create_task(admission.place().take())
    await asyncio.sleep(0)
    return admission, places, waiting


async def test_a_caller_who_hangs_up_while_waiting_leaves_the_queue() -> None:
    admission, (place,), waiting = await full(1)
    waiting.cancel()
    await asyncio.wait({waiting})
    place.leave()
    await asyncio.wait_for(admission.place().take(), 1)


async def test_a_caller_who_hangs_up_when_his_place_comes_gives_it_on() -> None:
    admission, (place,), waiting = await full(1)
    place.leave()
    waiting.cancel()  # let in, but not awake yet
    await asyncio.wait({waiting})
    await asyncio.wait_for(admission.place().take(), 1)


async def test_a_burst_may_wait_and_a_queue_may_not_stand() -> None:
    clock = Clock()
    admission = Admission(10, clock)
    held = [admission.place() for _ in range(10)]
    for place in held:
        await place.take()
    burst = [asyncio.create_task(admission.place().take()) for _ in range(3)]
    for _ in range(3):
        await asyncio.sleep(0.1)
        clock.now += 0.1
        burst.append(asyncio.create_task(admission.place().take()))
    await asyncio.sleep(0.1)
    assert not any(task.done() for task in burst)
    clock.now += 0.5
    with pytest.raises(ApiError):
        await asyncio.wait_for(admission.place().take(), 1)  # a wait of ten seconds would end in a TimeoutError
    assert not any(task.done() for task in burst), "who came with the burst waits on"
    for task in burst:
        task.cancel()
    await asyncio.wait(burst)
    clock.now += 5  # nobody had to wait
    again = asyncio.create_task(admission.place().take())
    await asyncio.sleep(0.2)
    assert not again.done()
    held[0].leave()
    await asyncio.wait_for(again, 1)


async def test_places_close_under_strain_and_open_again() -> None:
    admission = Admission(100)
    places = [admission.place() for _ in range(50)]
    for place in places:
        await place.take()
    admission.adapt(2.0)
    for place in places[:2]:
        place.leave()
    with pytest.raises(ApiError):
        await asyncio.wait_for(admission.place().take(), 1)  # 48 run, and 47 may: nobody waits for a closed place
    for _ in range(20):
        admission.adapt(0)
    await asyncio.wait_for(admission.place().take(), 1)
    for place in places:
        place.leave()
    admission.adapt(2.0)
    for _ in range(7):
        await asyncio.wait_for(admission.place().take(), 1)  # however great the strain, a few always run
    assert admission.refuses()
    for _ in range(1000):
        admission.adapt(0)
    assert not admission.refuses(), "it recovers by itself"


async def test_who_waits_when_places_close_is_told_so_at_once() -> None:
    admission, running, waiting = await full(10)
    admission.adapt(2.0)
    with pytest.raises(ApiError) as refused:
        await asyncio.wait_for(waiting, 1)
    assert refused.value.status == 503
    for place in running:
        place.leave()
    await asyncio.wait_for(admission.place().take(), 1)  # his place was not lost with him


async def test_who_waits_for_one_of_few_places_waits_under_strain_too() -> None:
    admission, (running,), waiting = await full(1)
    admission.adapt(2.0)
    running.leave()
    await asyncio.wait_for(waiting, 1)  # the one place never closes


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/agent/invoke", 503), ("GET", "/agent/playground/", 200), ("POST", "/api/vapi/events", 200)],
)
async def test_a_turn_without_a_place_is_refused_before_anything_is_read(method: str, path: str, status: int) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert status == 200, "there is no place for this one"
        await Response()(scope, receive, send)

    transport = httpx.ASGITransport(RefuseAtOnce(app, refuses=lambda: True, paths=("/api/chat/", "/agent/")))
    async with httpx.AsyncClient(transport=transport, base_url="http://bank") as http:
        reply = await http.request(method, path, content=b"{never read")
    assert reply.status_code == status
    if status == 503:
        assert reply.headers["retry-after"]
        assert reply.json()["error"]["type"] == "service_unavailable_error"


async def test_the_pulse_tells_of_a_loop_that_is_kept_busy_and_of_its_calm() -> None:
    told: list[float] = []
    pulse = asyncio.create_task(keep_pulse(told.append))
    while len(told) < 20:
        await asyncio.sleep(0)
        time.sleep(0.03)  # noqa: ASYNC251  (this is what keeps it busy)
    busy = told[-1]
    assert busy > 1
    pulse.cancel()
    await calm_again(busy)


async def test_the_pulse_tells_of_workers_that_are_kept_busy() -> None:
    loop, told = asyncio.get_running_loop(), list[float]()
    workers = ThreadPoolExecutor(1)
    loop.set_default_executor(workers)
    pulse = asyncio.create_task(keep_pulse(told.append))
    while len(told) < 5:
        await asyncio.wrap_future(workers.submit(time.sleep, 0.05))
    pulse.cancel()
    assert told[-1] > 1, "the loop itself is idle"
    await calm_again(told[-1])


async def calm_again(busy: float) -> None:
    """Wait until the pulse tells of little strain."""
    calm = asyncio.Event()
    pulse = asyncio.create_task(keep_pulse(lambda strain: calm.set() if strain < busy / 4 else None))
    await asyncio.wait_for(calm.wait(), 30)
    pulse.cancel()
