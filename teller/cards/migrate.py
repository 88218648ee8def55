"""Bring a ledger's schema up to date, once, however many processes start at the same time."""

import time
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, inspect, text
from sqlalchemy.exc import OperationalError

from teller.cards.database import WAIT_SECONDS, begin_immediate, driver_errors, set_up_connections
from teller.errors import ConfigurationError

HEAD = "0001"
"""The newest revision in `migrations/versions`, kept here so that a start with a current schema needs no Alembic."""

_MIGRATIONS = Path(__file__).parent / "migrations"


def schema_is_current(connection: Connection) -> bool:
    """Return whether the ledger behind the connection has the schema that this code was written for."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    return bool(connection.scalar(text("SELECT version_num FROM alembic_version")) == HEAD)


def upgrade(url: URL) -> None:
    """Run the migrations that the ledger lacks, all of them or none. Synchronous: from a coroutine, use a thread.

    The transaction begins IMMEDIATE, which is the lock: a second process waits, then finds nothing left to do.

    Raises:
        LedgerUnavailableError: the database could not be opened, or was locked for too long.
        ConfigurationError: the schema is newer than this code.
    """
    engine = create_engine(
        url.set(drivername="sqlite"),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"isolation_level": None},
    )
    set_up_connections(engine)
    with driver_errors():
        _use_wal(engine)
        begin_immediate(engine)
        with engine.begin() as connection:
            if not schema_is_current(connection):
                _run_migrations(connection)


def _use_wal(engine: Engine) -> None:
    """Let readers and the writer work side by side, from now on: the mode stays with the file.

    SQLite does not wait for a lock here, so that two first starts at once would fail each other: we wait instead.
    """
    for attempts_left in reversed(range(WAIT_SECONDS * 20)):
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            return
        except OperationalError as error:
            if not attempts_left or "locked" not in str(error.orig):
                raise
            time.sleep(0.05)


def _run_migrations(connection: Connection) -> None:
    from alembic import command  # half a second, which a start with a current schema does not pay
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigurationError("the ledger's schema is not one that this version of Teller knows") from error
