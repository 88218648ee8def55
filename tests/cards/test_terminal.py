"""`teller cards` in a terminal: audit, verify, erase."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from doors.terminal import app
from tests.support.ledger import MAYA, Target


@pytest.fixture(autouse=True)
def environment(target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    url = target if isinstance(target, str) else f"sqlite:///{target}"
    secrets = {"AUDIT_KEY": "audit key of the tests", "PIN_PEPPER": "pepper of the tests"}
    for name, value in ({"DATABASE_URL": url, "DATA_DIR": str(tmp_path), "COLUMNS": "160"} | secrets).items():
        monkeypatch.setenv(name, value)


def cards(*arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(app, ["cards", *arguments], input=answer)


def test_list_shows_the_ledger_of_either_database() -> None:
    assert "Maya Castellan" in cards("list").output
    assert json.loads(cards("list", "--json").output)[0]["phone"] == MAYA


def test_audit_reads_as_a_table_and_as_json() -> None:
    assert cards("reset").exit_code == 0
    assert "reset" in cards("audit").output
    assert "seeded" not in cards("audit", "--last", "1").output
    assert [row["event"] for row in json.loads(cards("audit", "--json").output)] == ["seeded", "reset"]


def test_erase_asks_first_and_leaves_the_chain_whole() -> None:
    assert cards("erase", MAYA, answer="n\n").exit_code == 1
    assert MAYA in cards("list").output
    assert cards("erase", MAYA, answer="y\n").exit_code == 0
    assert MAYA not in cards("list").output
    assert cards("audit", "--verify").exit_code == 0


def test_erase_says_so_where_there_is_nothing_or_no_number() -> None:
    unknown = cards("erase", "+19998887777", "--yes")
    assert unknown.exit_code == 1
    assert "holds nothing" in unknown.output
    assert cards("erase", "maya", "--yes").exit_code == 2
