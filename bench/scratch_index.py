"""An OpenSearch index for one benchmark: filled in bulk, and removed afterwards."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from teller.knowledge.index import DocumentInfo, Passage, Vector
from teller.knowledge.opensearch.adapter import OpenSearchIndex
from teller.knowledge.opensearch.address import Address
from teller.knowledge.opensearch.cluster import Cluster
from teller.knowledge.opensearch.records import next_revision, passage_sources, record_source
from teller.models.embedder import OnnxEmbedder
from teller.settings import Settings

_DOCUMENTS_A_REQUEST = 50
_SECONDS = 30

Document = tuple[DocumentInfo, list[Passage], list[Vector]]


@asynccontextmanager
async def scratch_index(url: str, embedder: OnnxEmbedder) -> AsyncIterator[tuple[OpenSearchIndex, str]]:
    """Open an index of this run's own on a cluster, and say its alias; it is gone afterwards."""
    alias = f"teller-bench-{secrets.token_hex(4)}"
    index = await OpenSearchIndex.open(_address(url), alias, embedder.name, embedder.dimension, _SECONDS)
    try:
        yield index, alias
    finally:
        await index.remove()
        await index.close()


async def fill(url: str, alias: str, documents: Sequence[Document]) -> None:
    """Write documents as the adapter does, many a request and without a refresh in between, and wait for the merges."""
    cluster = Cluster(_address(url), _SECONDS)
    await cluster.write("PUT", f"/{alias}/_settings", {"index": {"refresh_interval": "-1"}})
    for start in range(0, len(documents), _DOCUMENTS_A_REQUEST):
        actions = []
        for info, passages, vectors in documents[start : start + _DOCUMENTS_A_REQUEST]:
            revision = next_revision(None)
            for place, source in enumerate(passage_sources(passages, vectors, revision)):
                actions.append(({"index": {"_id": f"{revision}-{place}"}}, source))
            actions.append(({"index": {"_id": f"{revision}-record"}}, record_source(info, revision)))
        await cluster.bulk(alias, actions, again=True)
    await cluster.write("POST", f"/{alias}/_refresh")
    await cluster.write("PUT", f"/{alias}/_settings", {"index": {"refresh_interval": "1s"}})
    while (await cluster.read("GET", f"/{alias}/_stats/merge"))["_all"]["total"]["merges"]["current"]:  # noqa: ASYNC110
        await asyncio.sleep(1)
    await cluster.close()


def _address(url: str) -> Address:
    return Address.of(Settings.model_validate({"opensearch_url": url, "_env_file": None}))
