"""Bring a ledger's schema up to date, once, however many processes start at the same time."""

import asyncio
from pathlib import Path

from sqlalchemy import URL, Connection, inspect, text
from sqlalchemy.exc import OperationalError

from teller.cards.database import driver_errors
from teller.cards.engines import WAIT_SECONDS, migrating_engine, reading_engine
from teller.errors import ConfigurationError

HEAD = "0003"
"""The newest revision in `migrations/versions`, kept here so that a start with a current schema needs no Alembic."""

_MIGRATIONS = Path(__file__).parent / "migrations"


def schema_is_current(connection: Connection) -> bool:
    """Return whether the ledger behind the connection has the schema that this code was written for."""
    return revision(connection) == HEAD


def revision(connection: Connection) -> str | None:
    """Return the schema's revision; None where there is no schema yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def upgrade(url: URL, to: str = HEAD) -> None:
    """Run the migrations that the ledger lacks, all of them or none. Synchronous: from a coroutine, use a thread.

    The transaction holds the ledger's write lock: a second process waits, then finds nothing left to do.

    Raises:
        LedgerUnavailableError: the database could not be opened, or was locked for too long.
        ConfigurationError: the schema is newer than this code.
    """
    with driver_errors():
        asyncio.run(_upgrade(url, to))


async def _upgrade(url: URL, to: str) -> None:
    if url.get_backend_name() == "sqlite":
        await _use_wal(url)
    engine = migrating_engine(url)
    try:
        async with engine.begin() as connection:
            if await connection.run_sync(revision) != to:
                await connection.run_sync(_run_migrations, to)
    finally:
        await engine.dispose()


async def _use_wal(url: URL) -> None:
    """Let readers and the writer work side by side, from now on: the mode stays with the file.

    SQLite does not wait for a lock here, so that two first starts at once would fail each other: we wait instead.
    """
    engine = reading_engine(url)
    try:
        for attempts_left in reversed(range(WAIT_SECONDS * 20)):
            try:
                async with engine.connect() as connection:
                    await connection.exec_driver_sql("PRAGMA journal_mode = WAL")
                return
            except OperationalError as error:
                if not attempts_left or "locked" not in str(error.orig):
                    raise
                await asyncio.sleep(0.05)
    finally:
        await engine.dispose()


def _run_migrations(connection: Connection, to: str) -> None:
    from alembic import command  # half a second, which a start with a current schema does not pay
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, to)
    except CommandError as error:
        raise ConfigurationError("the ledger's schema is not one that this version of Teller knows") from error
