"""Vectors of what callers say: kept in memory only, since words of callers are nobody's to store."""

import asyncio
from collections import OrderedDict

import numpy as np
from langchain_core.embeddings import Embeddings

from teller.knowledge.index import Vector

_KEPT = 512


class QueryVectors:
    """One embedding of a text serves routing, retrieval and the choice of an answer: the last 512 texts are kept.

    Callers that ask for the same text at once wait for one computation.
    """

    def __init__(self, embedder: Embeddings) -> None:
        self._embedder = embedder
        self._vectors: OrderedDict[str, asyncio.Future[Vector]] = OrderedDict()

    async def vector(self, text: str) -> Vector:
        """Return the text's vector, of length 1 and the embedder's dimension."""
        found = self._vectors.get(text)
        if found is None or found.cancelled() or (found.done() and found.exception()):
            found = asyncio.ensure_future(self._compute(text))
            self._vectors[text] = found
            if len(self._vectors) > _KEPT:
                self._vectors.popitem(last=False)
        self._vectors.move_to_end(text)
        return await asyncio.shield(found)  # a caller who hangs up must not cancel it for the others

    async def of_question(self, question: str) -> Vector:
        """Return the vector to search by: of several lines, the mean of the whole and of the last, which asks.

        Of the whole alone, the turns before the last would drown what it asks of them.
        """
        *before, asked = question.split("\n")
        if not before:
            return await self.vector(question)
        whole, last = await asyncio.gather(self.vector(question), self.vector(asked))
        mean = whole + last
        return np.asarray(mean / np.linalg.norm(mean), dtype=np.float32)

    async def _compute(self, text: str) -> Vector:
        return np.asarray(await self._embedder.aembed_query(text), dtype=np.float32)
