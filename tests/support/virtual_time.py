"""Teller in a virtual time: calls of minutes in milliseconds, with the ledger's times and every wait from one clock."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar
from unittest.mock import AsyncMock, patch

from fastapi import FastAPI

from server import create_app
from simulator import virtual_time
from simulator.call import Line
from simulator.in_process import InProcess, started
from simulator.report import Holders
from simulator.virtual_time import VirtualTimeLoop
from teller.cards import demo
from teller.cards.demo import listing, reset
from teller.services import Services, pin_pepper
from teller.settings import Settings

T = TypeVar("T")


class AnnouncedQueue(SimpleQueue[Any]):
    """The queue of an aiosqlite connection's thread: what is put in is announced, so that time waits for SQLite."""

    def put_nowait(self, item: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        future, work = item
        if future is not None and isinstance(loop := future.get_loop(), VirtualTimeLoop):
            work = loop.hand_off(future, work)
        super().put_nowait((future, work))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a virtual time that stands still while SQLite works."""
    with running() as run_in_it:
        result: T = run_in_it(work)
    return result


@contextmanager
def running() -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """Give a function that runs one coroutine after the other in the same virtual time."""
    with patch("aiosqlite.core.SimpleQueue", AnnouncedQueue), asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        yield runner.run


async def no_pulse(_: Callable[[float], None]) -> None:
    """Keep no pulse: no code takes any virtual time, so it would tell of no strain, fifty times a virtual second."""
    await asyncio.Event().wait()


class Replicas:
    """Servers in this process over one ledger, and the line to call them on."""

    def __init__(self, make: Callable[[], FastAPI]) -> None:
        self._make = make
        self._apps: list[FastAPI] = []
        self._serving: list[AbstractAsyncContextManager[InProcess]] = []
        self._pin_hashes: list[str] = []
        self.transports: list[InProcess] = []
        self.line = Line(self.transports)

    async def start(self) -> None:
        """Start one more."""
        app = self._make()
        serving = started(app)
        with patch("server.keep_pulse", no_pulse):
            self.transports.append(await serving.__aenter__())
        self._apps.append(app)
        self._serving.append(serving)

    async def stop(self) -> None:
        """Stop all of them, as a shutdown does."""
        while self._serving:
            self._apps.pop()
            self.transports.pop()
            await self._serving.pop().__aexit__(None, None, None)

    async def kill(self, place: int) -> None:
        """Let one of them lose all that it does, what goes on after a hang-up included, and be there again.

        Nothing of a turn is kept in a process, so this is a restart; `start` would only read models and index anew.
        """
        services: Services = self._apps[place].state.services
        for task in set(services.unfinished):
            task.cancel()
        await self.transports[place].crash()

    @property
    def services(self) -> Services:
        """The parts of the first server."""
        services: Services = self._apps[0].state.services
        return services

    async def ledger(self) -> Holders:
        """Read the ledger, as `teller cards list --json` does."""
        return [dict(holder) for holder in await listing(self.services.ledger)]

    async def reset(self) -> None:
        """Bring the demo ledger back to its beginning."""
        pepper = pin_pepper(self.services.settings)
        self._pin_hashes = self._pin_hashes or await demo._pin_hashes(pepper)
        with patch.object(demo, "_pin_hashes", AsyncMock(return_value=self._pin_hashes)):  # hashed once: it is slow
            await reset(self.services.ledger, pepper)

    async def at_rest(self) -> None:
        """Return when no replica works on a request any more."""
        for transport in self.transports:
            await transport.at_rest()


@asynccontextmanager
async def replicas(data_dir: Path, count: int = 1, **settings: Any) -> AsyncIterator[Replicas]:
    """Start so many servers on one data folder; they take their time from the loop that runs."""
    given = Settings(data_dir=data_dir, rate_limit_per_caller="", _env_file=None, **{"chat_model": "quote", **settings})
    bank = Replicas(lambda: create_app(given, virtual_time.now))
    try:
        for _ in range(count):
            await bank.start()
        yield bank
    finally:
        await bank.stop()
