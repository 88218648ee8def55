from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from teller.knowledge.choosing import SHIPPED_VECTORS
from teller.knowledge.embedded import EmbeddedIndex
from teller.knowledge.index import KnowledgeIndex
from teller.knowledge.ingest import Ingester
from teller.models.embedder import OnnxEmbedder
from teller.models.vector_cache import VectorCache
from tests.knowledge.openers import EmbeddedOpener, Opener, OpenSearchOpener
from tests.support.opensearch.node import Node


@pytest.fixture(scope="session")
def embedder() -> OnnxEmbedder:
    return OnnxEmbedder()


@pytest.fixture(scope="session")
def cache_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for the run: a text that several tests embed is embedded once."""
    return tmp_path_factory.mktemp("vectors") / "vectors.db"


@pytest.fixture
async def cache(cache_file: Path, embedder: OnnxEmbedder) -> AsyncIterator[VectorCache]:
    cache = await VectorCache.open(cache_file, embedder, SHIPPED_VECTORS)
    yield cache
    await cache.close()


@pytest.fixture
def index_file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "knowledge.db"


@pytest.fixture
async def index(index_file: Path, embedder: OnnxEmbedder) -> AsyncIterator[EmbeddedIndex]:
    index = await EmbeddedIndex.open(index_file, embedder.name, embedder.dimension)
    yield index
    await index.close()


@pytest.fixture
async def opensearch_opener(opensearch: Node, embedder: OnnxEmbedder) -> AsyncIterator[OpenSearchOpener]:
    """Opens an index of this test's own on the real OpenSearch."""
    opener = OpenSearchOpener((opensearch.port,), f"test-{uuid4().hex[:8]}", embedder)
    yield opener
    await opener.remove(opensearch.port)


@pytest.fixture(params=["embedded", "opensearch"])
def opener(request: pytest.FixtureRequest, index_file: Path, embedder: OnnxEmbedder) -> Opener:
    """Opens an index of this test's own, of each kind in turn."""
    if request.param == "embedded":
        return EmbeddedOpener(index_file, embedder)
    opener: Opener = request.getfixturevalue("opensearch_opener")
    return opener


@pytest.fixture
def ingester(index: KnowledgeIndex, cache: VectorCache, embedder: OnnxEmbedder) -> Ingester:
    return Ingester(index, cache, embedder.count_tokens)
