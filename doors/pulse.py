"""How late the event loop is: the one sign of a busy process that needs no knowledge of what keeps it busy."""

import asyncio
from collections.abc import Callable

_BEAT_SECONDS = 0.02
_SHARE_OF_NEWEST = 0.1
_LATEST_SECONDS = 0.05


async def keep_pulse(tell: Callable[[float], None]) -> None:
    """Tell at each beat how late the loop wakes its sleepers, in seconds: a running mean over about ten beats.

    Everything that a turn waits for is late by as much, many times over. A beat counts as at most 50 ms late, so that a
    single pause, however long, hardly moves the mean.
    """
    clock = asyncio.get_running_loop().time
    mean = 0.0
    while True:
        due = clock() + _BEAT_SECONDS
        await asyncio.sleep(_BEAT_SECONDS)
        mean += (min(clock() - due, _LATEST_SECONDS) - mean) * _SHARE_OF_NEWEST
        tell(mean)
