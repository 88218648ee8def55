"""The disk is full: nothing is half written, what is there can be read, and it goes on when there is room again."""

from pathlib import Path

import pytest

from teller.cards.records import Operation
from teller.cards.sql_ledger import SqlLedger
from teller.errors import LedgerUnavailableError
from tests.support.audit_chain import first_broken
from tests.support.ledger import AUDIT_KEY, MAYA, TOMAS, Clock, card_of, done, open_ledger, settled, sql


async def fill_up(ledger: SqlLedger) -> None:
    for _ in range(1_000):
        await ledger.refuse(TOMAS, None, "something long enough to fill the last page" * 5)


async def test_a_full_disk_refuses_writes_whole_and_none_is_lost(path: Path, clock: Clock) -> None:
    ledger = await open_ledger(path, clock)
    card = await card_of(ledger, MAYA)
    wish = await settled(ledger, MAYA, Operation.BLOCK, card)
    (pages,) = sql(path, "PRAGMA page_count")[0]
    await ledger.write(lambda write: write.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}"))
    with pytest.raises(LedgerUnavailableError):
        await fill_up(ledger)
    trail = await ledger.audit_trail()
    full = 0
    for _ in range(5):
        try:
            await ledger.commit(wish.id, "yes", card)
        except LedgerUnavailableError:
            full += 1
            assert await card_of(ledger, MAYA) == card
            assert await ledger.audit_trail() == trail
    assert full == 5
    await ledger.write(lambda write: write.connection.exec_driver_sql("PRAGMA max_page_count = 1000000"))
    record = await ledger.commit(wish.id, "yes", card)
    assert record is not None
    assert record.card.version == card.version + 1
    assert (await done(ledger, TOMAS, Operation.BLOCK, await card_of(ledger, TOMAS), "another call")).changed
    assert first_broken(await ledger.audit_trail(), AUDIT_KEY) is None
    await ledger.close()
