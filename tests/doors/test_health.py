"""Alive, ready, and how each part is."""

import shutil
import sqlite3
from pathlib import Path

import httpx

from tests.support.server import start_server


def test_everything_is_well(http: httpx.Client) -> None:
    report = http.get("/api/health/")
    assert report.status_code == 200
    assert report.json()["status"] == "healthy"
    assert set(report.json()["services"]) == {"ledger", "search", "model"}
    assert http.get("/health/live").json() == {"status": "alive"}
    assert http.get("/health/ready").json() == {"status": "ready"}


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
