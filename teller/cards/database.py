"""The ledger's file: readers that never wait for a writer, one writer at a time, and one place where drivers fail.

SQLite in WAL mode. Every statement runs in its connection's own thread (aiosqlite), so the event loop never blocks.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, Executable, Row, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from teller.errors import ConfigurationError, LedgerUnavailableError

T = TypeVar("T")

WAIT_SECONDS = 5
"""How long a statement waits for another process's write, and a write for the writes before it."""

_READERS = 4

# At DEBUG the driver logs every statement with its parameters: phone numbers and PIN hashes.
logging.getLogger("aiosqlite").setLevel(logging.INFO)


class Database:
    """One SQLite file behind two pools: readers in autocommit, and a single writer that begins IMMEDIATE.

    One writer because SQLite has one anyway: in the pool's queue, writes wait in order instead of polling the file.
    """

    def __init__(self, url: URL) -> None:
        options: dict[str, Any] = {"pool_timeout": WAIT_SECONDS, "max_overflow": 0, "hide_parameters": True}
        self._reader = create_async_engine(
            url, pool_size=_READERS, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True, **options
        )
        self._writer = create_async_engine(url, pool_size=1, connect_args={"isolation_level": None}, **options)
        set_up_connections(self._reader.sync_engine)
        set_up_connections(self._writer.sync_engine)
        begin_immediate(self._writer.sync_engine)
        self._writing: set[asyncio.Task[Any]] = set()

    async def read(self, statement: Executable, parameters: Mapping[str, object] | None = None) -> Sequence[Row[Any]]:
        """Return the rows of one statement.

        Raises:
            LedgerUnavailableError: the driver failed.
        """
        with driver_errors():
            async with self._reader.connect() as connection:
                return (await connection.execute(statement, parameters)).all()

    async def inspect(self, look: Callable[[Connection], T]) -> T:
        """Return what `look` finds through a synchronous connection.

        Raises:
            LedgerUnavailableError: the driver failed.
        """
        with driver_errors():
            async with self._reader.connect() as connection:
                return await connection.run_sync(look)

    async def write(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Run `work` in one transaction and return its result after the commit; its exception rolls back.

        Cancelling the caller does not cancel the transaction: it goes on to its end, and `close` waits for it.

        Raises:
            LedgerUnavailableError: the driver failed, or the writes before this one took too long; nothing is written.
        """
        task = asyncio.create_task(self._transaction(work))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Wait for the writes under way and close all connections."""
        if self._writing:
            await asyncio.wait(self._writing)
        await self._reader.dispose()
        await self._writer.dispose()

    async def _transaction(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        with driver_errors():
            async with self._writer.begin() as connection:
                return await work(connection)


def ledger_url(target: str | Path) -> URL:
    """Return the address of a ledger given as a database URL or as the path of an SQLite file.

    Raises:
        ConfigurationError: the URL is of a database that the ledger does not run on.
    """
    if isinstance(target, Path):
        return URL.create("sqlite+aiosqlite", database=str(target))
    try:
        url = make_url(target)
    except ArgumentError:  # its message shows the whole URL, password and all
        url = URL.create("unknown")
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        raise ConfigurationError("DATABASE_URL: the ledger runs on an SQLite file only, sqlite:///PATH")
    return url.set(drivername="sqlite+aiosqlite")


@contextmanager
def driver_errors() -> Iterator[None]:
    """Turn whatever the driver raises into LedgerUnavailableError."""
    try:
        yield
    except (DBAPIError, PoolTimeoutError) as error:
        raise LedgerUnavailableError("the card ledger could not be read or written") from error


def set_up_connections(engine: Engine) -> None:
    """Give each new connection of the engine what makes SQLite durable and strict."""

    @event.listens_for(engine, "connect")
    def _set_up(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {WAIT_SECONDS * 1000}")
        cursor.execute("PRAGMA synchronous = FULL")  # a commit that was told to a caller survives a power cut
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()


def begin_immediate(engine: Engine) -> None:
    """Let each transaction of the engine take the write lock at its begin, so that what it reads stays true.

    The engine's connections need isolation_level None, or the sqlite3 module begins on its own.
    """

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
