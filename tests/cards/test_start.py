"""What a first start promises: schema and secrets are made once, however many processes start together."""

import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

import teller.cards.migrate
from teller.cards.database import ledger_url
from teller.cards.keys import read_or_make
from teller.cards.migrate import HEAD, upgrade
from teller.cards.schema import metadata
from teller.errors import ConfigurationError
from tests.support.ledger import Clock, open_ledger, sql

START = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from teller.cards.demo import seed_if_empty
from teller.cards.keys import read_or_make
from teller.cards.sql_ledger import SqlLedger

async def start(folder):
    key = read_or_make(folder, "audit.key")
    ledger = await SqlLedger.open(folder / "teller.db", audit_key=key, clock=lambda: datetime.now(UTC))
    seeded = await seed_if_empty(ledger, b"pepper")
    await ledger.ready()
    await ledger.close()
    print(key.hex(), seeded, "alembic" in sys.modules)

asyncio.run(start(Path(sys.argv[1])))
"""


def start(folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-W", "error", "-c", START, folder], stdout=subprocess.PIPE, text=True)


def outcome(process: "subprocess.Popen[str]") -> list[str]:
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return output.split()


def test_processes_that_start_together_make_one_ledger_and_one_key(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    keys, seeded, _ = zip(*[outcome(process) for process in [start(folder) for _ in range(3)]], strict=True)
    assert len(set(keys)) == 1
    assert sorted(seeded) == ["False", "False", "True"]
    assert sql(folder / "teller.db", "PRAGMA journal_mode") == [("wal",)]
    assert outcome(start(folder)) == [keys[0], "False", "False"], "a start with a current schema imports no Alembic"


class TestSchema:
    def test_head_is_the_newest_migration(self) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(teller.cards.migrate.__file__).with_name("migrations")))
        assert ScriptDirectory.from_config(config).get_current_head() == HEAD

    def test_of_the_migrations_is_the_schema_of_the_code(self, tmp_path: Path) -> None:
        migrated, declared = tmp_path / "migrated.db", tmp_path / "declared.db"
        upgrade(ledger_url(migrated))
        engine = create_engine(f"sqlite:///{declared}")
        metadata.create_all(engine)
        engine.dispose()
        assert tables_and_indexes(migrated) == tables_and_indexes(declared)

    async def test_that_is_newer_than_the_code_is_a_configuration_error(self, path: Path, clock: Clock) -> None:
        sql(path, "UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(ConfigurationError, match="schema"):
            await open_ledger(path, clock)

    def test_upgraded_twice_is_the_same(self, path: Path) -> None:
        before = path.read_bytes()
        upgrade(ledger_url(path))
        assert path.read_bytes() == before


def tables_and_indexes(path: Path) -> dict[str, list[str]]:
    """The lines of each CREATE statement, in an order of their own."""
    query = (
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND type <> 'trigger' AND name <> 'alembic_version'"
    )
    return {name: sorted(line.strip(" \t,") for line in create.splitlines()) for name, create in sql(path, query)}


class TestKeys:
    def test_are_made_once_and_readable_by_us_alone(self, tmp_path: Path) -> None:
        folder = tmp_path / "data"
        made = read_or_make(folder, "audit.key")
        assert len(made) == 32
        assert read_or_make(folder, "audit.key") == made
        assert read_or_make(folder, "pin.pepper") != made
        assert stat.S_IMODE((folder / "audit.key").stat().st_mode) == 0o600
        assert sorted(file.name for file in folder.iterdir()) == ["audit.key", "pin.pepper"]

    @pytest.mark.parametrize("content", ["", "abc", "zz" * 32, "ab" * 31])
    def test_that_are_damaged_are_left_alone(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "audit.key").write_text(content)
        with pytest.raises(ConfigurationError, match=re.escape(str(tmp_path / "audit.key"))):
            read_or_make(tmp_path, "audit.key")
        assert (tmp_path / "audit.key").read_text() == content
