"""An ingest that is killed, or not alone, ends as one that was left in peace. TELLER_SEED varies the moments."""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from teller.services import Services
from teller.settings import Settings
from tests.support.server import ROOT, TELLER, environment, start_server

SEED = os.environ.get("TELLER_SEED", "1")
DOCUMENTS, KILLS = 16, 4
Contents = dict[str, tuple[str, list[tuple[str, str, bytes, bytes]]]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    for number in range(DOCUMENTS):
        sections = (
            f"## Matter {number}.{part}\n\n" + f"Fee {part} of matter {number} is due. " * 8 for part in range(2)
        )
        (folder / f"matter-{number:02}.md").write_text(f"# Matter {number}\n\n" + "\n\n".join(sections))
    return folder


@pytest.fixture(scope="module")
def untouched(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """What is in the index after an ingest that was left in peace."""
    data_dir = tmp_path_factory.mktemp("untouched")
    ingest(data_dir, folder)
    return contents(data_dir)


def ingesting(data_dir: Path, folder: Path) -> subprocess.Popen[str]:
    command = [str(TELLER), "ingest", str(folder)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment(data_dir), stdout=pipe, stderr=pipe, text=True)


def ingest(data_dir: Path, folder: Path) -> str:
    process = ingesting(data_dir, folder)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out


def contents(data_dir: Path) -> Contents:
    """What is in the index, by file name: its hash, and its passages with what they are found by."""
    with closing(sqlite3.connect(data_dir / "knowledge.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = db.execute(
            "SELECT d.filename, d.content_hash, p.passage_id, p.text, p.words, p.vector"
            " FROM documents AS d JOIN passages AS p ON p.document = d.id ORDER BY p.passage_id"
        )
        found: Contents = {}
        for filename, content_hash, passage, text, words, vector in rows:
            found.setdefault(filename, (content_hash, []))[1].append((passage, text, words, vector))
        return found


def documents_in(data_dir: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{data_dir / 'knowledge.db'}?mode=ro", uri=True)) as db:
            (count,) = db.execute("SELECT count(*) FROM documents").fetchone()
    except sqlite3.OperationalError:  # it is not there yet
        return 0
    assert isinstance(count, int)
    return count


def test_killed_at_random_moments_and_run_again_it_ends_right(
    tmp_path: Path, folder: Path, untouched: Contents
) -> None:
    dice = random.Random(SEED)
    data_dir = tmp_path / "killed"
    goals = sorted(dice.sample(range(1, DOCUMENTS), KILLS))
    for goal in goals:
        process = ingesting(data_dir, folder)
        while documents_in(data_dir) < goal and process.poll() is None:
            time.sleep(0.002)
        time.sleep(dice.uniform(0, 0.1))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert 0 < len(contents(data_dir)) <= DOCUMENTS
    ingest(data_dir, folder)
    assert contents(data_dir) == untouched
    assert ingest(data_dir, folder).strip() == f"0 added, 0 changed, {DOCUMENTS} unchanged, 0 removed, 0 refused"


def test_two_at_once_and_an_upload_meanwhile_lose_and_double_nothing(
    tmp_path: Path, folder: Path, untouched: Contents
) -> None:
    data_dir = tmp_path / "shared"
    data_dir.mkdir()
    server, serving = start_server(data_dir, SAMPLE_BANK="off")
    try:
        both = [ingesting(data_dir, folder) for _ in range(2)]
        for number in range(5):
            file = {"file": (f"upload-{number}.md", f"Upload {number} says something.".encode())}
            uploaded = httpx.post(f"{server.base_url}/api/documents/upload/", files=file, timeout=120)
            assert uploaded.status_code == 200, uploaded.text
        said = [process.communicate(timeout=300) for process in both]
        assert [process.returncode for process in both] == [0, 0], said
        listed = httpx.get(f"{server.base_url}/api/documents/", timeout=60).json()["documents"]
    finally:
        serving.terminate()
        serving.communicate(timeout=30)
    assert sorted(out.strip() for out, _ in said) == [
        f"0 added, 0 changed, {DOCUMENTS} unchanged, 0 removed, 0 refused",
        f"{DOCUMENTS} added, 0 changed, 0 unchanged, 0 removed, 0 refused",
    ]
    whole = contents(data_dir)
    assert [one["filename"] for one in listed] == sorted(whole)
    assert {name: what for name, what in whole.items() if not name.startswith("upload")} == untouched
    assert len(whole) == DOCUMENTS + 5


@pytest.mark.parametrize("writes", [0, 1, 7, 18])
async def test_a_first_start_that_was_killed_is_finished_by_the_next(tmp_path: Path, writes: int) -> None:
    command = [sys.executable, "-m", "tests.faults.kill_ingest", str(tmp_path), str(writes)]
    killed = await asyncio.to_thread(subprocess.run, command, env=environment(tmp_path), cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL
    assert documents_in(tmp_path) == writes
    async with Services.opened(Settings(data_dir=tmp_path, _env_file=None)) as services:
        for put_in in (18, 0):  # and what is deleted then stays deleted
            assert await services.ingester.ingest_sample_bank() == put_in
            first, *others = await services.index.documents()
            assert len(others) == 17 - (put_in == 0)
            assert len({info.content_hash[-12:] for info in (first, *others)}) == 1
            await services.index.delete(first.document_id)
