"""What a search needs of every passage, held in memory and brought up to date by what changed in the file."""

import sqlite3
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from teller.knowledge.index import Vector

_COLUMNS = ("rows", "documents", "collections", "since", "until", "waiting", "vectors")
_ALWAYS = date.min.toordinal(), date.max.toordinal()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The index as it stood at a generation: arrays with one entry for each of n passages, in order of `rows`.

    `rows` and `documents` are row ids in the file; `vectors` is (n, dimension), each of length 1, or 0 where a passage
    is `waiting` for its vector; `since` and `until` are the first and the last day in force, as ordinals.
    """

    generation: int
    rows: NDArray[np.int64]
    documents: NDArray[np.int64]
    collections: NDArray[np.object_]
    since: NDArray[np.int32]
    until: NDArray[np.int32]
    waiting: NDArray[np.bool_]
    vectors: NDArray[np.float32]

    @classmethod
    def empty(cls, dimension: int) -> Self:
        """Return the snapshot of an index that never held anything."""
        return cls._of([], 0, dimension)

    def refreshed(self, connection: sqlite3.Connection) -> "Snapshot":
        """Return the present state: this snapshot itself, or one that takes over every document that did not change."""
        (generation,) = connection.execute("SELECT value FROM meta WHERE key = 'generation'").fetchone()
        if generation == self.generation:
            return self
        rows = connection.execute(
            "SELECT p.id, p.document, p.collection, p.effective, p.expires, p.vector"
            " FROM documents AS d JOIN passages AS p ON p.document = d.id WHERE d.generation > ?",
            (self.generation,),
        ).fetchall()
        fresh = Snapshot._of(rows, generation, self.vectors.shape[1])
        present = [document for (document,) in connection.execute("SELECT id FROM documents")]
        kept = np.isin(self.documents, present) & ~np.isin(self.documents, fresh.documents)
        return self._merged(kept, fresh)

    def in_force(self, on: date, collection: str | None) -> NDArray[np.bool_]:
        """Return which passages are in force that day, and in the collection if one is named."""
        day = on.toordinal()
        current = (self.since <= day) & (day <= self.until)
        return current if collection is None else current & (self.collections == collection)

    def similarity(self, vector: Vector) -> NDArray[np.float64]:
        """Return each passage's cosine with a vector; NaN where a passage waits for its own."""
        length = float(np.linalg.norm(vector))
        cosines = (self.vectors @ (vector / (length or 1.0))).astype(np.float64)
        cosines[self.waiting] = np.nan
        return cosines

    def word_scores(self, connection: sqlite3.Connection, expression: str) -> NDArray[np.float64]:
        """Return each passage's BM25 score for an FTS5 expression; 0 where no word matches."""
        scores = np.zeros(len(self.rows))
        query = "SELECT rowid, -bm25(words, 2.0, 2.0, 1.0) FROM words WHERE words MATCH ?"
        matches = connection.execute(query, (expression,)).fetchall() if expression else []
        if matches:
            found, values = zip(*matches, strict=True)
            scores[np.searchsorted(self.rows, found)] = values
        return scores

    @classmethod
    def _of(
        cls, rows: list[tuple[int, int, str, str | None, str | None, bytes | None]], generation: int, dimension: int
    ) -> Self:
        nothing = bytes(4 * dimension)
        first, last = _ALWAYS
        return cls(
            generation,
            np.array([row[0] for row in rows], dtype=np.int64),
            np.array([row[1] for row in rows], dtype=np.int64),
            np.array([row[2] for row in rows], dtype=np.object_),
            np.array([date.fromisoformat(row[3]).toordinal() if row[3] else first for row in rows], dtype=np.int32),
            np.array([date.fromisoformat(row[4]).toordinal() if row[4] else last for row in rows], dtype=np.int32),
            np.array([row[5] is None for row in rows], dtype=np.bool_),
            np.frombuffer(b"".join(row[5] or nothing for row in rows), dtype=np.float32).reshape(-1, dimension),
        )

    def _merged(self, kept: NDArray[np.bool_], fresh: "Snapshot") -> "Snapshot":
        columns = [_appended(getattr(self, name), kept, getattr(fresh, name)) for name in _COLUMNS]
        rows = columns[0]
        if np.any(rows[1:] < rows[:-1]):  # a vector came for an old passage; otherwise the newest are the last
            order = np.argsort(rows)
            columns = [column[order] for column in columns]
        return Snapshot(fresh.generation, *columns)


def _appended(column: NDArray[Any], kept: NDArray[np.bool_], fresh: NDArray[Any]) -> NDArray[Any]:
    """Return what is kept of a column, then what is fresh; copied once, since vectors of many passages are large."""
    count = int(kept.sum())
    whole = np.empty((count + len(fresh), *column.shape[1:]), dtype=column.dtype)
    np.compress(kept, column, axis=0, out=whole[:count])
    whole[count:] = fresh
    return whole
