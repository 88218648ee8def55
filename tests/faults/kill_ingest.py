"""Puts the sample bank into an index and kills itself with SIGKILL before one of the writes.

    python -m tests.faults.kill_ingest DATA_DIR WRITES

It stands for a first start that is killed; WRITES are done, and the next one kills.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from teller.knowledge.embedded import EmbeddedIndex
from teller.knowledge.index import DocumentInfo, Passage, Vector
from teller.knowledge.ingest import Ingester
from teller.models.embedder import OnnxEmbedder
from teller.models.vector_cache import VectorCache


class DeadlyIndex(EmbeddedIndex):
    """The index, until the writes that are left are done."""

    left = 0

    async def upsert(
        self, document: DocumentInfo, passages: Sequence[Passage], vectors: Sequence[Vector] | None
    ) -> None:
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1
        await super().upsert(document, passages, vectors)


async def main(data_dir: Path, writes: int) -> None:
    embedder = OnnxEmbedder()
    index = await DeadlyIndex.open(data_dir / "knowledge.db", embedder.name, embedder.dimension)
    index.left = writes
    cache = await VectorCache.open(data_dir / "vectors.db", embedder)
    await Ingester(index, cache, embedder.count_tokens).ingest_sample_bank()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
