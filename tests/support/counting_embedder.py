"""An embedder that tells what it had to embed."""

import threading
from collections.abc import Callable

from langchain_core.embeddings import Embeddings

from teller.models.embedder import OnnxEmbedder


class CountingEmbedder(Embeddings):
    """The real embedder, with a record of what it had to embed, and how many at a time."""

    def __init__(self, embedder: OnnxEmbedder, name: str = "counting") -> None:
        self.name, self.dimension, self.at_once = name, embedder.dimension, 1
        self.embedded: list[str] = []
        self.most_at_once = 0
        self._embedder = embedder
        self._now = 0

    def embed_query(self, text: str) -> list[float]:
        return self._counted(text, lambda: self._embedder.embed_query(text))

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        (text,) = texts
        return [self._counted(text, lambda: self._embedder.embed_documents([text])[0])]

    def _counted(self, text: str, embed: Callable[[], list[float]]) -> list[float]:
        assert threading.current_thread() is not threading.main_thread()
        self.embedded.append(text)
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            return embed()
        finally:
            self._now -= 1
