"""How documents get into the index: by upload, by folder, and the sample bank at the first start."""

import asyncio
import errno
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from teller.errors import DocumentRejectedError
from teller.knowledge.index import DocumentInfo, IndexStatus, KnowledgeIndex
from teller.knowledge.ingest import SAMPLE_BANK, Ingester, IngestReport, Progress
from teller.models.embedder import OnnxEmbedder
from teller.models.vector_cache import VectorCache
from tests.knowledge.openers import Opener
from tests.support.counting_embedder import CountingEmbedder
from tests.support.documents import mapped, pdf

TODAY = date(2026, 3, 1)


@pytest.fixture
async def index(opener: Opener) -> AsyncIterator[KnowledgeIndex]:
    index = await opener.open()
    yield index
    await index.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    (folder / "archive").mkdir(parents=True)
    (folder / "fees.md").write_text("---\ncollection: cards\n---\n# Fees\n\nThe late fee is $29.")
    (folder / "loans.txt").write_text("A loan has a fixed rate.")
    (folder / "archive" / "rates.pdf").write_bytes(pdf(["The savings rate is 3.80%."]))
    (folder / ".hidden.md").write_text("not for the index")
    return folder


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Closes folders to us, also where we are root, for whom modes do not count."""
    scandir, shut = os.scandir, list[Path]()

    def guarded(path: str | os.PathLike[str]) -> Any:
        if Path(path) in shut:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))
        return scandir(path)

    def close(folder: Path) -> None:
        folder.chmod(0)
        shut.append(folder)

    monkeypatch.setattr(os, "scandir", guarded)
    yield close
    for folder in shut:
        folder.chmod(0o700)


def names(documents: list[DocumentInfo]) -> list[str]:
    return [document.filename for document in documents]


def counts(report: IngestReport) -> tuple[int, int, int, int]:
    return len(report.added) + len(report.changed), len(report.unchanged), len(report.removed), len(report.rejected)


async def texts_found(index: KnowledgeIndex, question: str) -> list[str]:
    return [passage.text for passage in await index.search(question, None, on=TODAY)]


class TestUpload:
    async def test_when_it_returns_the_document_is_found_by_words_and_by_meaning(
        self, ingester: Ingester, index: KnowledgeIndex
    ) -> None:
        data = b"---\ntitle: Card fees\ncollection: cards\neffective: 2026-01-01\n---\nThe late fee is $29."
        info = await ingester.ingest_bytes("uploads/fees.md", data)
        assert await index.documents() == [info]
        assert (info.filename, info.title, info.collection, info.chunks) == ("fees.md", "Card fees", "cards", 1)
        assert info.effective == date(2026, 1, 1)
        assert await index.status() == IndexStatus(passages=1, with_vector=1)
        assert await texts_found(index, "late") == ["The late fee is $29."]

    async def test_the_collection_asked_for_counts_more_than_the_documents_own(self, ingester: Ingester) -> None:
        data = b"---\ncollection: cards\n---\nText."
        assert (await ingester.ingest_bytes("a.md", data, "loans")).collection == "loans"
        assert (await ingester.ingest_bytes("a.md", data)).collection == "cards"
        assert (await ingester.ingest_bytes("b.md", b"Text.")).collection == "default"

    async def test_the_same_file_again_takes_its_own_place(self, ingester: Ingester, index: KnowledgeIndex) -> None:
        first = await ingester.ingest_bytes("fees.md", b"The late fee is $25.")
        second = await ingester.ingest_bytes("fees.md", b"The late fee is $29.")
        assert first.document_id == second.document_id
        assert await texts_found(index, "late fee") == ["The late fee is $29."]

    async def test_a_document_that_is_refused_leaves_the_index_as_it_was(
        self, ingester: Ingester, index: KnowledgeIndex
    ) -> None:
        await ingester.ingest_bytes("fees.md", b"The late fee is $25.")
        with pytest.raises(DocumentRejectedError, match="UTF-8"):
            await ingester.ingest_bytes("fees.md", b"The late fee is \xff29.")
        assert await texts_found(index, "late fee") == ["The late fee is $25."]

    async def test_an_upload_that_is_cancelled_leaves_nothing_behind(
        self, ingester: Ingester, index: KnowledgeIndex
    ) -> None:
        long = "\n\n".join(f"## Section {n}\n\n" + f"Some words on matter {n}. " * 30 for n in range(30))
        work = asyncio.create_task(ingester.ingest_bytes("long.md", long.encode()))
        await asyncio.sleep(0.1)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert await index.status() == IndexStatus(passages=0, with_vector=0)


class TestFolder:
    async def test_takes_in_every_document_below_it_with_its_vectors(
        self, ingester: Ingester, index: KnowledgeIndex, folder: Path
    ) -> None:
        report = await ingester.ingest_path(folder)
        assert counts(report) == (3, 0, 0, 0)
        assert names(await index.documents()) == ["fees.md", "loans.txt", "rates.pdf"]
        assert [info.collection for info in await index.documents()] == ["cards", "default", "default"]
        assert await index.without_vector() == []

    async def test_again_touches_only_what_changed_and_removes_what_is_gone(
        self, ingester: Ingester, index: KnowledgeIndex, folder: Path
    ) -> None:
        await ingester.ingest_path(folder)
        before = {info.filename: info for info in await index.documents()}
        (folder / "fees.md").write_text("---\ncollection: cards\n---\n# Fees\n\nThe late fee is $31.")
        (folder / "loans.txt").unlink()
        report = await ingester.ingest_path(folder)
        assert names(report.changed) == ["fees.md"]
        assert names(report.unchanged) == ["rates.pdf"]
        assert names(report.removed) == ["loans.txt"]
        after = {info.filename: info for info in await index.documents()}
        assert after["rates.pdf"] == before["rates.pdf"]
        assert await texts_found(index, "late fee") == ["The late fee is $31."]

    async def test_of_a_changed_document_only_the_passages_that_changed_are_embedded(
        self, tmp_path: Path, index: KnowledgeIndex, embedder: OnnxEmbedder, folder: Path
    ) -> None:
        def sections(late_fee: int) -> str:
            rows = (
                f"## Matter {n}\n\n" + f"What matter {n} costs is ${late_fee if n == 3 else n}. " * 20 for n in range(6)
            )
            return "# Fees\n\n" + "\n\n".join(rows)

        counting = CountingEmbedder(embedder, embedder.name)
        cache = await VectorCache.open(tmp_path / "counted.db", counting)
        ingester = Ingester(index, cache, embedder.count_tokens)
        (folder / "fees.md").write_text(sections(29))
        await ingester.ingest_path(folder)
        assert len(counting.embedded) == (await index.status()).passages == 8
        counting.embedded.clear()
        (folder / "fees.md").write_text(sections(31))
        assert names((await ingester.ingest_path(folder)).changed) == ["fees.md"]
        assert len(counting.embedded) == 1
        assert "$31" in counting.embedded[0]
        await ingester.ingest_bytes("fees.md", sections(31).encode())
        assert len(counting.embedded) == 1
        await cache.close()

    async def test_a_document_that_moves_to_another_collection_is_not_there_twice(
        self, ingester: Ingester, index: KnowledgeIndex, folder: Path
    ) -> None:
        await ingester.ingest_path(folder)
        (folder / "fees.md").write_text("---\ncollection: fees\n---\n# Fees\n\nThe late fee is $29.")
        await ingester.ingest_path(folder)
        assert [info.collection for info in await index.documents() if info.filename == "fees.md"] == ["fees"]

    async def test_uploads_and_other_folders_documents_are_not_what_is_gone(
        self, ingester: Ingester, index: KnowledgeIndex, folder: Path
    ) -> None:
        await ingester.ingest_bytes("uploaded.md", b"Text.")
        await ingester.ingest_path(folder / "archive")
        await ingester.ingest_path(folder, "one collection")
        (folder / "loans.txt").unlink()
        report = await ingester.ingest_path(folder, "one collection")
        assert names(report.removed) == ["loans.txt"]
        assert names(await index.documents()) == ["fees.md", "rates.pdf", "rates.pdf", "uploaded.md"]

    async def test_a_file_that_is_refused_is_reported_and_stops_no_other(
        self, ingester: Ingester, index: KnowledgeIndex, folder: Path
    ) -> None:
        await ingester.ingest_path(folder)
        (folder / "loans.txt").write_bytes(b"\xff\xfe broken")
        (folder / "photo.png").write_bytes(b"\x89PNG")
        (folder / "new.md").write_text("Something new.")
        report = await ingester.ingest_path(folder)
        assert names(report.added) == ["new.md"]
        assert set(report.rejected) == {"loans.txt", "photo.png"}
        assert "UTF-8" in report.rejected["loans.txt"]
        assert "A loan has a fixed rate." in await texts_found(index, "fixed rate")  # its former text stays

    async def test_a_folder_that_cannot_be_looked_into_is_reported_and_its_documents_stay(
        self, ingester: Ingester, index: KnowledgeIndex, folder: Path, closed: Callable[[Path], None]
    ) -> None:
        await ingester.ingest_path(folder)
        closed(folder / "archive")
        report = await ingester.ingest_path(folder)
        assert names(report.unchanged) == ["fees.md", "loans.txt"]
        assert report.removed == []
        assert "check its permissions" in report.rejected["archive/"]
        assert names(await index.documents()) == ["fees.md", "loans.txt", "rates.pdf"]

    async def test_letters_of_two_halves_stop_neither_their_document_nor_those_after_it(
        self, ingester: Ingester, index: KnowledgeIndex, folder: Path
    ) -> None:
        (folder / "cards.md").write_text("---\ntitle: Cards 💳: fees and limits\n---\nText.")
        (folder / "halves.pdf").write_bytes(mapped(("d83d", "dcb3", "d83d", "0021")))
        report = await ingester.ingest_path(folder)
        assert counts(report) == (5, 0, 0, 0)
        (halves,) = (info for info in report.added if info.filename == "halves.pdf")
        assert [passage.text for passage in await index.passages_of(halves.document_id)] == ["💳\ufffd!"]

    async def test_files_of_one_name_in_two_folders_are_told_apart(
        self, ingester: Ingester, index: KnowledgeIndex, folder: Path
    ) -> None:
        (folder / "archive" / "loans.txt").write_text("A loan once had another rate.")
        await ingester.ingest_path(folder)
        assert names(await index.documents()) == ["archive - loans.txt", "fees.md", "loans.txt", "rates.pdf"]

    async def test_files_of_one_name_in_two_deep_folders_are_told_apart_where_their_names_are_cut(
        self, ingester: Ingester, index: KnowledgeIndex, folder: Path
    ) -> None:
        deep = folder / ("Regulations and schedules of fees, " * 5)
        for branch in ("north", "south"):
            (deep / branch).mkdir(parents=True)
            (deep / branch / "fees-of-branch.md").write_text(f"The fee is ours in the {branch}.")
        first, again = await ingester.ingest_path(folder), await ingester.ingest_path(folder)
        assert (counts(first), counts(again)) == ((5, 0, 0, 0), (0, 5, 0, 0))
        found = await texts_found(index, "The fee is ours")
        assert {"The fee is ours in the north.", "The fee is ours in the south."} <= set(found)

    async def test_a_single_file_is_taken_in_and_removes_nothing(
        self, ingester: Ingester, index: KnowledgeIndex, folder: Path
    ) -> None:
        await ingester.ingest_path(folder)
        (folder / "loans.txt").unlink()
        report = await ingester.ingest_path(folder / "fees.md")
        assert counts(report) == (0, 1, 0, 0)
        assert len(await index.documents()) == 3

    async def test_nothing_at_the_path_changes_nothing(
        self, ingester: Ingester, index: KnowledgeIndex, folder: Path, tmp_path: Path
    ) -> None:
        await ingester.ingest_path(folder)
        await asyncio.to_thread(shutil.rmtree, folder)
        await asyncio.to_thread(folder.mkdir)
        for path in (folder, tmp_path / "nowhere"):
            with pytest.raises(DocumentRejectedError, match="no file"):
                await ingester.ingest_path(path)
        assert len(await index.documents()) == 3

    async def test_progress_tells_of_files_and_of_their_passages(self, ingester: Ingester, folder: Path) -> None:
        (folder / "loans.txt").write_text(f"A text that no other test has embedded: {uuid4()}.")
        told: list[Progress] = []
        await ingester.ingest_path(folder, progress=told.append)
        loans = [progress for progress in told if progress.filename == "loans.txt"]
        assert loans == [
            Progress("loans.txt", files_done=2, files=3, passages_done=0, passages=1),
            Progress("loans.txt", files_done=2, files=3, passages_done=1, passages=1),
            Progress("loans.txt", files_done=3, files=3, passages_done=1, passages=1),
        ]

    async def test_progress_tells_of_every_file_also_of_those_with_nothing_to_do(
        self, ingester: Ingester, folder: Path
    ) -> None:
        (folder / "photo.png").write_bytes(b"\x89PNG")
        await ingester.ingest_path(folder)
        told: list[Progress] = []
        await ingester.ingest_path(folder, progress=told.append)
        assert [(progress.files_done, progress.files) for progress in told] == [(n, 4) for n in range(1, 5)]

    async def test_an_ingest_that_was_stopped_half_way_ends_right_when_run_again(
        self, ingester: Ingester, index: KnowledgeIndex, folder: Path
    ) -> None:
        notices = [f"notice-{number:02}.txt" for number in range(100)]  # more than are written at once
        for name in notices:
            (folder / name).write_text(f"This is {name}.")

        def stop(progress: Progress) -> None:
            if progress.filename == "notice-90.txt":
                work.cancel()

        work = asyncio.create_task(ingester.ingest_path(folder, progress=stop))
        with pytest.raises(asyncio.CancelledError):
            await work
        assert 0 < len(await index.documents()) < 90
        await ingester.ingest_path(folder)
        assert names(await index.documents()) == ["fees.md", "loans.txt", *notices, "rates.pdf"]
        assert await index.without_vector() == []

    async def test_two_ingests_at_once_leave_each_document_once_and_whole(
        self, opener: Opener, cache: VectorCache, embedder: OnnxEmbedder, folder: Path
    ) -> None:
        indexes = [await opener.open() for _ in range(2)]
        await asyncio.gather(*(Ingester(index, cache, embedder.count_tokens).ingest_path(folder) for index in indexes))
        for index in indexes:
            assert names(await index.documents()) == ["fees.md", "loans.txt", "rates.pdf"]
            assert await index.status() == IndexStatus(passages=3, with_vector=3)
            await index.close()

    async def test_what_another_ingest_of_the_folder_adds_meanwhile_is_not_what_is_gone(
        self, opener: Opener, ingester: Ingester, embedder: OnnxEmbedder, folder: Path, tmp_path: Path
    ) -> None:
        index, slow = await opener.open(), SlowEmbedder(embedder)
        cache = await VectorCache.open(tmp_path / "slow.db", slow)
        await ingester.ingest_path(folder)
        (folder / "archive" / "rates.pdf").unlink()
        (folder / "loans.txt").unlink()
        (folder / "fees.md").write_text("---\ncollection: cards\n---\nThe late fee is $31.")
        first = asyncio.create_task(Ingester(index, cache, embedder.count_tokens).ingest_path(folder))
        async with asyncio.timeout(30):
            await slow.began.wait()
        (folder / "new.md").write_text("Something new.")
        (folder / "loans.txt").write_text("A loan has a fixed rate.")  # it is back, as it was
        report = await ingester.ingest_path(folder)
        assert names(report.added) == ["new.md"]
        assert names(report.unchanged) == ["loans.txt"]
        slow.may_end.set()
        assert (await first).removed == []
        assert names(await index.documents()) == ["fees.md", "loans.txt", "new.md"]
        await cache.close()
        await index.close()


class SlowEmbedder:
    """The real embedder, but that it waits."""

    def __init__(self, embedder: OnnxEmbedder) -> None:
        self.name, self.dimension, self.at_once = embedder.name, embedder.dimension, embedder.at_once
        self.began, self.may_end = asyncio.Event(), asyncio.Event()
        self._embedder = embedder

    async def aembed_query(self, text: str) -> list[float]:
        return await self._embedder.aembed_query(text)

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        self.began.set()
        await self.may_end.wait()
        return await self._embedder.aembed_documents(texts)


class TestSampleBank:
    async def test_is_searchable_by_words_at_once_and_by_meaning_when_its_vectors_follow(
        self, ingester: Ingester, index: KnowledgeIndex
    ) -> None:
        count = await ingester.ingest_sample_bank()
        assert count == len(list(SAMPLE_BANK.glob("*.md"))) > 0
        status = await index.status()
        assert status.passages >= count
        assert status.with_vector == 0
        assert await texts_found(index, "bank") != []
        await ingester.fill_vectors()
        assert await index.status() == IndexStatus(status.passages, status.passages)

    async def test_is_put_only_into_an_index_that_never_held_anything(
        self, ingester: Ingester, index: KnowledgeIndex
    ) -> None:
        info = await ingester.ingest_bytes("a.md", b"Text.")
        await index.delete(info.document_id)
        assert await ingester.ingest_sample_bank() == 0
        assert await index.documents() == []

    async def test_vectors_that_were_not_finished_are_finished_at_the_next_start(
        self, ingester: Ingester, index: KnowledgeIndex, cache: VectorCache
    ) -> None:
        await ingester.ingest_sample_bank()
        first, *others = await index.without_vector()
        await index.add_vectors({first.passage_id: (await cache.vectors([first.embedding_text]))[0]})
        assert await ingester.ingest_sample_bank() == 0
        assert await index.without_vector() == others
        await ingester.fill_vectors()
        assert await index.without_vector() == []

    async def test_searches_do_not_wait_until_vectors_are_filled(
        self, tmp_path: Path, index: KnowledgeIndex, embedder: OnnxEmbedder
    ) -> None:
        cold = await VectorCache.open(tmp_path / "cold.db", embedder)
        ingester = Ingester(index, cold, embedder.count_tokens)
        await ingester.ingest_sample_bank()
        filling = asyncio.create_task(ingester.fill_vectors())
        for _ in range(20):
            assert await texts_found(index, "how much is the late fee")
        assert not filling.done()
        filling.cancel()
        await asyncio.wait({filling})
        await cold.close()
