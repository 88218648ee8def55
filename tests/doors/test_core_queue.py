"""More questions than the cores carry are told so at once, a burst is not."""

import asyncio
import math

import pytest

from doors.admission import Admission
from doors.errors import ApiError
from teller.core_queue import CoreQueue


class Clock:
    """Time as a test tells it."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def held(queue: CoreQueue, done: asyncio.Event) -> None:
    async with queue.place():
        await done.wait()


async def begun(queue: CoreQueue, done: asyncio.Event, count: int) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(held(queue, done)) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_as_many_compute_at_a_time_as_there_are_cores_in_their_order() -> None:
    queue, order, running = CoreQueue(2), list[int](), 0

    async def work(number: int) -> None:
        nonlocal running
        async with queue.place():
            running += 1
            assert running <= 2
            order.append(number)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*map(work, range(9)))
    assert order == list(range(9))


async def test_a_burst_may_wait_and_a_queue_that_stands_lets_few_come() -> None:
    clock, done = Clock(), asyncio.Event()
    queue = CoreQueue(2, clock)
    tasks = await begun(queue, done, 20)
    clock.now = 0.2
    assert queue.most_turns() == math.inf
    clock.now = 0.3
    assert queue.most_turns() == 0
    done.set()
    await asyncio.gather(*tasks)
    assert queue.most_turns() == 2, "one for each core"
    clock.now = 6.3
    assert queue.most_turns() == 4, "by and by more"
    clock.now = 40.0
    assert queue.most_turns() == math.inf, "it recovers by itself"


async def test_a_queue_that_empties_now_and_then_does_not_stand() -> None:
    clock = Clock()
    queue = CoreQueue(1, clock)
    for _ in range(10):
        done = asyncio.Event()
        tasks = await begun(queue, done, 3)
        clock.now += 0.2
        assert queue.most_turns() == math.inf
        done.set()
        await asyncio.gather(*tasks)


async def test_who_gives_up_waiting_leaves_nothing_behind() -> None:
    queue, done = CoreQueue(1), asyncio.Event()
    tasks = await begun(queue, done, 3)
    for task in tasks[1:]:
        task.cancel()
    await asyncio.wait(tasks[1:])
    done.set()
    await tasks[0]
    async with asyncio.timeout(1), queue.place():
        pass


async def test_turns_that_began_just_now_count_and_those_that_wait_for_something_do_not() -> None:
    clock = Clock()
    admission = Admission(10, clock)
    admission.most_turns = lambda: 2
    for _ in range(2):
        await asyncio.wait_for(admission.place().take(), 1)
    assert admission.refuses()
    with pytest.raises(ApiError) as refused:
        await admission.place().take()
    assert (refused.value.status, "retry-after" in refused.value.headers) == (503, True)
    clock.now = 1.0
    assert not admission.refuses()
    await asyncio.wait_for(admission.place().take(), 1)
