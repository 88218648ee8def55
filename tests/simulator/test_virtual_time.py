"""Virtual time: waits cost nothing, timers are exact, and threads and SQLite are waited for."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import aiosqlite
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import virtual_time
from tests.support.virtual_time import run

HOUR = 3600.0


def test_an_hour_of_sleep_takes_no_time() -> None:
    async def sleep() -> float:
        await asyncio.sleep(HOUR)
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    assert virtual_time.run(sleep()) == pytest.approx(HOUR)
    assert time.monotonic() - began < HOUR / 60


@given(st.lists(st.floats(0, 1e5), max_size=20))
def test_sleepers_wake_in_the_order_of_their_times_each_exactly_then(naps: list[float]) -> None:
    woken: list[tuple[float, float]] = []

    async def sleeper(nap: float) -> None:
        await asyncio.sleep(nap)
        woken.append((nap, asyncio.get_running_loop().time()))

    async def all_of_them() -> None:
        await asyncio.gather(*map(sleeper, naps))

    virtual_time.run(all_of_them())
    assert [nap for nap, _ in woken] == sorted(naps)
    assert all(at == pytest.approx(nap, abs=1e-6) for nap, at in woken)


def test_the_time_of_day_goes_with_it() -> None:
    async def later() -> float:
        before = virtual_time.now()
        await asyncio.sleep(90)
        return (virtual_time.now() - before).total_seconds()

    assert virtual_time.run(later()) == 90


def test_a_timeout_does_not_fire_because_a_thread_is_slow() -> None:
    async def slow() -> str:
        async with asyncio.timeout(0.001):
            await asyncio.to_thread(time.sleep, 0.1)
        return "done"

    assert virtual_time.run(slow()) == "done"


def test_a_timeout_fires_where_nothing_works() -> None:
    async def stuck() -> None:
        async with asyncio.timeout(HOUR):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        virtual_time.run(stuck())


def test_time_stands_still_for_a_thread_nobody_waits_for_any_more() -> None:
    async def abandon() -> float:
        ended: list[float] = []
        loop = asyncio.get_running_loop()

        def work() -> None:
            time.sleep(0.1)
            ended.append(loop.time())

        task = asyncio.create_task(asyncio.to_thread(work))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(HOUR)
        return ended[0]

    assert virtual_time.run(abandon()) == 0


def test_a_thread_that_never_began_holds_nothing() -> None:
    async def crowd() -> float:
        loop = asyncio.get_running_loop()
        tasks = [asyncio.create_task(asyncio.to_thread(time.sleep, 0.01)) for _ in range(100)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await asyncio.sleep(HOUR)
        return loop.time()

    assert virtual_time.run(crowd()) == pytest.approx(HOUR)


def _soon(work: Callable[[], object]) -> None:
    time.sleep(0.1)
    work()


def test_time_waits_for_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "busy.db"

    async def write_while_locked() -> float:
        holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        holder.execute("CREATE TABLE t (n)")
        holder.execute("BEGIN IMMEDIATE")
        loop = asyncio.get_running_loop()
        async with aiosqlite.connect(path, timeout=30) as ours:
            release = loop.run_in_executor(None, _soon, lambda: holder.execute("COMMIT"))
            async with asyncio.timeout(0.001):
                await ours.execute("INSERT INTO t VALUES (1)")
                await ours.commit()
        await release
        holder.close()
        return loop.time()

    assert run(write_while_locked()) == 0


def test_an_error_in_a_thread_arrives_and_time_goes_on() -> None:
    async def fail() -> float:
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 / 0)
        await asyncio.sleep(5)
        return asyncio.get_running_loop().time()

    assert virtual_time.run(fail()) == 5
