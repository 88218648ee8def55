"""The ledger that ships: cards, wishes and audit trail in one SQL database. The file to open first in this room.

What a write does stands in `wishes.py` and `commits.py`; how it is made one transaction, in `database.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import Executable, Row
from sqlalchemy.ext.asyncio import AsyncConnection

from teller.cards import commits, wishes
from teller.cards.audit import AuditRow
from teller.cards.database import Database, ledger_url
from teller.cards.ledger import CardView
from teller.cards.migrate import schema_is_current, upgrade
from teller.cards.records import Card, CardRecord, Clause, Operation, Wish
from teller.cards.rows import ALL_AUDIT, VIEW, audit_row, view_of
from teller.cards.transaction import Write
from teller.errors import LedgerUnavailableError

T = TypeVar("T")


class SqlLedger:
    """A `Ledger` (the methods say there what they promise) on an SQLite file.

    Any number of processes may open the same file. Every time in it comes from `clock`, which gives an aware moment;
    a write that has begun is done whole, even if the task that waits for it is cancelled.
    """

    def __init__(self, database: Database, *, audit_key: bytes, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._audit_key = audit_key
        self._clock = clock

    @classmethod
    async def open(cls, target: str | Path, *, audit_key: bytes, clock: Callable[[], datetime]) -> Self:
        """Return the ledger at a database URL or in an SQLite file, which is made, and its schema brought up to date.

        Raises:
            LedgerUnavailableError: the file can't be opened or written.
            ConfigurationError: the URL is of another database, or the schema is newer than this code.
        """
        url = ledger_url(target)
        database = Database(url)
        try:
            if not await database.inspect(schema_is_current):
                await asyncio.to_thread(upgrade, url)
        except BaseException:
            await database.close()
            raise
        return cls(database, audit_key=audit_key, clock=clock)

    async def view(self, phone: str, conversation: str | None) -> CardView:
        """Read a caller's cards and this conversation's wishes."""
        parameters = {"phone": phone, "conversation": conversation, "now": self._clock()}
        return view_of(phone, await self.read(VIEW, parameters))

    async def ask(self, conversation: str, phone: str, operation: Operation, card: Card | None, clause: Clause) -> Wish:
        """Commit a question before it is spoken; its `asked_at` is the ledger's, whatever the clause says."""
        return await self.write(lambda write: wishes.ask(write, conversation, phone, operation, card, clause))

    async def settle(self, wish_id: str, answer_hash: str) -> bool:
        """Move an open wish to settling."""
        return await self.write(lambda write: wishes.settle(write, wish_id, answer_hash))

    async def commit(self, wish_id: str, answer_hash: str, card: Card) -> CardRecord | None:
        """Do a settling wish, once."""
        return await self.write(lambda write: commits.commit(write, wish_id, answer_hash, card))

    async def commit_direct(self, conversation: str, phone: str, operation: Operation, card: Card) -> CardRecord | None:
        """Do a wish that needs no question."""
        return await self.write(lambda write: commits.commit_direct(write, conversation, phone, operation, card))

    async def drop(self, wish_id: str) -> None:
        """Give up a wish."""
        await self.write(lambda write: wishes.drop(write, wish_id))

    async def end_conversation(self, conversation: str) -> None:
        """Drop what is open in a conversation that has ended."""
        await self.write(lambda write: wishes.end_conversation(write, conversation))

    async def refuse(self, phone: str | None, operation: Operation | None, reason: str) -> None:
        """Put a refusal into the audit trail."""
        await self.write(lambda write: write.audit("refused", phone=phone, operation=operation, reason=reason))

    async def ready(self) -> None:
        """Return if the schema is current and the ledger answers."""
        if not await self._database.inspect(schema_is_current):
            raise LedgerUnavailableError("the ledger's schema is not current: run `teller migrate`")

    async def close(self) -> None:
        """Wait for the writes under way and let go of the file."""
        await self._database.close()

    async def audit_trail(self) -> list[AuditRow]:
        """Return the whole trail by number, for `audit.first_broken`.

        Raises:
            LedgerUnavailableError: nothing could be read.
        """
        return [audit_row(row) for row in await self.read(ALL_AUDIT)]

    async def read(self, statement: Executable, parameters: Mapping[str, object] | None = None) -> Sequence[Row[Any]]:
        """Return the rows of one statement, for the other files of this room.

        Raises:
            LedgerUnavailableError: nothing could be read.
        """
        return await self._database.read(statement, parameters)

    async def write(self, work: Callable[[Write], Awaitable[T]]) -> T:
        """Run `work`, which leaves an audit row, in one transaction; for the other files of this room.

        Raises:
            LedgerUnavailableError: nothing could be written.
        """

        async def transaction(connection: AsyncConnection) -> T:
            return await work(Write(connection, self._clock(), self._audit_key))

        return await self._database.write(transaction)
