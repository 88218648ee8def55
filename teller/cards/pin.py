"""PINs at rest: nobody who reads the database, even with a GPU, learns one without the pepper."""

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


def _peppered(pin: str, pepper: bytes) -> bytes:
    return hmac.digest(pepper, pin.encode(), hashlib.sha256)
