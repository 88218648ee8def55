"""Turns that compute take their turn: as many at a time as there are cores, first come, first served."""

import asyncio
import math
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_STANDS_SECONDS = 0.25
_ONE_MORE_AFTER_SECONDS = 6.0
_FORGETS_SECONDS = 30.0


class CoreQueue:
    """What keeps a core busy for some time is done in it: more at a time than there are cores would slow all.

    A burst may wait. A queue that has not emptied for a quarter of a second stands and would only make every turn late
    (CoDel, RFC 8289): more come than the cores carry, and from then on there may be one turn for each core. Every six
    seconds without a standing queue there may be one more for each, and after thirty any number.
    """

    def __init__(self, cores: int | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._cores = cores or _usable_cores()
        self._free = asyncio.Semaphore(self._cores)
        self._clock = clock
        self._computing = self._waiting = 0
        self._waits_since = self._overrun_at = float("-inf")

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a core for as long as the block takes; wait for it first."""
        if self._free.locked() and not self._waiting:
            self._waits_since = self._clock()
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        self._computing += 1
        try:
            yield
        finally:
            self._computing -= 1
            self._free.release()

    def most_turns(self) -> float:
        """Return how many turns may compute at a time: any number, but for a while after a queue that stood."""
        now = self._clock()
        if self._waiting and now - self._waits_since > _STANDS_SECONDS:
            self._overrun_at = now
        calm = now - self._overrun_at
        most = self._cores * (1 + calm // _ONE_MORE_AFTER_SECONDS) if calm < _FORGETS_SECONDS else math.inf
        return most if self._computing + self._waiting < most else 0


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
