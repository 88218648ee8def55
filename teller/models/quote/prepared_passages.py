"""Passages made ready to be quoted from: split, with the vectors of their sentences; the latest ones stay in memory."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from teller.knowledge.index import Passage, Vector
from teller.models.quote.candidates import candidates_of, cells_in_context
from teller.models.quote.evidence import Prepared
from teller.models.quote.sentences import quotables

_KEPT = 512  # passages, about 40 kB each


class TextVectors(Protocol):
    """Where vectors of texts come from: `VectorCache`, which keeps them by content."""

    async def vectors(self, texts: Sequence[str], *, as_queries: bool = False) -> list[Vector]:
        """Return one vector for each text, in order."""
        ...


class PreparedPassages:
    """Splits a passage once and fetches the vectors of its sentences once, whatever prompt it comes back in."""

    def __init__(self, vectors: TextVectors) -> None:
        self._vectors = vectors
        self._kept: OrderedDict[tuple[str, str], Prepared] = OrderedDict()

    async def of(self, passages: Sequence[Passage]) -> list[Prepared]:
        """Return the passages that hold anything quotable, prepared, in order."""
        prepared = [await self._one(passage) for passage in passages]
        return [passage for passage in prepared if passage.candidates]

    async def _one(self, passage: Passage) -> Prepared:
        key = (f"{passage.filename}\n{passage.heading}", passage.text)
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = await self._prepare(passage)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return kept

    async def _prepare(self, passage: Passage) -> Prepared:
        candidates = candidates_of(passage, quotables(passage))
        texts = [text for c in candidates for text in (c.quotable.text, c.quotable.in_context, c.quotable.headings)]
        cells = cells_in_context(candidates)
        different = list(dict.fromkeys([*texts, *(text for _, text in cells)]))
        vectors = dict(zip(different, await self._vectors.vectors(different) if different else [], strict=True))
        all_three = np.asarray([vectors[text] for text in texts], dtype=np.float32)
        of_cells = np.asarray([vectors[text] for _, text in cells], dtype=np.float32)
        rows = tuple(row for row, _ in cells)
        return Prepared(candidates, all_three[0::3], all_three[1::3], all_three[2::3], of_cells, rows)
