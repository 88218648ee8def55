"""An ASGI app as a replica, in the caller's own process: frames stream, and hanging up reaches the app."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from simulator.transport import Reply, TransportError

_PATIENCE_SECONDS = 30
"""How long an app that is to stop may go on with requests that it has."""

Message = MutableMapping[str, Any]
App = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


class InProcess:
    """A transport to an app. Requests run as tasks; the app's start and end are `started`'s business."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._working: set[asyncio.Future[None]] = set()

    @asynccontextmanager
    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> AsyncIterator[Reply]:
        """Send a request; leaving the block early gives the app `http.disconnect`, as a server does."""
        exchange = _Exchange(body)
        work = self._app(_scope(path, headers), exchange.receive, exchange.send)
        task: asyncio.Future[None] = asyncio.ensure_future(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        task.add_done_callback(exchange.ended)
        try:
            status, reply_headers = await exchange.head()
            yield Reply(status, exchange.body(), reply_headers)
        finally:
            exchange.disconnect()

    async def at_rest(self) -> None:
        """Return when no request is at work any more, those included whose caller has hung up."""
        while self._working:
            await asyncio.wait(set(self._working))

    async def crash(self) -> None:
        """Stop all requests where they stand, as a process that dies does: callers see the connection break.

        What the app itself shielded from cancellation goes on; only another process can really be killed.
        """
        for task in set(self._working):
            task.cancel()
        await self.at_rest()


class _Exchange:
    """One request and its reply, between the app and the caller."""

    def __init__(self, body: bytes) -> None:
        self._request: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        self._gone = asyncio.Event()
        self._sent: asyncio.Queue[Message | None] = asyncio.Queue()

    async def receive(self) -> Message:
        if self._request:
            return self._request.pop()
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if not self._gone.is_set():  # what nobody hears any more is dropped, as uvicorn drops it
            self._sent.put_nowait(message)
        await asyncio.sleep(0)  # a socket gives way, too

    def ended(self, task: asyncio.Future[None]) -> None:
        """Note that the app is done; where it failed, its caller has a broken connection."""
        if not task.cancelled():
            task.exception()  # looked at: nobody else will
        self._sent.put_nowait(None)

    def disconnect(self) -> None:
        self._gone.set()

    async def head(self) -> tuple[int, dict[str, str]]:
        message = await self._sent.get()
        if message is None:
            raise TransportError("no answer: the app ended without one")
        return message["status"], {name.decode().lower(): value.decode() for name, value in message["headers"]}

    async def body(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self._sent.get()
            if message is None:
                raise TransportError("the answer broke off")
            yield message.get("body", b"")
            more = message.get("more_body", False)


def _scope(path: str, headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in {"host": "replica", **headers}.items()],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 80),
        "state": {},
    }


@asynccontextmanager
async def started(app: App) -> AsyncIterator[InProcess]:
    """Start an app, and stop it at the end of the block, as a server does.

    Raises:
        TransportError: the app did not start, or did not stop.
    """
    to_app: asyncio.Queue[Message] = asyncio.Queue()
    from_app: asyncio.Queue[Message] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
    task: asyncio.Future[None] = asyncio.ensure_future(app(scope, to_app.get, from_app.put))
    await _lifespan("startup", task, to_app, from_app)
    transport = InProcess(app)
    try:
        yield transport
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await transport.at_rest()
        await transport.crash()
        await _lifespan("shutdown", task, to_app, from_app)


async def _lifespan(
    phase: str, task: asyncio.Future[None], to_app: asyncio.Queue[Message], from_app: asyncio.Queue[Message]
) -> None:
    to_app.put_nowait({"type": f"lifespan.{phase}"})
    told = asyncio.ensure_future(from_app.get())
    either: set[asyncio.Future[Any]] = {told, task}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if not told.done():
        told.cancel()
        task.result()  # what it failed with
        raise TransportError(f"the app did not take part in its {phase}")
    if told.result()["type"] != f"lifespan.{phase}.complete":
        raise TransportError(f"the app failed at its {phase}: {told.result().get('message', '')}")
