"""How the tests open an index, once or several times as several processes do: the embedded one, and OpenSearch's."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx

from teller.knowledge.embedded import EmbeddedIndex
from teller.knowledge.index import KnowledgeIndex
from teller.knowledge.opensearch.adapter import OpenSearchIndex
from teller.knowledge.opensearch.address import Address, Node
from teller.knowledge.opensearch.profile import Profile
from teller.models.embedder import OnnxEmbedder


class Opener(Protocol):
    """Opens the index of one test; without arguments for the embedder that ships."""

    async def open(self, embedder: str = "", dimension: int = 0) -> KnowledgeIndex: ...


@dataclass
class EmbeddedOpener:
    path: Path
    embedder: OnnxEmbedder

    async def open(self, embedder: str = "", dimension: int = 0) -> EmbeddedIndex:
        given = embedder or self.embedder.name, dimension or self.embedder.dimension
        return await EmbeddedIndex.open(self.path, *given)


@dataclass
class OpenSearchOpener:
    """Opens one alias of a cluster; `urls` may lead to it by a detour."""

    ports: tuple[int, ...]
    alias: str
    embedder: OnnxEmbedder
    profile: Profile = field(default_factory=Profile)
    search_seconds: float = 10.0
    opened: list[OpenSearchIndex] = field(default_factory=list)

    async def open(self, embedder: str = "", dimension: int = 0) -> OpenSearchIndex:
        given = embedder or self.embedder.name, dimension or self.embedder.dimension
        index = await OpenSearchIndex.open(self.address, self.alias, *given, self.search_seconds, self.profile)
        self.opened.append(index)
        return index

    @property
    def address(self) -> Address:
        return Address(tuple(Node("127.0.0.1", port, tls=False) for port in self.ports))

    async def remove(self, port: int) -> None:
        for index in self.opened:
            await index.close()
        async with httpx.AsyncClient(timeout=30) as client:
            await client.delete(f"http://127.0.0.1:{port}/{self.alias}-*")
