"""PINs at rest: nobody who reads the database, even with a GPU, learns one without the pepper."""

import asyncio
import hashlib
import hmac

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

# OWASP's smallest recommendation for argon2id: about 20 ms and 19 MB a PIN. Ten thousand PINs are quickly tried at any
# cost, so it is the pepper, kept out of the database, that protects them; a dearer hash would only slow callers down.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hash_pin(pin: str, pepper: bytes) -> str:
    """Return what is stored of a PIN: argon2id with a salt of its own, over HMAC-SHA256 with the pepper.

    It takes milliseconds of pure computing and releases the GIL: from a coroutine, call it in a thread.
    """
    return _HASHER.hash(_peppered(pin, pepper))


def verify_pin(pin: str, pepper: bytes, stored: str) -> bool:
    """Return whether `stored` was made of this PIN with this pepper; as slow as `hash_pin`.

    Raises:
        argon2.exceptions.InvalidHashError: `stored` is no argon2 hash at all.
    """
    try:
        return _HASHER.verify(stored, _peppered(pin, pepper))
    except VerifyMismatchError:
        return False


class PinJudge:
    """Compares PINs in worker threads, two at a time in a process: a storm of guesses takes no more of the machine."""

    _AT_ONCE = 2

    def __init__(self, pepper: bytes) -> None:
        self._pepper = pepper
        self._places = asyncio.Semaphore(self._AT_ONCE)

    async def is_right(self, pin: str, stored: str) -> bool:
        """Return whether `stored` was made of this PIN."""
        async with self._places:
            return await asyncio.to_thread(verify_pin, pin, self._pepper, stored)

    def value_hash(self, phone: str, pin: str) -> str:
        """Return the keyed hash under which a number's wrong PIN is remembered."""
        return self._keyed(f"pin:{phone}:{pin}")

    def fingerprint(self, words: str) -> str:
        """Return the keyed hash of words that may hold a PIN."""
        return self._keyed(f"words:{words}")

    def _keyed(self, text: str) -> str:
        return hmac.digest(self._pepper, text.encode(errors="surrogatepass"), hashlib.sha256).hex()


def _peppered(pin: str, pepper: bytes) -> bytes:
    return hmac.digest(pepper, pin.encode(), hashlib.sha256)
