import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from teller.cards.demo import seed_if_empty
from teller.cards.sql_ledger import SqlLedger
from tests.support.ledger import PEPPER, Clock, open_ledger


@pytest.fixture(scope="session")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with the demo in it, made once, for every test to copy."""
    path = tmp_path_factory.mktemp("demo") / "demo.db"

    async def make() -> None:
        ledger = await open_ledger(path, Clock())
        await seed_if_empty(ledger, PEPPER)
        await ledger.close()

    asyncio.run(make())
    return path


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(demo_file: Path, tmp_path: Path) -> Path:
    """This test's own demo ledger, as a file."""
    return Path(shutil.copy(demo_file, tmp_path / "teller.db"))


@pytest.fixture
async def ledger(path: Path, clock: Clock) -> AsyncIterator[SqlLedger]:
    ledger = await open_ledger(path, clock)
    yield ledger
    await ledger.close()
