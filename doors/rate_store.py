"""Where rates are counted: in a store that replicas share, and in this process while that store cannot be had."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog
from limits import RateLimitItem
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from limits.storage import storage_from_string

from teller.errors import ConfigurationError

_PATIENCE_SECONDS = 0.25
_PAUSE_SECONDS = 5.0

_log = structlog.get_logger(__name__)


class RateStore:
    """Counts by sliding windows. A shared store that fails is left alone for 5 s, and counted here meanwhile.

    Neither is a caller refused because a store is down, nor is anybody's rate unbounded: it is bounded per replica.
    """

    def __init__(self, address: str) -> None:
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared = _limiter(address) if address else self._own
        self._shared_from = 0.0

    async def hit(self, rate: RateLimitItem, *who: str) -> bool:
        """Count one and return True, or return False where the rate is reached."""
        return await self._first_of(lambda limiter: limiter.hit(rate, *who))

    async def has_room(self, rate: RateLimitItem, *who: str) -> bool:
        """Return whether one more would be counted."""
        return await self._first_of(lambda limiter: limiter.test(rate, *who))

    async def seconds_left(self, rate: RateLimitItem, *who: str) -> int:
        """Return after how many seconds to try again, at least 1."""
        limiter = self._shared if self._is_shared() else self._own
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                window = await limiter.get_window_stats(rate, *who)
        except (StorageError, TimeoutError, OSError) as failure:
            self._leave_alone(failure)
            return 1
        return max(1, round(window.reset_time - time.time()))

    async def _first_of(self, ask: Callable[[SlidingWindowCounterRateLimiter], Awaitable[bool]]) -> bool:
        """Return what the shared store says, or this process where that one cannot be had."""
        if self._is_shared():
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    return await ask(self._shared)
            except (StorageError, TimeoutError, OSError) as failure:
                self._leave_alone(failure)
        return await ask(self._own)

    def _is_shared(self) -> bool:
        return self._shared is not self._own and time.monotonic() >= self._shared_from

    def _leave_alone(self, failure: Exception) -> None:
        self._shared_from = time.monotonic() + _PAUSE_SECONDS
        _log.warning("the store of rates cannot be had: each replica counts alone", error=type(failure).__name__)


def _limiter(address: str) -> SlidingWindowCounterRateLimiter:
    client = {"implementation": "redispy"} if address.startswith("redis") else {}  # coredis 6 fails under limits 5
    try:
        store = storage_from_string(f"async+{address}", wrap_exceptions=True, **client)
        return SlidingWindowCounterRateLimiter(store)
    except Exception as failure:  # limits raises kinds of its own, and what its clients' imports raise
        mend = "take an address such as redis://HOST:6379, and install its client: uv sync --extra redis"
        raise ConfigurationError(f"RATE_LIMIT_STORE: it cannot be used ({type(failure).__name__}); {mend}") from failure
