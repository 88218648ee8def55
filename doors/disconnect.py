"""Work for a client that may hang up: waiting for it must see that, or guesses run on after they were cancelled."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from fastapi import Request

T = TypeVar("T")


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
