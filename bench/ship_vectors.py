"""Make the file of vectors that the project ships, anew: `make vectors`, after a document or an utterance changed.

It lets a first start work as the product does, with no file to begin with, and writes down what the cache then holds.
"""

import asyncio
import sqlite3
import tempfile
from pathlib import Path

import numpy as np

from graph.workflow import build_workflow
from teller.knowledge.choosing import SHIPPED_VECTORS
from teller.services import Services
from teller.settings import Settings


async def fill(data_dir: Path) -> None:
    SHIPPED_VECTORS.unlink(missing_ok=True)
    async with Services.opened(Settings(data_dir=data_dir, chat_model="quote", _env_file=None)) as opened:
        await opened.index_sample_bank()
        await build_workflow(opened)


def ship(data_dir: Path) -> int:
    with sqlite3.connect(data_dir / "vectors.db") as cache:
        rows = cache.execute("SELECT key, vector FROM vectors ORDER BY key").fetchall()
    keys = np.array([np.frombuffer(key, np.uint8) for key, _ in rows])
    vectors = np.array([np.frombuffer(vector, np.float32) for _, vector in rows])
    np.savez(SHIPPED_VECTORS, keys=keys, vectors=vectors)
    return len(rows)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(fill(Path(folder)))
        print(f"{ship(Path(folder))} vectors in {SHIPPED_VECTORS}")
