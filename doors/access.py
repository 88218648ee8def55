"""Who may come in: named keys with scopes, as Bearer, bare, or the password of Basic (a browser then asks for it)."""

import base64
import hmac
from collections.abc import Awaitable, Callable

from fastapi import Request

from doors.errors import ApiError
from teller.keys import ApiKey, Scope

ANYONE = ApiKey("", "", "admin")
"""Who calls where no keys are set."""


def require(scope: Scope, *, rated: bool = True) -> Callable[[Request], Awaitable[ApiKey]]:
    """Return a dependency that lets in whoever has a key of that scope, and returns the key.

    A request counts among those that a key may make, unless its sender would only send it again (`rated`).
    """

    async def key(request: Request) -> ApiKey:
        known = presented_key(request)
        if known is None:
            raise ApiError(401, "authentication_error", _message(request), headers=_challenge(request))
        if not known.reaches(scope):
            message = f"This key's scope is {known.scope}; this route needs {scope}."
            raise ApiError(403, "permission_error", message, code="insufficient_scope")
        if rated:
            await request.app.state.rates.admit_key(known.name)
        return known

    return key


def presented_key(request: Request) -> ApiKey | None:
    """Return the key that a request carries, ANYONE where no keys are set, None where it carries none that is known.

    Every known key is compared, each in constant time.
    """
    keys: tuple[ApiKey, ...] = request.app.state.settings.api_keys
    if not keys:
        return ANYONE
    given = _secret(request.headers.get("authorization", "")).encode()
    matches = [key for key in keys if hmac.compare_digest(key.key.encode(), given)]
    return matches[0] if matches else None


def _secret(header: str) -> str:
    kind, _, value = header.strip().partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() != "basic":
        return header.strip()
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except ValueError:  # no Base64, not even ASCII, or no UTF-8 in it
        return ""


def _message(request: Request) -> str:
    if "authorization" in request.headers:
        return "This API key is not known."
    return "An API key is needed: send the header Authorization: Bearer KEY."


def _challenge(request: Request) -> dict[str, str]:
    """Ask a browser (its pages' own fetches too) for the key; a program is told by the envelope.

    Browsers tell by `sec-fetch-site` that they are one, but only over HTTPS or on this machine; by their name always.
    """
    browser = "sec-fetch-site" in request.headers or request.headers.get("user-agent", "").startswith("Mozilla/")
    return {"www-authenticate": 'Basic realm="teller", charset="UTF-8"' if browser else "Bearer"}
