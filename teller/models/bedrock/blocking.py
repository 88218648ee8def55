"""For callers without an event loop: one loop in one thread, for all of them."""

import asyncio
import atexit
import threading
from collections.abc import AsyncGenerator, Coroutine, Iterator
from functools import cache
from typing import Any, TypeVar

from teller.models.bedrock.client import BedrockConnection

T = TypeVar("T")
_END: Any = object()


class LoopThread:
    """An event loop in a thread of its own, until the process ends."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._used: set[BedrockConnection] = set()
        threading.Thread(target=self._loop.run_forever, name="bedrock-blocking", daemon=True).start()
        atexit.register(self.close)

    def run(self, work: Coroutine[Any, Any, T], connection: BedrockConnection) -> T:
        """Return the result of work that uses a connection; a caller who is interrupted cancels it."""
        self._used.add(connection)
        return self._wait_for(work)

    def iterate(self, items: AsyncGenerator[T], connection: BedrockConnection) -> Iterator[T]:
        """Yield one by one the items that use a connection; they are closed with the iterator."""
        self._used.add(connection)
        try:
            while (item := self._wait_for(_next(items))) is not _END:
                yield item
        finally:
            self._wait_for(items.aclose())

    def close(self) -> None:
        """Close the sockets that were opened here; a later call opens new ones."""
        while self._used:
            self._wait_for(self._used.pop().aclose())

    def _wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise


@cache
def loop_thread() -> LoopThread:
    """Return the loop of this process for callers that have none."""
    return LoopThread()


async def _next(items: AsyncGenerator[T]) -> T:
    return await anext(items, _END)
