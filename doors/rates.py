"""How often a key and a caller may ask, and how many numbers may be tried: 429 with Retry-After above it."""

import hashlib
from collections.abc import Awaitable, Callable

from limits import RateLimitItem, parse

from doors.errors import ApiError
from doors.rate_store import RateStore
from teller.settings import Settings

_MEMORY_OF_A_NUMBER = parse("1/hour")


class Rates:
    """The rates of the settings. An empty one bounds nothing."""

    def __init__(self, settings: Settings) -> None:
        self._store = RateStore(settings.rate_limit_store)
        self._per_key = _rate(settings.rate_limit_per_key)
        self._per_caller = _rate(settings.rate_limit_per_caller)
        self._unknown_numbers = _rate(settings.rate_limit_unknown_numbers)

    async def admit_key(self, name: str) -> None:
        """Count a request of a key.

        Raises:
            ApiError: 429, too many of them.
        """
        await self._admit(self._per_key, ("key", name), "Too many requests with this key.")

    async def admit_caller(self, phone: str) -> None:
        """Count a turn of a caller, whoever asks for it.

        Raises:
            ApiError: 429, too many of them.
        """
        await self._admit(self._per_caller, ("caller", _pseudonym(phone)), "Too many requests for this caller.")

    async def admit_number(self, client: str, phone: str, is_known: Callable[[str], Awaitable[bool]]) -> None:
        """Let a client name a number, unless it named too many that nobody has: then every further one waits.

        A number counts once an hour, and only if it is unknown. Who guesses is refused before the number is looked up,
        be it known or not: the refusal tells nothing. Numbers that the client named before go on being served.

        Raises:
            ApiError: 429, too many unknown numbers.
        """
        seen = ("number", client, _pseudonym(phone))
        guesses = ("unknown", client)
        if self._unknown_numbers is None or not await self._store.has_room(_MEMORY_OF_A_NUMBER, *seen):
            return
        message = "Too many unknown phone numbers were tried."
        if not await self._store.has_room(self._unknown_numbers, *guesses):
            raise await self._too_many(self._unknown_numbers, guesses, message)
        if not await is_known(phone):
            await self._admit(self._unknown_numbers, guesses, message)
        await self._store.hit(_MEMORY_OF_A_NUMBER, *seen)

    async def _admit(self, rate: RateLimitItem | None, who: tuple[str, ...], message: str) -> None:
        if rate is not None and not await self._store.hit(rate, *who):
            raise await self._too_many(rate, who, message)

    async def _too_many(self, rate: RateLimitItem, who: tuple[str, ...], message: str) -> ApiError:
        seconds = await self._store.seconds_left(rate, *who)
        message = f"{message} Try again in {seconds} s."
        return ApiError(429, "rate_limit_error", message, headers={"retry-after": str(seconds)})


def _rate(given: str) -> RateLimitItem | None:
    return parse(given) if given else None


def _pseudonym(phone: str) -> str:
    """Return what stands for a number in a store that is shared: such a store holds no numbers."""
    return hashlib.sha256(phone.encode()).hexdigest()[:16]
