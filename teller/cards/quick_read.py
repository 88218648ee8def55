"""The read that every turn waits for, on SQLite: one hop to the file's thread where SQLAlchemy's async needs four.

The statement is SQLAlchemy's, compiled once, and so are the conversions of its columns; only the way there is shorter.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

import aiosqlite
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

Convert = Callable[[Any], Any]

QUICK_READ_FAILURES = (sqlite3.Error, ValueError)
"""What goes wrong underneath: ValueError is aiosqlite's, for a connection that was closed."""


class QuickRead:
    """One SELECT on a connection of its own, taken from the engine when it is first needed."""

    def __init__(self, engine: AsyncEngine, statement: Select[Any]) -> None:
        dialect = engine.dialect
        compiled = statement.compile(dialect=dialect)
        self._engine = engine
        self._sql = str(compiled)
        self._fixed = compiled.params
        self._names = list(compiled.positiontup or ())
        binds = {name: compiled.binds[name].type.dialect_impl(dialect) for name in self._names}
        self._bind: list[Convert | None] = [binds[name].bind_processor(dialect) for name in self._names]
        columns = [column.type.dialect_impl(dialect) for column in statement.selected_columns]
        self._convert: list[Convert | None] = [column.result_processor(dialect, None) for column in columns]
        self._opening = asyncio.Lock()
        self._connection: AsyncConnection | None = None
        self._driver: aiosqlite.Connection | None = None

    async def rows(self, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """Return the rows, each value as SQLAlchemy would give it."""
        driver = self._driver or await self._open()
        given = (parameters.get(name, self._fixed[name]) for name in self._names)
        bound = [bind(value) if bind else value for bind, value in zip(self._bind, given, strict=True)]
        rows = await driver.execute_fetchall(self._sql, bound)
        return [
            tuple(convert(value) if convert else value for convert, value in zip(self._convert, row, strict=True))
            for row in rows
        ]

    async def close(self) -> None:
        """Give the connection back."""
        self._driver = None
        if self._connection is not None:
            await self._connection.close()

    async def _open(self) -> aiosqlite.Connection:
        async with self._opening:
            if self._driver is None:
                self._connection = self._connection or await self._engine.connect()
                self._driver = (await self._connection.get_raw_connection()).driver_connection
            assert self._driver is not None  # noqa: S101 (for the type: a connection that is open has its driver's)
            return self._driver
