"""How Teller opens an SQLite file that several processes use at once, for data that can be made again."""

import sqlite3
import time
from pathlib import Path

_BUSY_SECONDS = 10.0
_PAUSE_SECONDS = 0.02


def connect(path: Path) -> sqlite3.Connection:
    """Open or make the file: readers do not wait for a writer, and writers wait for each other up to 10 s.

    The connection is for any thread, one at a time, and begins no transaction by itself. A power cut may lose the
    latest transactions, never the file.

    Raises:
        OSError: its folder cannot be made.
        sqlite3.Error: it cannot be opened, or is no database.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _use_write_ahead_log(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch, or find it switched; SQLite does not wait for another process that is switching a new file."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
