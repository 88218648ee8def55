"""Whoever gets at the database and takes the triggers away: `teller cards audit --verify` finds what he did."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from doors.terminal import app
from teller.cards.records import Operation
from teller.cards.trail import GUARDS
from tests.support.ledger import MAYA, Clock, Target, card_of, done, open_ledger, prove, sql, without_trigger
from tests.support.postgres import run_alone

MIDDLE = 4


@pytest.fixture
def trail(target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    """A ledger with eight audit rows, where the command finds it."""
    return made_ready(target, tmp_path, monkeypatch)


def made_ready(target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    run_alone(leave_rows(target))
    monkeypatch.chdir(tmp_path)
    url = target if isinstance(target, str) else f"sqlite:///{target}"
    secrets = {"AUDIT_KEY": "audit key of the tests", "PIN_PEPPER": "pepper of the tests"}
    for name, value in ({"DATABASE_URL": url, "DATA_DIR": str(tmp_path)} | secrets).items():
        monkeypatch.setenv(name, value)
    return target


async def leave_rows(target: Target) -> None:
    ledger = await open_ledger(target, Clock())
    await done(ledger, MAYA, Operation.BLOCK, await card_of(ledger, MAYA))
    await prove(ledger, MAYA)
    await done(ledger, MAYA, Operation.UNBLOCK, await card_of(ledger, MAYA))
    assert len(await ledger.audit_trail()) == 8
    await ledger.close()


def audit(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["cards", "audit", *arguments])


def tamper(target: Target, *statements: str) -> None:
    """Change rows and put the triggers back as they were, so that only the chain can tell."""
    if isinstance(target, str):
        sql(target, "GRANT ALL ON audit TO postgres")
        sql(target, "ALTER TABLE audit DISABLE TRIGGER ALL")
        for statement in statements:
            sql(target, statement)
        sql(target, "ALTER TABLE audit ENABLE TRIGGER ALL")
        return
    triggers = [
        made for (made,) in sql(target, "SELECT sql FROM sqlite_master WHERE tbl_name='audit' AND type='trigger'")
    ]
    for guard in GUARDS["sqlite"]:
        without_trigger(target, guard, "audit")
    for statement in (*statements, *triggers):
        sql(target, statement)


def assert_broken_at(row: int) -> None:
    told = audit("--verify")
    assert told.exit_code == 1, told.output
    assert f"broken at row {row}:" in told.output


def test_a_trail_that_nobody_touched_is_whole(trail: Target) -> None:
    told = audit("--verify")
    assert told.exit_code == 0, (told.output, told.exception)
    assert "The chain is whole: 8 rows" in told.output


@pytest.mark.parametrize(
    "change",
    [
        "at = '2026-11-24 12:00:00'",
        "event = 'refused'",
        "subject = NULL",
        "wish_id = 'another'",
        """detail = '{"operation": "block"}'""",
        "detail = '{}'",
        f"previous_mac = '{'0' * 63}1'",
        f"mac = '{'0' * 64}'",
    ],
    ids=lambda change: change.split()[0],
)
def test_a_changed_column_breaks_the_chain(trail: Target, change: str) -> None:
    tamper(trail, f"UPDATE audit SET {change} WHERE seq = {MIDDLE}")
    assert_broken_at(MIDDLE)


@pytest.mark.parametrize(
    "change",
    [
        "at = 'yesterday'",
        "at = 7",
        "event = x'ff00'",
        "event = 'never heard of'",
        "subject = 7",
        "subject = CAST(x'ff' AS TEXT)",
        "detail = 'no JSON'",
        "detail = '[]'",
        "detail = 5",
        "mac = x'00'",
        "previous_mac = 1",
    ],
)
def test_garbage_in_a_column_breaks_the_chain_and_can_still_be_listed(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Of SQLite only, for PostgreSQL keeps to its types."""
    made_ready(path, tmp_path, monkeypatch)
    tamper(path, f"UPDATE audit SET {change} WHERE seq = {MIDDLE}")
    assert_broken_at(MIDDLE)
    assert audit().exit_code == audit("--json").exit_code == 0


@pytest.mark.parametrize(("statement", "row"), [(f"seq = {MIDDLE}", MIDDLE + 1), ("seq <= 2", 3), ("seq = 1", 2)])
def test_a_removed_row_breaks_the_chain(trail: Target, statement: str, row: int) -> None:
    tamper(trail, f"DELETE FROM audit WHERE {statement}")
    assert_broken_at(row)


@pytest.mark.parametrize(
    ("renumber", "row"),
    [
        (("seq = 100 WHERE seq = 3", "seq = 3 WHERE seq = 4", "seq = 4 WHERE seq = 100"), 3),
        (("seq = -5 WHERE seq = 6",), -5),
    ],
)
def test_rows_that_changed_places_break_the_chain(trail: Target, renumber: tuple[str, ...], row: int) -> None:
    tamper(trail, *(f"UPDATE audit SET {change}" for change in renumber))
    assert_broken_at(row)


@pytest.mark.parametrize(("seq", "row"), [("9", 9), ("0", 0), ("-7", -7)])
def test_a_row_that_was_put_in_breaks_the_chain(trail: Target, seq: str, row: int) -> None:
    columns = "at, 'committed', subject, wish_id, detail"
    tamper(trail, f"INSERT INTO audit SELECT {seq}, {columns}, 'x' || mac, mac FROM audit WHERE seq = {MIDDLE}")
    assert_broken_at(row)


@pytest.mark.parametrize("left", [0, 1, 5, 7])
def test_an_end_that_was_cut_off_is_found_by_the_head(trail: Target, left: int) -> None:
    head = audit("--verify").output.strip().rpartition("head ")[2]
    tamper(trail, f"DELETE FROM audit WHERE seq > {left}")
    assert audit("--verify").exit_code == 0, "the chain alone can't tell"
    told = audit("--head", head)
    assert (told.exit_code, "cut off" in told.output) == (1, True)


def test_triggers_that_were_taken_away_are_missed(trail: Target) -> None:
    without_trigger(trail, "audit_no_delete", "audit")
    told = audit("--verify")
    assert told.exit_code == 1
    assert "The chain is whole" in told.output
    assert "audit_no_delete" in told.output


def test_another_key_is_named_as_a_cause(trail: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_KEY", "another")
    told = audit("--verify")
    assert (told.exit_code, "AUDIT_KEY" in told.output) == (1, True)


@pytest.mark.parametrize("head", ["zz", "é" * 64, "0" * 63, "A" * 64])
def test_what_is_no_head_is_refused(trail: Target, head: str) -> None:
    told = audit("--head", head)
    assert told.exit_code == 2
    assert "64 hexadecimal digits" in told.output


def test_a_trail_longer_than_a_batch_is_followed_to_its_end(trail: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    import teller.cards.trail

    for name in ("_FIRST", "_NEXT", "_NUMBERS"):
        monkeypatch.setattr(teller.cards.trail, name, getattr(teller.cards.trail, name).limit(2))
    monkeypatch.setattr(teller.cards.trail, "BATCH", 2)
    assert "The chain is whole: 8 rows" in audit("--verify").output
    tamper(trail, "DELETE FROM audit WHERE seq = 5")
    assert_broken_at(6)
