"""An OpenSearch index for one benchmark: removed afterwards."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from teller.knowledge.opensearch.adapter import OpenSearchIndex
from teller.knowledge.opensearch.address import Address
from teller.knowledge.opensearch.cluster import Cluster
from teller.models.embedder import OnnxEmbedder
from teller.settings import Settings

_SECONDS = 30


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


async def merged(url: str, alias: str) -> None:
    """Wait until the cluster has put together what was written."""
    cluster = Cluster(_address(url), _SECONDS)
    while (await cluster.read("GET", f"/{alias}/_stats/merge"))["_all"]["total"]["merges"]["current"]:  # noqa: ASYNC110
        await asyncio.sleep(1)
    await cluster.close()


def _address(url: str) -> Address:
    return Address.of(Settings.model_validate({"opensearch_url": url, "_env_file": None}))
