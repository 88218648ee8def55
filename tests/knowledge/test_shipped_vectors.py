"""The vectors that the project ships are those of its documents and utterances: none is missing."""

import sqlite3
from pathlib import Path

import numpy as np

from teller.knowledge.choosing import SHIPPED_VECTORS


def test_a_first_start_embeds_nothing(bank: Path) -> None:
    with sqlite3.connect(bank / "vectors.db") as cache:
        used = {key for (key,) in cache.execute("SELECT key FROM vectors")}
    cache.close()
    with np.load(SHIPPED_VECTORS) as shipped:
        assert used == {key.tobytes() for key in shipped["keys"]}, "run `make vectors` and commit the file"
