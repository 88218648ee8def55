"""What the embedded index promises beyond the protocol's contract: about its file, its processes and its threads."""

import asyncio
import sqlite3
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from teller.errors import ConfigurationError, SearchUnavailableError
from teller.knowledge.embedded import EmbeddedIndex
from teller.knowledge.index import KnowledgeIndex
from teller.models.embedder import OnnxEmbedder
from tests.support.passages import CARDS, TODAY, ids, unit

CHECKOUT = Path(__file__).parents[2]


async def opened(path: Path, embedder: OnnxEmbedder) -> EmbeddedIndex:
    return await EmbeddedIndex.open(path, embedder.name, embedder.dimension)


class TestSeveralProcesses:
    async def test_many_may_open_a_new_file_at_once_and_write_to_it(
        self, index_file: Path, embedder: OnnxEmbedder
    ) -> None:
        code = (
            "import asyncio, pathlib, sys\n"
            "from teller.knowledge.embedded import EmbeddedIndex\n"
            "from tests.support.passages import document\n"
            "async def main(path, name):\n"
            f"    index = await EmbeddedIndex.open(pathlib.Path(path), {embedder.name!r}, {embedder.dimension})\n"
            "    for n in range(5):\n"
            "        await index.upsert(*document(f'{name}{n}', 'some text'), None)\n"
            "    await index.close()\n"
            "asyncio.run(main(*sys.argv[1:]))\n"
        )
        started = [
            await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(index_file), name, cwd=CHECKOUT)
            for name in "abc"
        ]
        assert [await process.wait() for process in started] == [0, 0, 0]
        index = await opened(index_file, embedder)
        assert len(await index.documents()) == 15
        assert len(await index.search("text", None, on=TODAY, limit=100)) == 15
        await index.close()

    async def test_a_search_does_not_wait_for_a_long_write(
        self, index: KnowledgeIndex, index_file: Path, embedder: OnnxEmbedder
    ) -> None:
        await index.upsert(*CARDS, None)
        writer = sqlite3.connect(index_file, isolation_level=None)
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM passages")
        found = await asyncio.wait_for(index.search("lounge", None, on=TODAY), timeout=2)
        assert ids(found) == ["cards-2"]
        writer.execute("ROLLBACK")
        writer.close()


class TestTheFile:
    async def test_a_file_of_something_else_is_refused_and_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "knowledge.db"
        path.write_bytes(b"something else " * 100)
        with pytest.raises(ConfigurationError, match=r"knowledge\.db cannot be used"):
            await EmbeddedIndex.open(path, "any", 3)
        assert path.read_bytes() == b"something else " * 100

    async def test_an_index_that_lost_its_tables_says_that_it_cannot_be_used(
        self, index: KnowledgeIndex, index_file: Path
    ) -> None:
        with sqlite3.connect(index_file) as vandal:
            vandal.execute("DROP TABLE meta")
        vandal.close()
        with pytest.raises(SearchUnavailableError):
            await index.search("card", None, on=TODAY)


async def test_nothing_touches_the_file_on_the_thread_of_the_event_loop(
    index_file: Path, embedder: OnnxEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = set()

    class Watched(sqlite3.Connection):
        def execute(self, *args: Any) -> sqlite3.Cursor:
            threads.add(threading.current_thread())
            return super().execute(*args)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **kwargs: connect(*args, **kwargs, factory=Watched))
    index = await opened(index_file, embedder)
    await index.upsert(*CARDS, None)
    await index.search("card", unit(embedder, 0), on=TODAY)
    await index.close()
    assert threads
    assert threading.current_thread() not in threads
