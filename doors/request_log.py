"""One line a request, an id on every reply, and the last catch. Paths, states and times; never a body or a query."""

import re
from time import perf_counter
from uuid import uuid4

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from doors.errors import api_error, envelope, place_of

_log = structlog.get_logger("request")
_NOT_STARTED = 499  # what is logged for a client that hung up before there was a reply
_SANE_ID = re.compile(rb"[A-Za-z0-9_-]{1,64}")


class RequestLog:
    """ASGI middleware, the outermost.

    A sane `x-request-id` of the client is kept, else one is made; it is in all logs of the request. A failure that no
    handler knows is logged by its kind and place (a traceback could hold what a caller said) and answered with a 500.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, and log it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"")
        request_id = given if _SANE_ID.fullmatch(given) else uuid4().hex.encode()
        structlog.contextvars.bind_contextvars(request_id=request_id.decode())
        status, began = _NOT_STARTED, perf_counter()

        async def with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id)]
            await send(message)

        try:
            await self._app(scope, receive, with_id)
        except Exception as failure:
            _log.error("request failed", error=type(failure).__name__, where=place_of(failure))
            if status == _NOT_STARTED:
                await envelope(api_error(failure))(scope, receive, with_id)
        finally:
            route = getattr(scope.get("route"), "path", "unknown")
            milliseconds = round((perf_counter() - began) * 1000, 1)
            note = _log.debug if route.startswith("/health") else _log.info  # probes come every few seconds
            note("served", method=scope["method"], route=route, status=status, ms=milliseconds)
            structlog.contextvars.unbind_contextvars("request_id")
