"""Work for a client that may hang up: waiting for it must see that, or guesses run on after they were cancelled."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

T = TypeVar("T")
Inbox = asyncio.Queue[Message | Exception]


class ClientGoneError(Exception):
    """The client hung up before there was anything to send."""


async def unless_gone(request: Request, work: Awaitable[T]) -> T:
    """Return what the work returns; cancel it as soon as the client has gone.

    The request's body must have been read: what is received after it is the disconnect alone.

    Raises:
        ClientGoneError: it has.
    """
    task = asyncio.ensure_future(work)
    left = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({task, left}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientGoneError
        return task.result()
    finally:
        task.cancel()
        left.cancel()
        await asyncio.wait({task, left})


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


class CancelOnDisconnect:
    """ASGI middleware for routes that wait for their whole answer and do not look up meanwhile: LangServe's invoke.

    Where the client hangs up, the work of these paths is cancelled.
    """

    def __init__(self, app: ASGIApp, paths: tuple[str, ...]) -> None:
        self._app = app
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http" or scope["path"] not in self._paths:
            await self._app(scope, receive, send)
            return
        inbox: Inbox = asyncio.Queue()

        async def next_in_inbox() -> Message:
            message = await inbox.get()
            if isinstance(message, Exception):
                raise message
            return message

        work = asyncio.ensure_future(self._app(scope, next_in_inbox, send))
        listening = asyncio.create_task(_pass_on(receive, inbox, work))
        try:
            await asyncio.wait({work})
        finally:
            listening.cancel()
            work.cancel()
        if not work.cancelled():
            work.result()


async def _pass_on(receive: Receive, inbox: Inbox, work: asyncio.Future[None]) -> None:
    """Put what is received into the inbox, a failure to receive too; cancel the work where that is the disconnect."""
    while True:
        try:
            message = await receive()
        except Exception as failure:  # a body that is too large: whoever reads it is to hear of it
            await inbox.put(failure)
            return
        await inbox.put(message)
        if message["type"] == "http.disconnect":
            work.cancel()
            return
