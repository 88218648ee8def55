"""How strained the process is: told by how long it takes over nothing, whatever keeps it busy."""

import asyncio
import math
from collections.abc import Callable

_BEAT_SECONDS = 0.02
_PASSES = 10
_LONG_LOOK_SECONDS = 0.05
_MEMORY_SECONDS = 0.2
_SLOW_PASS_SECONDS = 0.0015
_SLOW_TRIP_SECONDS = 0.01
_MOST_STRAIN = 10.0


async def keep_pulse(tell: Callable[[float], None]) -> None:
    """Tell at each beat how strained the process is: 0 is idle, above 1 every turn is felt to be slow.

    Of two running means over about 0.2 s the greater: a pass through the event loop against 1.5 ms, since a turn needs
    about 80 of them before its first word; and a trip to a worker thread and back, or as far as it has come, against
    10 ms. How late a sleeper wakes would tell less: streams in step with each other make it late now and then, and the
    turns between are none the slower.
    """
    clock = asyncio.get_running_loop().time
    passes = trips = 0.0
    trip, left = asyncio.create_task(_trip()), clock()
    try:
        while True:
            began = clock()
            await asyncio.sleep(_BEAT_SECONDS)
            passed = await _pass_time()
            now = clock()
            travelled = trip.result() if trip.done() else now - left
            if trip.done():
                trip, left = asyncio.create_task(_trip()), now
            share = 1 - math.exp((began - now) / _MEMORY_SECONDS)
            passes += (_strain(passed, _SLOW_PASS_SECONDS) - passes) * share
            trips += (_strain(travelled, _SLOW_TRIP_SECONDS) - trips) * share
            tell(max(passes, trips))
    finally:
        trip.cancel()


async def _pass_time() -> float:
    """Return the seconds that a pass through the event loop takes, by some of them, or by the first that take long."""
    clock = asyncio.get_running_loop().time
    began, made = clock(), 0
    while made < _PASSES and clock() - began < _LONG_LOOK_SECONDS:
        await asyncio.sleep(0)
        made += 1
    return (clock() - began) / made


async def _trip() -> float:
    """Return the seconds that a trip to a worker thread and back takes."""
    clock = asyncio.get_running_loop().time
    began = clock()
    await asyncio.to_thread(int)
    return clock() - began


def _strain(took: float, slow: float) -> float:
    """Return a time in terms of the slow one; no single beat counts for more than ten."""
    return min(took / slow, _MOST_STRAIN)
