"""A bound on request bodies, met before a body is read whole."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from doors.errors import ApiError, envelope, invalid


class BodyLimit:
    """ASGI middleware: a body above the bound of its path is answered 413 in the envelope.

    A declared length is judged at once; a body of undeclared length when it has grown too large.
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
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limit:
            await envelope(too_large)(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise too_large
            return message

        await self._app(scope, counted, send)


def _too_large(limit: int) -> ApiError:
    return invalid(f"The body is larger than {limit:,} bytes.", status=413)


def _document_too_large(limit: int) -> ApiError:
    return invalid(f"The document is larger than {limit // 1_000_000} MB: split it, then add its parts.", "file", 413)
