"""How strained the process is: told by how long it takes over nothing, whatever keeps it busy."""

import asyncio
import math
from collections.abc import Callable

_BEAT_SECONDS = 0.02
_PASSES = 10
_MEMORY_SECONDS = 0.2
_SLOW_PASS_SECONDS = 0.0015
_SLOW_TRIP_SECONDS = 0.01
_MOST_STRAIN = 10.0


async def keep_pulse(tell: Callable[[float], None]) -> None:
    """Tell at each beat how strained the process is: 0 is idle, above 1 every turn is felt to be slow.

    Of two running means over about 0.2 s the greater: a pass through the event loop against 1.5 ms, since a turn needs
    about 80 of them before its first word; and a trip to a worker thread and back against 10 ms. How late a sleeper
    wakes would tell less: streams in step with each other make it late now and then, and the turns between are none
    the slower.
    """
    clock = asyncio.get_running_loop().time
    passes = trips = 0.0
    while True:
        began = clock()
        await asyncio.sleep(_BEAT_SECONDS)
        passing = clock()
        for _ in range(_PASSES):
            await asyncio.sleep(0)
        travelling = clock()
        await asyncio.to_thread(int)
        now = clock()
        share = 1 - math.exp((began - now) / _MEMORY_SECONDS)
        passes += (_strain((travelling - passing) / _PASSES, _SLOW_PASS_SECONDS) - passes) * share
        trips += (_strain(now - travelling, _SLOW_TRIP_SECONDS) - trips) * share
        tell(max(passes, trips))


def _strain(took: float, slow: float) -> float:
    """Return a time in terms of the slow one; no single beat counts for more than ten."""
    return min(took / slow, _MOST_STRAIN)
