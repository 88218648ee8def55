"""How often a key and a caller may ask: 429 with Retry-After above it."""

import hashlib
import time

from limits import RateLimitItem, parse
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.storage import storage_from_string

from doors.errors import ApiError
from teller.settings import Settings


class Rates:
    """The two rates of the settings, counted in a store that replicas may share. An empty rate bounds nothing."""

    def __init__(self, settings: Settings) -> None:
        store = settings.rate_limit_store or "memory://"
        self._limiter = SlidingWindowCounterRateLimiter(storage_from_string(f"async+{store}"))
        self._per_key = parse(settings.rate_limit_per_key) if settings.rate_limit_per_key else None
        self._per_caller = parse(settings.rate_limit_per_caller) if settings.rate_limit_per_caller else None

    async def admit_key(self, name: str) -> None:
        """Count a request of a key.

        Raises:
            ApiError: 429, too many of them.
        """
        await self._admit(self._per_key, "key", name, "Too many requests with this key.")

    async def admit_caller(self, phone: str | None) -> None:
        """Count a turn of a caller, whoever asks for it; without a number nothing is counted.

        Raises:
            ApiError: 429, too many of them.
        """
        if phone:
            known_as = hashlib.sha256(phone.encode()).hexdigest()[:16]  # a store that is shared holds no numbers
            await self._admit(self._per_caller, "caller", known_as, "Too many requests for this caller.")

    async def _admit(self, rate: RateLimitItem | None, kind: str, who: str, message: str) -> None:
        if rate is None or await self._limiter.hit(rate, kind, who):
            return
        window = await self._limiter.get_window_stats(rate, kind, who)
        seconds = max(1, round(window.reset_time - time.time()))
        message = f"{message} Try again in {seconds} s."
        raise ApiError(429, "rate_limit_error", message, headers={"retry-after": str(seconds)})
