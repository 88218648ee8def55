"""What a search needs of every passage, held in memory and brought up to date by what changed in the file."""

import sqlite3
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teller.knowledge import index_file
from teller.knowledge.column import Column
from teller.knowledge.index import Vector
from teller.knowledge.index_file import ChangedRow
from teller.knowledge.word_index import WordIndex

_FEW = 1_000
_MOST_MASKS = 32

Mask = NDArray[np.bool_]


class Snapshot:
    """The passages of the file by place, an index into arrays. One thread at a time may use it.

    What is new is added at the end; the places of what changed or went are left empty until they are the most. So one
    upload moves only what it brings, however much is there.
    """

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._generation = 0
        self._rows, self._documents = Column(np.int64), Column(np.int64)
        self._since, self._until = Column(np.int32), Column(np.int32)
        self._collections = Column(np.int32)
        self._waiting, self._alive = Column(np.bool_), Column(np.bool_)
        self._vectors = Column(np.float32, dimension)
        self._names: dict[str, int] = {}
        self._words = WordIndex()
        self._masks: dict[tuple[date, str | None], Mask] = {}

    def refresh(self, connection: sqlite3.Connection) -> None:
        """Take over what changed in the file since the last time. Where it fails, the snapshot is of no more use."""
        generation = index_file.generation(connection)
        if generation == self._generation:
            return
        present = index_file.document_rows(connection)
        self._alive.values[~np.isin(self._documents.values, present)] = False
        for rows in index_file.changed_since(connection, self._generation):
            self._append(rows)
        self._settle()
        self._generation = generation

    def in_force(self, on: date, collection: str | None) -> Mask:
        """Return which places hold a passage in force that day, and in the collection if one is named."""
        asked = on, collection
        if asked not in self._masks:
            if len(self._masks) >= _MOST_MASKS:
                self._masks.clear()
            day = on.toordinal()
            mask = self._alive.values & (self._since.values <= day) & (day <= self._until.values)
            if collection is not None:
                mask &= self._collections.values == self._names.get(collection, -1)
            self._masks[asked] = mask
        return self._masks[asked]

    def cosines(self, vector: Vector) -> NDArray[np.float32]:
        """Return each place's cosine with a vector; NaN where a passage waits for its own."""
        length = float(np.linalg.norm(vector))
        cosines = self._vectors.values @ (vector / (length or 1.0)).astype(np.float32)
        cosines[self._waiting.values] = np.nan
        return cosines

    def word_scores(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Return each place's BM25 score for words; 0 where none matches."""
        return self._words.scores(words)

    def best(self, scores: NDArray[np.float32], among: Mask, count: int) -> dict[int, float]:
        """Return the places with the highest scores and these, best first; of equal ones the older passage first."""
        places = np.flatnonzero(among)
        if len(places) > count:
            least = np.partition(scores[places], -count)[-count]
            places = places[scores[places] >= least]
        order = np.lexsort((self._rows.values[places], -scores[places]))[:count]
        return {int(place): float(scores[place]) for place in places[order]}

    def row(self, place: int) -> int:
        """Return the row id of the passage at a place."""
        return int(self._rows.values[place])

    def _append(self, changed: list[ChangedRow]) -> None:
        rows, documents, collections, since, until, words, vectors = zip(*changed, strict=True)
        self._alive.values[np.isin(self._rows.values, rows)] = False
        self._alive.append([True] * len(rows))
        self._rows.append(rows)
        self._documents.append(documents)
        self._collections.append([self._names.setdefault(name, len(self._names)) for name in collections])
        self._since.append([(day or date.min).toordinal() for day in since])
        self._until.append([(day or date.max).toordinal() for day in until])
        self._waiting.append([vector is None for vector in vectors])
        blank = bytes(4 * self._dimension)
        flat = np.frombuffer(b"".join(vector or blank for vector in vectors), dtype=np.float32)
        self._vectors.append(flat.reshape(-1, self._dimension))
        self._words.append(words)

    def _settle(self) -> None:
        alive = self._alive.values
        if len(alive) > _FEW and 2 * np.count_nonzero(alive) < len(alive):
            kept = alive.copy()
            self._words.keep(kept)
            for column in self._columns():
                column.keep(kept)
        self._words.settle(self._alive.values)
        self._masks.clear()

    def _columns(self) -> tuple[Column[Any], ...]:
        dated = self._since, self._until
        return self._rows, self._documents, self._collections, *dated, self._waiting, self._vectors, self._alive
