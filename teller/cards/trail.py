"""The audit trail read back: in batches, however long it is, and whatever somebody wrote into its rows."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, get_args

from sqlalchemy import Executable, Row, Select, Text, bindparam, select, text, type_coerce

from teller.cards.audit import AuditEntry, AuditRow, Event
from teller.cards.schema import audit
from teller.errors import LedgerUnavailableError

BATCH = 5_000
"""Rows in memory at a time."""

GUARDS = {
    "sqlite": {"audit_no_update", "audit_no_delete", "audit_no_replace"},
    "postgresql": {"audit_no_update", "audit_no_delete", "audit_no_truncate"},
}
"""The triggers that protect the trail, by database."""

Read = Callable[[Executable, Mapping[str, object] | None], Awaitable[Sequence[Row[Any]]]]

# As the database gives them: a row that was tampered with may hold what the columns' own types can't read.
_RAW = [type_coerce(column, Text).label(column.name) for column in audit.c if column is not audit.c.seq]
_ROWS: Select[Any] = select(audit.c.seq, *_RAW)
_NEXT = _ROWS.where(audit.c.seq > bindparam("after")).order_by(audit.c.seq).limit(BATCH)
_FIRST = _ROWS.order_by(audit.c.seq).limit(BATCH)
_NUMBERS = select(audit.c.seq).order_by(audit.c.seq).limit(BATCH)
_ONE = _ROWS.where(audit.c.seq == bindparam("seq"))
_EVENTS = frozenset(get_args(Event))
_TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'",
    "postgresql": "SELECT tgname AS name FROM pg_trigger WHERE tgrelid = 'audit'::regclass AND tgenabled IN ('O', 'A')",
}


async def batches(read: Read, after: int | None = None) -> AsyncIterator[list[AuditRow]]:
    """Give all rows by number, or those after one; one that can't be read comes as "unreadable", which no chain has.

    Raises:
        LedgerUnavailableError: nothing could be read.
    """
    rows = await _batch(read, after)
    while rows:
        yield rows
        rows = await _batch(read, rows[-1].entry.seq) if len(rows) == BATCH else []


async def newest(read: Read, count: int) -> list[AuditRow]:
    """Return the last rows by number, so many at most.

    Raises:
        LedgerUnavailableError: nothing could be read.
    """
    before = await read(select(audit.c.seq).order_by(audit.c.seq.desc()).offset(count).limit(1), None)
    after = before[0].seq if before else None
    return [row async for batch in batches(read, after) for row in batch]


async def missing_guards(read: Read, dialect: str) -> list[str]:
    """Return which of the triggers that protect the trail were taken away."""
    return sorted(GUARDS[dialect] - {row.name for row in await read(text(_TRIGGERS[dialect]), None)})


async def _batch(read: Read, after: int | None) -> list[AuditRow]:
    try:
        rows = await (read(_FIRST, None) if after is None else read(_NEXT, {"after": after}))
    except LedgerUnavailableError:  # the whole database, or a row whose text is none: one at a time tells
        numbers = await read(_NUMBERS if after is None else _NUMBERS.where(audit.c.seq > after), None)
        return [await _one(read, row.seq) for row in numbers]
    return [_audit_row(row) for row in rows]


async def _one(read: Read, seq: int) -> AuditRow:
    try:
        rows = await read(_ONE, {"seq": seq})
    except LedgerUnavailableError:
        return _unreadable(seq)
    return _audit_row(rows[0]) if rows else _unreadable(seq)


def _audit_row(row: Row[Any]) -> AuditRow:
    try:
        at = datetime.fromisoformat(row.at) if isinstance(row.at, str) else row.at
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        detail = row.detail if isinstance(row.detail, dict) else json.loads(row.detail)  # PostgreSQL's driver decodes
        entry = AuditEntry(row.seq, at, row.event, row.subject, row.wish_id, detail)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return _unreadable(row.seq)
    words = (row.subject or "", row.wish_id or "", row.previous_mac, row.mac)
    ours = row.event in _EVENTS and isinstance(entry.detail, dict) and all(isinstance(w, str) for w in words)
    return AuditRow(entry, row.previous_mac, row.mac) if ours else _unreadable(row.seq)


def _unreadable(seq: int) -> AuditRow:
    return AuditRow(AuditEntry(seq, datetime.fromtimestamp(0, UTC), "unreadable", None, None, {}), "", "")
