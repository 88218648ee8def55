"""Bounds on request bodies, their size and the time they take, met before a body is read whole."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from doors.errors import ApiError, envelope, invalid

_LONGEST_SECONDS = 30.0
_PACKED = invalid("A body with a Content-Encoding is not read here: send it as it is, without that header.", status=415)


class BodyLimit:
    """ASGI middleware: a body above the bound of its path is answered 413 in the envelope.

    A declared length is judged at once; a body of undeclared length when it has grown too large. A body that is not
    there after 30 s is answered 408, a packed one 415: what it would unpack to has no bound.
    """

    def __init__(self, app: ASGIApp, default: int, uploads: int, upload_path: str) -> None:
        self._app = app
        self._default = default
        self._uploads = uploads
        self._upload_path = upload_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request whose body is within its bound."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_upload = scope["path"].startswith(self._upload_path)
        limit = self._uploads if is_upload else self._default
        too_large = _document_too_large(limit) if is_upload else _too_large(limit)
        headers = dict(scope["headers"])
        if headers.get(b"content-encoding", b"identity").lower() not in (b"identity", b""):
            await envelope(_PACKED)(scope, receive, send)
            return
        declared = headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limit:
            await envelope(too_large)(scope, receive, send)
            return
        await self._app(scope, _within(limit, too_large, receive), send)


def _within(limit: int, too_large: ApiError, receive: Receive) -> Receive:
    """Return a `receive` that raises once a body is too large or too slow."""
    deadline = asyncio.get_running_loop().time() + _LONGEST_SECONDS
    seen = 0
    whole = False

    async def counted() -> Message:
        nonlocal seen, whole
        try:
            async with asyncio.timeout_at(None if whole else deadline):
                message = await receive()
        except TimeoutError:
            raise invalid(f"The body was not there after {_LONGEST_SECONDS:.0f} s.", status=408) from None
        seen += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if seen > limit:
            raise too_large
        return message

    return counted


def _too_large(limit: int) -> ApiError:
    return invalid(f"The body is larger than {limit:,} bytes.", status=413)


def _document_too_large(limit: int) -> ApiError:
    return invalid(f"The document is larger than {limit // 1_000_000} MB: split it, then add its parts.", "file", 413)
