"""What the ledger does not keep."""

import asyncio
from pathlib import Path

import pytest

import teller.services
from teller.cards.audit import pseudonym
from teller.cards.demo import listing, reset, seed_if_empty
from teller.cards.records import Operation
from teller.cards.sql_ledger import SqlLedger
from teller.services import Services
from teller.settings import Settings
from tests.support.audit_chain import first_broken
from tests.support.ledger import (
    AUDIT_KEY,
    MAYA,
    PEPPER,
    TOMAS,
    Clock,
    Target,
    card_of,
    confirm,
    done,
    open_ledger,
    prove,
    sql,
)

TABLES = ("pending", "proof", "pin_attempt")


async def leave_rows(ledger: SqlLedger, phone: str, conversation: str) -> None:
    card = await card_of(ledger, phone)
    await ledger.prove(conversation, phone, "0000", "hash")
    await ledger.prove(conversation, phone, "0000" if phone == TOMAS else "1111", "hash")
    await ledger.ask(conversation, phone, Operation.BLOCK, card, confirm(card))


def rows(target: Target, table: str) -> int:
    return int(sql(target, f"SELECT count(*) FROM {table}")[0][0])


async def test_rows_die_after_a_day(ledger: SqlLedger, target: Target, clock: Clock) -> None:
    await leave_rows(ledger, MAYA, "call")
    await done(ledger, TOMAS, Operation.BLOCK, await card_of(ledger, TOMAS), "another call")
    await prove(ledger, TOMAS)
    clock.advance(hours=23, minutes=59)
    await ledger.forget_old()
    assert (rows(target, "pending"), rows(target, "pin_attempt")) == (2, 2)
    clock.advance(minutes=1)
    await leave_rows(ledger, TOMAS, "a new call")
    assert (rows(target, "pending"), rows(target, "proof"), rows(target, "pin_attempt")) == (1, 0, 1)


async def test_rows_die_in_a_quiet_server_too(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teller.services, "FORGET_EVERY_SECONDS", 0.01)
    async with Services.opened(Settings(data_dir=data_dir, _env_file=None)) as services:
        card = await card_of(services.ledger, MAYA)
        await services.ledger.ask("call", MAYA, Operation.BLOCK, card, confirm(card))
        file = data_dir / "teller.db"
        sql(file, "UPDATE pending SET opened_at = '2020-01-01 00:00:00.000000'")
        services.forget_in_background()
        for _ in range(1_000):
            await asyncio.sleep(0.01)
            if not rows(file, "pending"):
                break
        assert rows(file, "pending") == 0


class TestErase:
    async def test_leaves_nothing_of_a_person_but_pseudonyms_and_a_whole_chain(
        self, ledger: SqlLedger, target: Target
    ) -> None:
        await leave_rows(ledger, MAYA, f"web/{MAYA}/0a1b")
        await prove(ledger, MAYA, f"web/{MAYA}/0a1b")
        await done(ledger, MAYA, Operation.REPORT_LOST, await card_of(ledger, MAYA))
        others = [holder for holder in await listing(ledger) if holder["phone"] != MAYA]
        before = await ledger.audit_trail()
        assert await ledger.erase(MAYA)
        assert await listing(ledger) == others
        assert (await ledger.view(MAYA, "call")).holder is None
        for table in ("holder", "card", "purchase", *TABLES):
            assert MAYA not in str(sql(target, f"SELECT * FROM {table}"))
        trail = await ledger.audit_trail()
        assert trail[:-1] == before
        assert trail[-1].entry.event == "erased"
        assert first_broken(trail, AUDIT_KEY) is None

    async def test_takes_away_what_tied_the_pseudonym_to_the_number(self, ledger: SqlLedger) -> None:
        await ledger.refuse(MAYA, None, "before")
        await ledger.erase(MAYA)
        await ledger.refuse(MAYA, None, "after")
        before, erased, after = [row.entry.subject for row in (await ledger.audit_trail())[-3:]]
        assert before == erased
        assert before not in (after, pseudonym(MAYA, AUDIT_KEY))

    async def test_leaves_no_word_of_the_person_in_the_file(self, path: Path, clock: Clock) -> None:
        ledger = await open_ledger(path, clock)
        await leave_rows(ledger, MAYA, f"web/{MAYA}/0a1b")
        await done(ledger, MAYA, Operation.REPORT_LOST, await card_of(ledger, MAYA))
        await ledger.erase(MAYA)
        for file in path.parent.glob("teller.db*"):
            assert MAYA.encode() not in file.read_bytes()
            assert b"Castellan" not in file.read_bytes()
        await ledger.close()

    async def test_of_nobody_leaves_no_row(self, ledger: SqlLedger) -> None:
        before = await ledger.audit_trail()
        assert not await ledger.erase("+19998887777")
        assert await ledger.audit_trail() == before

    async def test_of_everybody_does_not_bring_the_demo_back_by_itself(self, ledger: SqlLedger) -> None:
        for holder in await listing(ledger):
            await ledger.erase(holder["phone"])
        assert not await seed_if_empty(ledger, PEPPER)
        await reset(ledger, PEPPER)
        assert len(await listing(ledger)) == 10


@pytest.mark.parametrize("table", TABLES)
async def test_a_reset_clears_the_rest_too(ledger: SqlLedger, target: Target, table: str) -> None:
    await leave_rows(ledger, MAYA, "call")
    await prove(ledger, TOMAS)
    await reset(ledger, PEPPER)
    assert rows(target, table) == 0
