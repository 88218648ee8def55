"""The two databases that a ledger runs on, as pairs of engines that behave alike.

Readers are in autocommit and never wait for a writer. There is one writer at a time, in the whole ledger: it holds
SQLite's write lock, taken at the begin, or an advisory lock of PostgreSQL. So what a write reads stays true until its
commit, and the audit chain can't fork. In a process, writes wait in order in the pool of the one writing connection.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from teller.errors import ConfigurationError

WAIT_SECONDS = 5
"""How long a statement waits for another process's write, and a write for the writes before it."""

WRITER_LOCK = 0x7E11E12
"""The number of the advisory lock that whoever writes holds on PostgreSQL: one a database."""

_FILE_READERS = 5
_SERVER_READERS = 10
_STATEMENT_SECONDS = 10.0
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_COMMON: Mapping[str, Any] = {"pool_timeout": WAIT_SECONDS, "max_overflow": 0, "hide_parameters": True}

# Set for each connection. The last one ends a transaction whose process is gone, but whose connection is not.
_SERVER_SETTINGS = {
    "application_name": "teller",
    "timezone": "UTC",
    "lock_timeout": f"{WAIT_SECONDS}s",
    "idle_in_transaction_session_timeout": f"{2 * WAIT_SECONDS}s",
}

# At DEBUG the drivers log every statement with its parameters: phone numbers and PIN hashes.
for _driver in ("aiosqlite", "asyncpg"):
    logging.getLogger(_driver).setLevel(logging.INFO)


def ledger_url(target: str | Path) -> URL:
    """Return the address of a ledger given as a database URL or as the path of an SQLite file.

    Raises:
        ConfigurationError: the URL is of a database that the ledger does not run on, or can't be read.
    """
    if isinstance(target, Path):
        return URL.create(_DRIVERS["sqlite"], database=str(target))
    try:
        url = make_url(target)
    except (ArgumentError, ValueError):  # their messages show the whole URL, password and all
        url = URL.create("unknown")
    backend = "postgresql" if url.drivername.partition("+")[0] == "postgres" else url.get_backend_name()
    if backend not in _DRIVERS or not url.database or url.database == ":memory:":
        raise ConfigurationError(
            "DATABASE_URL: the ledger runs on sqlite:///PATH or on postgresql://USER:PASSWORD@HOST/DATABASE"
        )
    return _with_known_options(url.set(drivername=_DRIVERS[backend]))


def place(url: URL) -> str:
    """Return where a ledger is, for a message: no user and no password."""
    if url.get_backend_name() == "sqlite":
        return url.database or ""
    port = f":{url.port}" if url.port else ""
    return f"{url.host or url.query.get('host', 'localhost')}{port}/{url.database}"


def _with_known_options(url: URL) -> URL:
    """Return the URL with `sslmode` as the driver calls it; what the driver does not know would be a crash later."""
    if url.get_backend_name() != "postgresql":
        return url
    options = {("ssl" if name == "sslmode" else name): value for name, value in url.query.items()}
    if unknown := options.keys() - {"ssl", "host", "port"}:
        raise ConfigurationError(f"DATABASE_URL: {', '.join(sorted(unknown))} is no option here; sslmode is")
    return url.set(query=options)


def reading_engine(url: URL) -> AsyncEngine:
    """Return the engine whose connections read, each statement by itself."""
    options: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True, **_COMMON}
    if url.get_backend_name() == "postgresql":
        return _server_engine(url, pool_size=_SERVER_READERS, **options)
    return _file_engine(url, pool_size=_FILE_READERS, **options)


def writing_engine(url: URL) -> AsyncEngine:
    """Return the engine of one connection whose transactions hold the ledger's write lock from their begin."""
    return _writing(url, pool_size=1, **_COMMON)


def migrating_engine(url: URL) -> AsyncEngine:
    """Return an engine for one transaction, under the same lock, in an event loop that ends with it."""
    return _writing(url, poolclass=NullPool, hide_parameters=True)


def _writing(url: URL, **options: Any) -> AsyncEngine:
    if url.get_backend_name() == "postgresql":
        engine = _server_engine(url, **options)
        _at_begin(engine.sync_engine, f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")
    else:
        # With isolation_level None the sqlite3 module does not begin on its own.
        engine = _file_engine(url, connect_args={"isolation_level": None}, **options)
        _at_begin(engine.sync_engine, "BEGIN IMMEDIATE")
    return engine


def _file_engine(url: URL, **options: Any) -> AsyncEngine:
    engine = create_async_engine(url, **options)
    _make_durable(engine.sync_engine)
    return engine


def _server_engine(url: URL, **options: Any) -> AsyncEngine:
    """Return an engine that finds out, before it uses a connection, whether the server was restarted meanwhile."""
    arguments = {"timeout": WAIT_SECONDS, "command_timeout": _STATEMENT_SECONDS, "server_settings": _SERVER_SETTINGS}
    return create_async_engine(url, connect_args=arguments, pool_pre_ping=True, **options)


def _make_durable(engine: Engine) -> None:
    """Give each new connection of the engine what makes SQLite durable and strict."""

    @event.listens_for(engine, "connect")
    def _set_up(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {WAIT_SECONDS * 1000}")
        cursor.execute("PRAGMA synchronous = FULL")  # a commit that was told to a caller survives a power cut
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA secure_delete = ON")  # what is erased is written over
        cursor.close()


def _at_begin(engine: Engine, statement: str) -> None:
    """Let each transaction of the engine begin with a statement that takes the lock."""

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(statement)
