"""What tests of the ledger share: a clock that stands still, keys, and short ways to say who wishes what."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from teller.cards.records import Card, Clause
from teller.cards.sql_ledger import SqlLedger

AUDIT_KEY = b"audit key of the tests"
PEPPER = b"pepper of the tests"

_NOT_YET = datetime(1970, 1, 1, tzinfo=UTC)

MAYA, TOMAS, RUTH, JONAS = "+1234567890", "+1234567891", "+1234567892", "+1234567893"


class Clock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


async def open_ledger(path: Path, clock: Clock) -> SqlLedger:
    return await SqlLedger.open(path, audit_key=AUDIT_KEY, clock=clock)


async def card_of(ledger: SqlLedger, phone: str, place: int = 0) -> Card:
    holder = (await ledger.view(phone, None)).holder
    assert holder is not None
    return holder.cards[place]


def confirm(card: Card, text: str | None = None) -> Clause:
    """The confirming question about a card; its time is the ledger's business."""
    return Clause("confirm", text or f"shall I block your card ending {card.last4}?", card.token, _NOT_YET)


def sql(path: Path, statement: str, *parameters: object) -> list[Any]:
    """Run a statement on a connection of its own, past the ledger, and commit it."""
    connection = sqlite3.connect(path, timeout=5)
    try:
        with connection:
            return connection.execute(statement, parameters).fetchall()
    finally:
        connection.close()
