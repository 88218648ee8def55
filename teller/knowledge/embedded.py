"""The knowledge index with no server: one SQLite file, and in memory what a search looks through.

Several processes may work on one file: each write raises a generation, and a search first takes over what changed.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Self, TypeVar, TypeVarTuple

import numpy as np

from teller.errors import SearchUnavailableError
from teller.knowledge import index_file
from teller.knowledge.fusion import DEPTH, LEXICAL_WEIGHT, VECTOR_WEIGHT, fused
from teller.knowledge.index import DocumentInfo, IndexStatus, Passage, Upsert, Vector
from teller.knowledge.index_file import IndexedPassage
from teller.knowledge.snapshot import Snapshot
from teller.knowledge.word_index import counted_terms
from teller.knowledge.words import telling_words

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class EmbeddedIndex:
    """A `KnowledgeIndex` in one file. All work is done in worker threads, and reads do not wait for writes.

    A cancelled caller leaves no half of a write: the transaction ends in its thread.
    """

    name = "embedded"

    def __init__(self, reading: sqlite3.Connection, writing: sqlite3.Connection, dimension: int) -> None:
        self._reading, self._writing = reading, writing
        self._read_guard, self._write_guard = threading.Lock(), threading.Lock()
        self._dimension = dimension
        self._snapshot = Snapshot(dimension)

    @classmethod
    async def open(cls, path: Path, embedder_name: str, dimension: int) -> Self:
        """Open the file, or make it.

        Args:
            path: The file; its folder is made.
            embedder_name: What embeds passages and questions; the file is bound to it.
            dimension: The length of its vectors.

        Raises:
            ConfigurationError: the file cannot be opened, is none of ours, or was filled by another embedder.
        """
        reading = await asyncio.to_thread(index_file.connect, path, embedder_name, dimension)
        writing = await asyncio.to_thread(index_file.connect, path, embedder_name, dimension)
        return cls(reading, writing, dimension)

    async def search(
        self, question: str, vector: Vector | None, *, on: date, limit: int = 6, collection: str | None = None
    ) -> list[Passage]:
        """Return the passages in force `on` that day, best first; without a vector by words alone.

        A document is in force from its effective date to its expiry date, both included.
        """
        return await self._read(self._search, question, vector, on, limit, collection)

    async def upsert(
        self, document: DocumentInfo, passages: Sequence[Passage], vectors: Sequence[Vector] | None
    ) -> None:
        """Put a document in place of its former self, all of it or none; without vectors it is found by words."""
        await self.upsert_all([Upsert(document, passages, vectors)])

    async def upsert_all(self, upserts: Sequence[Upsert]) -> None:
        """Put several documents in, no two of one id: all of them or none."""
        whole = await asyncio.to_thread(
            lambda: [(one.document, self._rows(one.passages, one.vectors)) for one in upserts]
        )
        await self._write(index_file.put_all, whole)

    async def add_vectors(self, vectors: dict[str, Vector]) -> None:
        """Give vectors to passages by their id; ids that are gone meanwhile are passed over."""
        blobs = [(passage_id, self._bytes(vector)) for passage_id, vector in vectors.items()]
        await self._write(index_file.add_vectors, blobs)

    async def without_vector(self) -> list[Passage]:
        """Return the passages that still wait for their vector."""
        return list((await self._read(index_file.passages, "vector IS NULL ORDER BY id")).values())

    async def delete(self, *document_ids: str) -> bool:
        """Remove documents; False where none of them was there."""
        return await self._write(index_file.delete, *document_ids)

    async def documents(self) -> list[DocumentInfo]:
        """Return what is in the index, by file name."""
        return await self._read(index_file.documents)

    async def passages_of(self, document_id: str) -> list[Passage]:
        """Return a document's passages in reading order; empty where there is none."""
        condition = "document = (SELECT id FROM documents WHERE document_id = ?) ORDER BY id"
        return list((await self._read(index_file.passages, condition, document_id)).values())

    async def ever_held_anything(self) -> bool:
        """Return whether a document was ever put in, even if it was deleted since."""
        return await self._read(index_file.generation) > 0

    async def status(self) -> IndexStatus:
        """Return how much is in the index."""
        return await self._read(index_file.status)

    async def close(self) -> None:
        """Let go of the file, after what is under way."""
        await asyncio.to_thread(self._close)

    def _search(
        self,
        connection: sqlite3.Connection,
        question: str,
        vector: Vector | None,
        on: date,
        limit: int,
        collection: str | None,
    ) -> list[Passage]:
        snapshot = self._refreshed(connection)
        there = snapshot.in_force(on, collection)
        word_scores = snapshot.word_scores(telling_words(question))
        words = snapshot.best(word_scores, there & (word_scores > 0), DEPTH)
        cosines = None if vector is None else snapshot.cosines(vector)
        if cosines is None:
            scores = words
        else:
            known = ~np.isnan(cosines)
            # A passage that waits for its vector is judged by its words in place of its meaning.
            waiting = snapshot.best(word_scores, there & (word_scores > 0) & ~known, DEPTH)
            lists = [snapshot.best(cosines, there & known, DEPTH), words, waiting]
            scores = fused(lists, [VECTOR_WEIGHT, LEXICAL_WEIGHT, VECTOR_WEIGHT])
        best = sorted(scores, key=scores.__getitem__, reverse=True)[:limit]
        rows = [snapshot.row(place) for place in best]
        passages = index_file.passages(connection, f"id IN ({','.join('?' * len(rows))})", *rows)
        return [
            replace(passages[row], score=scores[place], similarity=None if cosines is None else _known(cosines[place]))
            for row, place in zip(rows, best, strict=True)
        ]

    def _refreshed(self, connection: sqlite3.Connection) -> Snapshot:
        try:
            self._snapshot.refresh(connection)
        except BaseException:
            self._snapshot = Snapshot(self._dimension)  # half of a change must not stay: all is read again
            raise
        return self._snapshot

    def _rows(self, passages: Sequence[Passage], vectors: Sequence[Vector] | None) -> list[IndexedPassage]:
        blobs = [None] * len(passages) if vectors is None else [self._bytes(vector) for vector in vectors]
        terms = [counted_terms(passage) for passage in passages]
        return list(zip(passages, terms, blobs, strict=True))

    def _bytes(self, vector: Vector) -> bytes:
        """Return a vector at length 1 as it is stored: float32."""
        if vector.shape != (self._dimension,):
            raise ValueError(f"a vector of shape {vector.shape} does not belong in an index of {self._dimension}")
        return (vector / (float(np.linalg.norm(vector)) or 1.0)).astype(np.float32).tobytes()

    async def _read(self, work: Callable[[sqlite3.Connection, *_Ts], _T], *values: *_Ts) -> _T:
        return await asyncio.to_thread(lambda: _transaction(self._reading, self._read_guard, "BEGIN", work, *values))

    async def _write(self, work: Callable[[sqlite3.Connection, *_Ts], _T], *values: *_Ts) -> _T:
        return await asyncio.to_thread(
            lambda: _transaction(self._writing, self._write_guard, "BEGIN IMMEDIATE", work, *values)
        )

    def _close(self) -> None:
        with self._read_guard, self._write_guard:
            self._reading.close()
            self._writing.close()


def _transaction(
    connection: sqlite3.Connection,
    guard: threading.Lock,
    begin: str,
    work: Callable[[sqlite3.Connection, *_Ts], _T],
    *values: *_Ts,
) -> _T:
    """Do work that sees one state of the file and whose changes are kept all or not at all."""
    try:
        with guard, connection:
            connection.execute(begin)
            return work(connection, *values)
    except sqlite3.Error as error:
        raise SearchUnavailableError(f"The knowledge index cannot be used: {error}") from error


def _known(cosine: np.float32) -> float | None:
    return None if np.isnan(cosine) else float(cosine)
