"""Column types that hold the same value on SQLite and on PostgreSQL: money, moments, and records as JSON text."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from pydantic import TypeAdapter
from sqlalchemy import BigInteger, DateTime, Dialect, Enum, Text
from sqlalchemy.types import TypeDecorator

T = TypeVar("T")


class Cents(TypeDecorator[Decimal]):
    """Money with two places, kept as whole cents.

    SQLite has no decimal type (NUMERIC is a float there), and text would neither add up nor compare. An integer is
    exact, sortable and the same on every database.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        """Return the cents; a fraction of a cent raises ValueError, for it would be lost."""
        if value is None:
            return None
        cents = value.scaleb(2)
        if cents != cents.to_integral_value():
            raise ValueError("money has two places")
        return int(cents)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        """Return the amount with its two places."""
        return None if value is None else Decimal(value).scaleb(-2)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, aware and in UTC on both sides; SQLite keeps no zone, so it is taken off and put back here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment in UTC; a naive one raises ValueError, for nobody knows when it is."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment in the ledger needs its time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JsonText(TypeDecorator[T]):
    """A record of `records.py` as JSON text, rebuilt with its own types (decimals, dates and enums included)."""

    impl = Text
    cache_ok = True

    def __init__(self, record_type: type[T]) -> None:
        super().__init__()
        self.record_type = record_type
        self._adapter = TypeAdapter(record_type)

    def process_bind_param(self, value: T | None, dialect: Dialect) -> str | None:
        """Return the record as JSON."""
        return None if value is None else self._adapter.dump_json(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> T | None:
        """Return the record."""
        return None if value is None else self._adapter.validate_json(value)


def word(enum: type[StrEnum], *, check: str | None = None) -> Enum:
    """Return a column type for one of an enum's words, as text; `check` names a constraint that admits no other."""
    return Enum(
        enum,
        name=check,
        native_enum=False,  # a word added later needs no ALTER TYPE on PostgreSQL
        create_constraint=check is not None,
        length=16,
        values_callable=lambda members: [member.value for member in members],
    )
