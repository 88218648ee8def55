"""How many turns run at a time: what cannot begin soon is told so at once, and admitted turns keep their pace."""

import asyncio

from doors.errors import ApiError

LONGEST_WAIT_SECONDS = 10.0
_RETRY_AFTER_SECONDS = "2"


class Admission:
    """`places` turns run; as many again may wait, each for 10 s at most."""

    def __init__(self, places: int) -> None:
        self._free = asyncio.Semaphore(places)
        self._room = places
        self._waiting = 0

    async def enter(self) -> "Place":
        """Return a place, which must be left.

        Raises:
            ApiError: 503, too many are waiting already, or it took too long.
        """
        if self._free.locked() and self._waiting >= self._room:
            raise _full()
        self._waiting += 1
        try:
            async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            raise _full() from None
        finally:
            self._waiting -= 1
        return Place(self._free)


class Place:
    """One turn's place; leaving it twice is leaving it once."""

    def __init__(self, free: asyncio.Semaphore) -> None:
        self._free: asyncio.Semaphore | None = free

    def leave(self) -> None:
        """Give the place to the next turn."""
        if self._free:
            self._free.release()
            self._free = None


def _full() -> ApiError:
    message = "Too many turns are running. Please try again in a moment."
    return ApiError(503, "service_unavailable_error", message, headers={"retry-after": _RETRY_AFTER_SECONDS})
