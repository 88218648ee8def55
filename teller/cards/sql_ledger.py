"""The ledger that ships: cards, wishes and audit trail in one SQL database. The file to open first in this room.

What a write does stands in `wishes.py`, `commits.py` and `proofs.py`; how it is made one transaction, in `database.py`.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import Executable, Row
from sqlalchemy.ext.asyncio import AsyncConnection

from teller.cards import commits, disclosure, forgetting, proofs, trail, wishes
from teller.cards.audit import AuditRow
from teller.cards.database import Database
from teller.cards.engines import ledger_url, place
from teller.cards.ledger import CardView, NotProvenError, TooManyOrdersError
from teller.cards.migrate import schema_is_current, upgrade
from teller.cards.pin import PinJudge
from teller.cards.records import Card, CardRecord, Clause, Operation, PinVerdict, Purchase, Wish
from teller.cards.rows import VIEW, view_of
from teller.cards.transaction import Write
from teller.errors import LedgerUnavailableError

T = TypeVar("T")


_LONGEST_CONVERSATION = 200


class SqlLedger:
    """A `Ledger` (the methods say there what they promise) on an SQLite file or in a PostgreSQL database.

    Any number of processes may open the same one. Every time in it comes from `clock`, which gives an aware moment;
    a write that has begun is done whole, even if the task that waits for it is cancelled.
    """

    def __init__(self, database: Database, *, audit_key: bytes, pins: PinJudge, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._audit_key = audit_key
        self._pins = pins
        self._clock = clock

    @classmethod
    async def open(cls, target: str | Path, *, audit_key: bytes, pepper: bytes, clock: Callable[[], datetime]) -> Self:
        """Return the ledger at a database URL or in an SQLite file, which is made, and its schema brought up to date.

        Raises:
            LedgerUnavailableError: the file can't be opened or written, or the server does not let us in.
            ConfigurationError: the URL is of another database, or the schema is newer than this code.
        """
        url = ledger_url(target)
        database = Database(url)
        try:
            if not await database.inspect(schema_is_current):
                await asyncio.to_thread(upgrade, url)
        except LedgerUnavailableError as failure:
            await database.close()
            why = type(failure.__cause__).__name__
            raise LedgerUnavailableError(f"the card ledger at {place(url)} can't be opened ({why})") from failure
        except BaseException:
            await database.close()
            raise
        return cls(database, audit_key=audit_key, pins=PinJudge(pepper), clock=clock)

    async def view(self, phone: str, conversation: str | None) -> CardView:
        """Read a caller's cards and this conversation's wishes and proof."""
        now = self._clock()
        parameters = {"phone": phone, "conversation": conversation and _kept(conversation), "now": now}
        return view_of(phone, await self._database.read_often(VIEW, parameters), now)

    async def disclose(self, conversation: str, phone: str, operation: Operation, card: Card) -> tuple[Purchase, ...]:
        """Note what is about to be told of a card, and read its last payments."""
        conversation = _kept(conversation)
        told = await self.write(lambda write: disclosure.disclose(write, conversation, phone, operation, card))
        if isinstance(told, NotProvenError):
            raise told
        return told

    async def ask(self, conversation: str, phone: str, operation: Operation, card: Card | None, clause: Clause) -> Wish:
        """Commit a question before it is spoken; its `asked_at` is the ledger's, whatever the clause says."""
        return await self.write(lambda write: wishes.ask(write, _kept(conversation), phone, operation, card, clause))

    async def note_request(self, wish_id: str, requested_at: datetime) -> bool:
        """Raise the time of the newest request seen for a wish."""
        return await self.write(lambda write: wishes.note_request(write, wish_id, requested_at))

    async def settle(
        self,
        wish_id: str,
        answer_hash: str,
        requested_at: datetime | None = None,
        wait: timedelta = timedelta(0),
    ) -> datetime | None:
        """Move an open wish to settling."""
        return await self.write(lambda write: wishes.settle(write, wish_id, answer_hash, requested_at, wait))

    async def reopen(self, wish_id: str, answer_hash: str) -> bool:
        """Make a settling wish open again."""
        return await self.write(lambda write: wishes.reopen(write, wish_id, answer_hash))

    async def commit(self, wish_id: str, answer_hash: str, card: Card) -> CardRecord | None:
        """Do a settling wish, once."""
        try:
            return await self.write(lambda write: commits.commit(write, wish_id, answer_hash, card))
        except (NotProvenError, TooManyOrdersError) as refusal:
            reason = str(refusal)
            final = isinstance(refusal, TooManyOrdersError)
            await self.write(lambda write: wishes.refuse(write, wish_id, reason, final=final))
            raise

    async def commit_direct(self, conversation: str, phone: str, operation: Operation, card: Card) -> CardRecord | None:
        """Do a wish that needs no question."""
        conversation = _kept(conversation)
        return await self.write(lambda write: commits.commit_direct(write, conversation, phone, operation, card))

    async def undo(self, wish_id: str) -> CardRecord | None:
        """Take back a block."""
        return await self.write(lambda write: commits.undo(write, wish_id))

    async def drop(self, wish_id: str) -> None:
        """Give up a wish."""
        await self.write(lambda write: wishes.drop(write, wish_id))

    async def end_conversation(self, conversation: str) -> None:
        """Drop what is under way in a conversation that has ended; a block that settles goes on."""
        await self.write(lambda write: wishes.end_conversation(write, _kept(conversation)))

    def fingerprint(self, words: str) -> str:
        """Return a keyed hash of a caller's words."""
        return self._pins.fingerprint(words)

    async def prove(
        self, conversation: str, phone: str, pin: str, turn_hash: str, wish_id: str | None = None
    ) -> PinVerdict:
        """Judge a PIN."""
        given = proofs.Given(_kept(conversation), phone, turn_hash, self._pins.value_hash(phone, pin), wish_id)
        now = self._clock()
        rows = await self.read(proofs.STANDING, proofs.standing_parameters(given, now))
        right = await self._find_right(pin, rows[0], now) if rows else False
        return await self.write(lambda write: proofs.judge(write, given, right))

    async def _find_right(self, pin: str, standing: Row[Any], now: datetime) -> bool | None:
        if proofs.locked(standing, now):
            return None
        known_to_be_wrong = standing.at is not None
        return False if known_to_be_wrong else await self._pins.is_right(pin, standing.pin_hash)

    async def refuse(self, phone: str | None, operation: Operation | None, reason: str) -> None:
        """Put a refusal into the audit trail."""
        await self.write(lambda write: write.audit("refused", phone=phone, operation=operation, reason=reason))

    async def erase(self, phone: str) -> bool:
        """Delete all that is known of a number, but for the audit trail's pseudonyms; False where that is nothing."""
        erased = await self.write(lambda write: forgetting.erase(write, phone))
        with suppress(LedgerUnavailableError):  # busy: the log is emptied in its own time
            await self._database.write_over_what_was_deleted()
        return erased

    async def forget_old(self) -> None:
        """Delete wishes, proofs and wrong PINs that have outlived their use; writes do so too, in passing."""
        await self.write(forgetting.forget_old)

    async def ready(self) -> None:
        """Return if the schema is current and the ledger answers."""
        if not await self._database.inspect(schema_is_current):
            raise LedgerUnavailableError("the ledger's schema is not current: run `teller migrate`")

    async def close(self) -> None:
        """Wait for the writes under way and let go of the connections."""
        await self._database.close()

    def audit_batches(self) -> AsyncIterator[list[AuditRow]]:
        """Give the whole trail by number, in batches, for `audit.ChainCheck`.

        Raises:
            LedgerUnavailableError: nothing could be read.
        """
        return trail.batches(self.read)

    async def audit_trail(self, last: int = 0) -> list[AuditRow]:
        """Return the trail's last rows by number; 0: all of them, at once.

        Raises:
            LedgerUnavailableError: nothing could be read.
        """
        if last:
            return await trail.newest(self.read, last)
        return [row async for batch in self.audit_batches() for row in batch]

    async def missing_guards(self) -> list[str]:
        """Return which of the triggers that protect the trail were taken away.

        Raises:
            LedgerUnavailableError: nothing could be read.
        """
        return await trail.missing_guards(self.read, self._database.dialect)

    def now(self) -> datetime:
        """Return the ledger's time."""
        return self._clock()

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
        begun: list[Write] = []

        async def transaction(connection: AsyncConnection) -> T:
            begun.append(Write(connection, self._clock(), self._audit_key))
            return await work(begun[-1])

        return await self._database.write(transaction, lambda connection: begun[-1].has_landed(connection))


def _kept(conversation: str) -> str:
    """Return the name under which a conversation is kept: its own, unless no database would take that."""
    if len(conversation) <= _LONGEST_CONVERSATION and conversation.isprintable():
        return conversation
    return hashlib.sha256(conversation.encode(errors="surrogatepass")).hexdigest()
