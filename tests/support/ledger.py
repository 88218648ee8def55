"""What tests of the ledger share: both databases, a clock that stands still, keys, short ways to say who wishes what.

A test that takes `target` or `ledger` runs on SQLite and on PostgreSQL; one that takes `path` on SQLite only.
"""

import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from teller.cards.demo import seed_if_empty
from teller.cards.demo_people import PEOPLE
from teller.cards.engines import WRITER_LOCK
from teller.cards.records import Card, CardRecord, Clause, Operation, Wish
from teller.cards.sql_ledger import SqlLedger
from tests.support.postgres import Postgres, execute, run_alone, shared_postgres

Target = Path | str
"""Where a ledger is: an SQLite file, or the URL of a PostgreSQL database."""

AUDIT_KEY = b"audit key of the tests"
PEPPER = b"pepper of the tests"
REFUSED_BY_DATABASE = (sqlite3.IntegrityError, asyncpg.PostgresError)

_NOT_YET = datetime(1970, 1, 1, tzinfo=UTC)

MAYA, TOMAS, RUTH, JONAS, PRIYA, SAMUEL, ELENA = (person.phone for person in PEOPLE[:7])
PINS = {person.phone: person.pin for person in PEOPLE}


class Clock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


async def open_ledger(target: Target, clock: Callable[[], datetime]) -> SqlLedger:
    return await SqlLedger.open(target, audit_key=AUDIT_KEY, pepper=PEPPER, clock=clock)


async def card_of(ledger: SqlLedger, phone: str, place: int = 0) -> Card:
    holder = (await ledger.view(phone, None)).holder
    assert holder is not None
    return holder.cards[place]


def confirm(card: Card, text: str | None = None) -> Clause:
    """The confirming question about a card; its time is the ledger's business."""
    return Clause("confirm", text or f"shall I block your card ending {card.last4}?", card.token, _NOT_YET)


async def prove(ledger: SqlLedger, phone: str, conversation: str = "call") -> None:
    """Give the right PIN."""
    verdict = await ledger.prove(conversation, phone, PINS[phone], ledger.fingerprint("my pin"))
    assert verdict == "right"


async def settled(ledger: SqlLedger, phone: str, operation: Operation, card: Card, conversation: str = "call") -> Wish:
    """Ask whether to do it, and take a yes for an answer."""
    wish = await ledger.ask(conversation, phone, operation, card, confirm(card))
    assert await ledger.settle(wish.id, "yes")
    return wish


async def done(
    ledger: SqlLedger, phone: str, operation: Operation, card: Card, conversation: str = "call"
) -> CardRecord:
    """Ask, take a yes for an answer and do it."""
    wish = await settled(ledger, phone, operation, card, conversation)
    record = await ledger.commit(wish.id, "yes", card)
    assert record is not None
    return record


def sql(target: Target, statement: str, *parameters: object) -> list[Any]:
    """Run a statement on a connection of its own, past the ledger, and commit it."""
    if isinstance(target, str):
        for number in range(1, len(parameters) + 1):
            statement = statement.replace("?", f"${number}", 1)
        return execute(target, statement, *parameters)
    connection = sqlite3.connect(target, timeout=5)
    try:
        with connection:
            return connection.execute(statement, parameters).fetchall()
    finally:
        connection.close()


def without_trigger(target: Target, trigger: str, table: str) -> None:
    """Do as somebody does who may change the database: take a trigger away."""
    sql(target, f"DROP TRIGGER {trigger}" + (f" ON {table}" if isinstance(target, str) else ""))


@asynccontextmanager
async def write_lock(target: Target) -> AsyncIterator[None]:
    """Hold the ledger's write lock, as a slow writer in another process would."""
    if isinstance(target, str):
        server = await asyncpg.connect(target)
        await server.execute(f"SELECT pg_advisory_lock({WRITER_LOCK})")
        try:
            yield
        finally:
            await server.close()
        return
    file = sqlite3.connect(target, isolation_level=None)
    file.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        file.execute("COMMIT")
        file.close()


@pytest.fixture(scope="session")
def postgres() -> Postgres:
    """The server of this run."""
    server = shared_postgres()
    if server is None:
        pytest.skip("PostgreSQL can't be had here")
    return server


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Which database a test runs on."""
    return str(request.param)


@pytest.fixture(scope="session")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite ledger with the demo in it, made once, to copy."""
    path = tmp_path_factory.mktemp("demo") / "demo.db"
    run_alone(fill(path))
    return path


@cache
def demo_database(server: Postgres) -> str:
    url = server.create()
    run_alone(fill(url))
    return url.rpartition("/")[2]


async def fill(target: Target) -> None:
    ledger = await open_ledger(target, Clock())
    await seed_if_empty(ledger, PEPPER)
    await ledger.close()


@pytest.fixture
def path(demo_file: Path, tmp_path: Path) -> Path:
    """This test's own demo ledger, as an SQLite file."""
    return Path(shutil.copy(demo_file, tmp_path / "teller.db"))


@pytest.fixture
def target(database: str, request: pytest.FixtureRequest) -> Iterator[Target]:
    """This test's own demo ledger, on each of the databases."""
    if database == "sqlite":
        yield request.getfixturevalue("path")
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.create(demo_database(server))
    yield url
    server.drop(url)


@pytest.fixture
def empty(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Target]:
    """A place for a ledger with nothing in it yet."""
    if database == "sqlite":
        yield tmp_path / "empty.db"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.create()
    yield url
    server.drop(url)


@pytest.fixture(scope="session")
def fresh(
    database: str, demo_file: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Callable[[], Target]]:
    """Gives a new demo ledger for each example of a property."""
    folder, numbers, urls = tmp_path_factory.mktemp("fresh"), count(), list[str]()
    server: Postgres | None = request.getfixturevalue("postgres") if database == "postgresql" else None

    def make() -> Target:
        if server is None:
            return Path(shutil.copy(demo_file, folder / f"{next(numbers)}.db"))
        while urls:  # the one before is done with
            server.drop(urls.pop())
        urls.append(server.create(demo_database(server)))
        return urls[-1]

    yield make
    for url in urls:
        assert server is not None
        server.drop(url)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def ledger(target: Target, clock: Clock) -> AsyncIterator[SqlLedger]:
    ledger = await open_ledger(target, clock)
    yield ledger
    await ledger.close()
