"""Alive, ready, and how each part is."""

import asyncio
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest

from teller.knowledge.embedded import EmbeddedIndex
from teller.knowledge.index import DocumentInfo
from teller.knowledge.ingest import SAMPLE_BANK
from tests.support.in_process import in_process
from tests.support.server import start_server


def test_everything_is_well(http: httpx.Client) -> None:
    report = http.get("/api/health/")
    assert report.status_code == 200
    assert report.json()["status"] == "healthy"
    assert set(report.json()["services"]) == {"ledger", "search", "model"}
    assert http.get("/health/live").json() == {"status": "alive"}
    assert http.get("/health/ready").json() == {"status": "ready"}


async def test_a_first_start_is_ready_when_the_whole_sample_bank_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in, half, go_on, names = EmbeddedIndex.upsert, asyncio.Event(), asyncio.Event(), set[str]()

    async def stop_half_way(self: EmbeddedIndex, document: DocumentInfo, *more: Any) -> None:
        if len(names) == 5:
            half.set()
            await go_on.wait()
        names.add(document.filename)
        await put_in(self, document, *more)

    monkeypatch.setattr(EmbeddedIndex, "upsert", stop_half_way)
    async with in_process(tmp_path) as (_, http):
        async with asyncio.timeout(30):
            await half.wait()
        assert (await http.get("/health/ready")).status_code == 503
        report = await http.get("/api/health/", headers={"authorization": "Bearer any"})
        assert report.json()["services"]["search"]["message"] == "The sample bank is not in the index yet."
        go_on.set()
        for _ in range(300):
            if (await http.get("/health/ready")).status_code == 200:
                break
            await asyncio.sleep(0.1)
        held = (await http.get("/api/documents/")).json()["documents"]
    assert {document["filename"] for document in held} == {file.name for file in SAMPLE_BANK.iterdir()}


def test_a_ledger_whose_schema_is_not_current_is_unhealthy_but_the_process_lives(bank: Path, tmp_path: Path) -> None:
    server, process = start_server(shutil.copytree(bank, tmp_path / "data"))
    with sqlite3.connect(server.data_dir / "teller.db") as ledger:
        ledger.execute("UPDATE alembic_version SET version_num = 'another'")
    ledger.close()
    with httpx.Client(base_url=server.base_url) as http:
        report = http.get("/api/health/")
        ready, live = http.get("/health/ready"), http.get("/health/live")
    process.terminate()
    process.communicate(timeout=10)
    assert (report.status_code, report.json()["services"]["ledger"]["status"]) == (503, "unhealthy")
    assert "teller migrate" in report.json()["services"]["ledger"]["message"]
    assert (ready.status_code, live.status_code) == (503, 200)
