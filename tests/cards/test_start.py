"""What a first start promises: schema and secrets are made once, however many processes start together."""

import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

import teller.cards.migrate
from teller.cards.engines import ledger_url, reading_engine
from teller.cards.keys import read_or_make
from teller.cards.migrate import HEAD, upgrade
from teller.cards.schema import metadata
from teller.errors import ConfigurationError
from tests.support.ledger import REFUSED_BY_DATABASE, Clock, Target, open_ledger, sql
from tests.support.postgres import run_alone

START = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from teller.cards.demo import seed_if_empty
from teller.cards.keys import read_or_make
from teller.cards.sql_ledger import SqlLedger

async def start(folder):
    key = read_or_make(folder, "audit.key")
    target = sys.argv[2] if len(sys.argv) > 2 else folder / "teller.db"
    ledger = await SqlLedger.open(target, audit_key=key, pepper=b"", clock=lambda: datetime.now(UTC))
    seeded = await seed_if_empty(ledger, b"pepper")
    await ledger.ready()
    await ledger.close()
    print(key.hex(), seeded, "alembic" in sys.modules)

asyncio.run(start(Path(sys.argv[1])))
"""


def start(folder: Path, *url: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-W", "error", "-c", START, str(folder), *url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def outcome(process: "subprocess.Popen[str]") -> list[str]:
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return output.split()


def test_processes_that_start_together_make_one_ledger_and_one_key(empty: Target, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    url = [empty] if isinstance(empty, str) else []
    keys, seeded, _ = zip(*[outcome(process) for process in [start(folder, *url) for _ in range(3)]], strict=True)
    assert len(set(keys)) == 1
    assert sorted(seeded) == ["False", "False", "True"]
    if not url:
        assert sql(folder / "teller.db", "PRAGMA journal_mode") == [("wal",)]
    again = outcome(start(folder, *url))
    assert again == [keys[0], "False", "False"], "a start with a current schema imports no Alembic"


class TestSchema:
    def test_head_is_the_newest_migration(self) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(teller.cards.migrate.__file__).with_name("migrations")))
        assert ScriptDirectory.from_config(config).get_current_head() == HEAD

    def test_of_the_migrations_is_the_schema_of_the_code(self, empty: Target) -> None:
        upgrade(ledger_url(empty))
        assert run_alone(differences(empty)) == []

    def test_of_the_first_version_is_brought_up_to_date_with_all_that_is_in_it(self, empty: Target) -> None:
        upgrade(ledger_url(empty), to="0001")
        sql(empty, "INSERT INTO holder VALUES ('+1234567890', 'Maya', 0, 'x', FALSE, 0)")
        sql(
            empty,
            "INSERT INTO card (token, product, network, last4, state, version, credit_limit, balance, phone, position) "
            "VALUES ('t', 'Gold', 'Visa', '1881', 'closed', 3, 100, 0, '+1234567890', 0)",
        )
        upgrade(ledger_url(empty))
        assert sql(empty, "SELECT token, state, version, replacement FROM card") == [("t", "closed", 3, None)]
        assert sql(empty, "SELECT pin_locks, pin_locked_until, pseudonym_salt FROM holder") == [(0, None, "")]
        with pytest.raises(REFUSED_BY_DATABASE, match="a closed card stays closed"):
            sql(empty, "UPDATE card SET state = 'active'")

    def test_of_the_former_version_is_brought_up_to_date_by_processes_that_start_together(
        self, empty: Target, tmp_path: Path
    ) -> None:
        upgrade(ledger_url(empty), to="0002")
        sql(empty, "INSERT INTO holder VALUES ('+1234567890', 'Maya', 0, 'x', FALSE, 0, 0, NULL)")
        place = empty if isinstance(empty, str) else f"sqlite:///{empty}"
        assert [outcome(process)[1] for process in [start(tmp_path / "data", place) for _ in range(3)]] == ["False"] * 3
        assert sql(empty, "SELECT version_num FROM alembic_version") == [(HEAD,)]
        assert sql(empty, "SELECT name, pseudonym_salt FROM holder") == [("Maya", "")]

    async def test_that_is_newer_than_the_code_is_a_configuration_error(self, target: Target, clock: Clock) -> None:
        sql(target, "UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(ConfigurationError, match="schema"):
            await open_ledger(target, clock)

    def test_upgraded_twice_is_the_same(self, path: Path) -> None:
        before = path.read_bytes()
        upgrade(ledger_url(path))
        assert path.read_bytes() == before


async def differences(target: Target) -> list[object]:
    """What Alembic would change in a migrated ledger to make it what `schema.py` says."""
    engine = reading_engine(ledger_url(target))

    def compare(connection: Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": True}
        found: list[object] = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        return found

    async with engine.connect() as connection:
        found = await connection.run_sync(compare)
    await engine.dispose()
    return found


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
