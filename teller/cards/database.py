"""Reads and writes on either database, and one place where drivers fail."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Executable, Row, Select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection

from teller.cards.engines import WAIT_SECONDS, reading_engine, writing_engine
from teller.cards.ledger import OutcomeUnknownError
from teller.cards.quick_read import QUICK_READ_FAILURES, QuickRead
from teller.errors import LedgerUnavailableError

T = TypeVar("T")

_FAILURES = (DBAPIError, PoolTimeoutError, OSError)  # OSError: no connection could be made, or it was silent too long
_PAUSE_SECONDS = 0.1


class Database:
    """One database behind two engines: many readers, and one writer at a time (`engines.py`)."""

    def __init__(self, url: URL) -> None:
        self._reader = reading_engine(url)
        self._writer = writing_engine(url)
        self._writing: set[asyncio.Task[Any]] = set()
        self._quick: dict[Select[Any], QuickRead] = {}

    @property
    def dialect(self) -> str:
        """Which database it is, in SQLAlchemy's word: "sqlite" or "postgresql"."""
        return self._reader.dialect.name

    async def read(self, statement: Executable, parameters: Mapping[str, object] | None = None) -> Sequence[Row[Any]]:
        """Return the rows of one statement.

        Raises:
            LedgerUnavailableError: the driver failed.
        """
        with driver_errors():
            async with self._reader.connect() as connection:
                return (await connection.execute(statement, parameters)).all()

    async def read_often(self, statement: Select[Any], parameters: Mapping[str, object]) -> Sequence[Sequence[Any]]:
        """Return the rows of one of the few statements that turns wait for, as `read` does but sooner.

        Raises:
            LedgerUnavailableError: the driver failed.
        """
        if self.dialect != "sqlite":
            return await self.read(statement, parameters)
        quick = self._quick.get(statement)
        if quick is None:
            quick = self._quick[statement] = QuickRead(self._reader, statement)
        with driver_errors():
            try:
                return await quick.rows(parameters)
            except QUICK_READ_FAILURES as error:
                raise LedgerUnavailableError("the card ledger could not be read") from error

    async def inspect(self, look: Callable[[Connection], T]) -> T:
        """Return what `look` finds through a synchronous connection.

        Raises:
            LedgerUnavailableError: the driver failed.
        """
        with driver_errors():
            async with self._reader.connect() as connection:
                return await connection.run_sync(look)

    async def write(
        self,
        work: Callable[[AsyncConnection], Awaitable[T]],
        landed: Callable[[AsyncConnection], Awaitable[bool]],
    ) -> T:
        """Run `work` in one transaction and return its result after the commit; its exception rolls back.

        Cancelling the caller does not cancel the transaction: it goes on to its end, and `close` waits for it. Where
        the commit got no answer, `landed` looks, in a new transaction, whether it was done; then that is the answer.

        Raises:
            LedgerUnavailableError: the driver failed, or the writes before this one took too long; nothing is written.
            OutcomeUnknownError: the commit got no answer, and nobody could look.
        """
        task = asyncio.create_task(self._transaction(work, landed))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return await asyncio.shield(task)

    async def write_over_what_was_deleted(self) -> None:
        """Bring what was written into the file itself and empty the log beside it, where old pages still are.

        SQLite only, and only if no other process reads at that moment; else the log's next turn does it.

        Raises:
            LedgerUnavailableError: the driver failed.
        """
        if self.dialect == "sqlite":
            await self.read(text("PRAGMA wal_checkpoint(TRUNCATE)"))

    async def close(self) -> None:
        """Wait for the writes under way and close all connections."""
        if self._writing:
            await asyncio.wait(self._writing)
        for quick in self._quick.values():
            await quick.close()
        await self._reader.dispose()
        await self._writer.dispose()

    async def _transaction(
        self,
        work: Callable[[AsyncConnection], Awaitable[T]],
        landed: Callable[[AsyncConnection], Awaitable[bool]],
    ) -> T:
        with driver_errors():
            async with self._writer.connect() as connection:
                transaction = await connection.begin()
                try:
                    result = await work(connection)
                except BaseException:
                    with suppress(*_FAILURES):  # a connection that is gone has rolled back already
                        await transaction.rollback()
                    raise
                try:
                    await transaction.commit()
                except _FAILURES as failure:
                    unanswered = failure
                else:
                    return result
            if await self._has_landed(landed):
                return result
            raise unanswered

    async def _has_landed(self, landed: Callable[[AsyncConnection], Awaitable[bool]]) -> bool:
        """Return whether a commit without an answer was done.

        The new transaction gets the write lock only when the old one is over, so what it finds is final.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + 2 * WAIT_SECONDS
        while True:
            try:
                async with self._writer.begin() as connection:
                    return await landed(connection)
            except _FAILURES as failure:
                if loop.time() > deadline:
                    raise OutcomeUnknownError("the card ledger did not say whether a write was done") from failure
                await asyncio.sleep(_PAUSE_SECONDS)


@contextmanager
def driver_errors() -> Iterator[None]:
    """Turn whatever the driver raises into LedgerUnavailableError."""
    try:
        yield
    except _FAILURES as error:
        raise LedgerUnavailableError("the card ledger could not be read or written") from error
