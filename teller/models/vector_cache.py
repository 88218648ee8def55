"""Vectors that were computed once, kept on disk: a text that did not change is not embedded again."""

import asyncio
import hashlib
import random
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import structlog

from teller import sqlite_file
from teller.errors import ConfigurationError
from teller.knowledge.index import Vector

# Written together: a transaction for each vector would cost more than the little that a crash can lose.
_BATCH = 32
# About 600,000 vectors of 384 dimensions; a bank of 10,000 documents with their sentences needs a quarter of it.
_LARGEST_BYTES = 1_000_000_000
# SQLite allows a bounded number of parameters in one statement.
_KEYS_PER_QUERY = 500

_log = structlog.get_logger(__name__)


class Embedder(Protocol):
    """What the cache needs of an embedder; its name must differ wherever its vectors do."""

    name: str
    dimension: int
    at_once: int
    """How many texts it is given together."""

    async def aembed_query(self, text: str) -> list[float]:
        """Return the vector of a question."""
        ...

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return the vectors of passages."""
        ...


class VectorCache:
    """Vectors by the hash of embedder, use and text, in an SQLite file that several processes may share.

    All work is done in worker threads. Texts are embedded one at a time, whoever asks: so the vector of a text depends
    on nothing else (the embedder's file says why), and embedding takes at most one core from serving. When the file
    fails, the cache goes on without it: it only saves time.
    """

    def __init__(self, connection: sqlite3.Connection, embedder: Embedder) -> None:
        self._connection = connection
        self._guard = threading.Lock()
        self._embedder = embedder
        self._one_at_a_time = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path, embedder: Embedder, shipped: Path | None = None) -> Self:
        """Open the file, or make it; a new one begins with the vectors that are `shipped` with the project.

        Raises:
            ConfigurationError: the file cannot be opened or is none of ours.
        """
        connection = await asyncio.to_thread(_connect, path)
        if shipped is not None:
            await asyncio.to_thread(_fill_new, connection, shipped)
        return cls(connection, embedder)

    async def vectors(
        self, texts: Sequence[str], *, as_queries: bool = False, progress: Callable[[int], None] | None = None
    ) -> list[Vector]:
        """Return the vectors of texts, float32 of the embedder's dimension, in the order of the texts.

        Args:
            texts: Passages; or, `as_queries`, what a caller might say, which is embedded with the query prefix.
            as_queries: Which of the two.
            progress: Called after each text that had to be embedded, with the number of vectors at hand.
        """
        keys = [self._key(text, as_queries) for text in texts]
        found = await asyncio.to_thread(self._read, set(keys))
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        fresh: dict[bytes, Vector] = {}
        try:
            for batch in _batches(list(missing.items()), self._embedder.at_once):
                async with self._one_at_a_time:
                    fresh |= await self._embed(dict(batch), as_queries)
                found |= fresh
                if progress:
                    progress(len(found))
                if len(fresh) >= _BATCH:
                    await asyncio.to_thread(self._write, fresh)
                    fresh = {}
        finally:  # what was paid for is kept, also when the caller gives up
            if fresh:
                await asyncio.shield(asyncio.to_thread(self._write, fresh))
        return [found[key] for key in keys]

    async def close(self) -> None:
        """Let go of the file."""
        await asyncio.to_thread(self._close)

    def _key(self, text: str, as_query: bool) -> bytes:
        use = "query" if as_query else "passage"
        return hashlib.sha256(f"{self._embedder.name}\n{use}\n{text}".encode()).digest()

    async def _embed(self, texts: dict[bytes, str], as_queries: bool) -> dict[bytes, Vector]:
        if as_queries:
            computed = await asyncio.gather(*map(self._embedder.aembed_query, texts.values()))
        else:
            computed = await self._embedder.aembed_documents(list(texts.values()))
        return {key: np.asarray(one, dtype=np.float32) for key, one in zip(texts, computed, strict=True)}

    def _read(self, keys: Iterable[bytes]) -> dict[bytes, Vector]:
        wanted = list(keys)
        rows: list[tuple[bytes, bytes]] = []
        try:
            with self._guard:
                for start in range(0, len(wanted), _KEYS_PER_QUERY):
                    part = wanted[start : start + _KEYS_PER_QUERY]
                    marks = ",".join("?" * len(part))
                    rows += self._connection.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", part)  # noqa: S608
        except sqlite3.Error as error:
            _log.warning("the vector cache could not be read", error=str(error))
        vectors = ((key, np.frombuffer(blob, dtype=np.float32)) for key, blob in rows)
        return {key: vector for key, vector in vectors if len(vector) == self._embedder.dimension}

    def _write(self, vectors: dict[bytes, Vector]) -> None:
        rows = [(key, vector.tobytes()) for key, vector in vectors.items()]
        try:
            with self._guard, self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                if _size(self._connection) > _LARGEST_BYTES:
                    _make_room(self._connection)
                self._connection.executemany("INSERT OR REPLACE INTO vectors (key, vector) VALUES (?, ?)", rows)
        except sqlite3.Error as error:
            _log.warning("the vector cache could not be written", error=str(error))

    def _close(self) -> None:
        with self._guard:
            self._connection.close()


def _batches(items: list[tuple[bytes, str]], size: int) -> list[list[tuple[bytes, str]]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _connect(path: Path) -> sqlite3.Connection:
    try:
        connection = sqlite_file.connect(path)
        connection.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")
    except (sqlite3.Error, OSError) as error:
        raise ConfigurationError(f"{path} cannot be used ({error}): delete it, it is only a cache") from error
    return connection


def _size(connection: sqlite3.Connection) -> int:
    """Return how many bytes of the file are in use; what was deleted is not, and is used again."""
    pages, free, each = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * each)


def _make_room(connection: sqlite3.Connection) -> None:
    """Forget about a quarter of the vectors, whichever: which text is still in use is not known here.

    Keys are hashes, so those that begin with the same half byte are a fair sample.
    """
    for first in random.sample(range(0, 256, 16), 16):
        bounds = (bytes([first]), bytes([first + 15]) + b"\xff" * 32)
        connection.execute("DELETE FROM vectors WHERE key BETWEEN ? AND ?", bounds)
        if _size(connection) <= _LARGEST_BYTES * 3 // 4:
            return


def _fill_new(connection: sqlite3.Connection, shipped: Path) -> None:
    """Put the shipped vectors into a cache that is empty; without them a first start is slow, and no more than that."""
    try:
        if connection.execute("SELECT 1 FROM vectors LIMIT 1").fetchone() or not shipped.is_file():
            return
        with np.load(shipped) as file, connection:
            pairs = zip(file["keys"], file["vectors"], strict=True)
            rows = [(key.tobytes(), vector.tobytes()) for key, vector in pairs]
            connection.executemany("INSERT OR IGNORE INTO vectors (key, vector) VALUES (?, ?)", rows)
    except (sqlite3.Error, OSError, ValueError, KeyError) as error:
        _log.warning("the shipped vectors could not be read", error=str(error))
