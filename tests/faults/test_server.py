"""PostgreSQL goes away: restarted, crashed under load, or its connection cut between a commit and the answer to it."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Literal

import pytest

import teller.cards.database
from teller.cards.ledger import OutcomeUnknownError
from teller.cards.records import CardState, Operation
from teller.cards.sql_ledger import SqlLedger
from teller.errors import LedgerUnavailableError
from tests.support.audit_chain import first_broken
from tests.support.ledger import (
    AUDIT_KEY,
    MAYA,
    TOMAS,
    Clock,
    card_of,
    demo_database,
    done,
    open_ledger,
    prove,
    settled,
)
from tests.support.postgres import Postgres, find_binaries

BLOCK = Operation.BLOCK
Cut = Literal["never", "before the commit", "after the commit"]


@pytest.fixture(scope="module")
def own_server() -> Iterator[Postgres]:
    """A server of these tests' own, to be stopped and killed."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL can't be had here")
    server = Postgres(binaries)
    yield server
    server.remove()


@pytest.fixture
def url(own_server: Postgres) -> str:
    return own_server.create(demo_database(own_server))


class TestARestartedServer:
    async def test_is_connected_to_again_without_an_error(self, own_server: Postgres, url: str, clock: Clock) -> None:
        ledger = await open_ledger(url, clock)
        card = await card_of(ledger, MAYA)
        record = await done(ledger, MAYA, BLOCK, card)
        own_server.stop()
        own_server.start()
        assert await card_of(ledger, MAYA) == record.card
        own_server.stop()
        own_server.start()
        assert (await ledger.commit_direct("call", TOMAS, BLOCK, await card_of(ledger, TOMAS))) is not None
        await ledger.close()

    async def test_that_is_down_is_unavailable_and_changes_nothing(
        self, own_server: Postgres, url: str, clock: Clock
    ) -> None:
        ledger = await open_ledger(url, clock)
        card = await card_of(ledger, MAYA)
        own_server.stop()
        for attempt in (ledger.view(MAYA, None), ledger.commit_direct("call", MAYA, BLOCK, card), ledger.ready()):
            with pytest.raises(LedgerUnavailableError):
                await attempt
        own_server.start()
        assert await card_of(ledger, MAYA) == card
        await ledger.close()

    async def test_that_crashes_under_load_has_kept_all_that_was_told(
        self, own_server: Postgres, url: str, clock: Clock
    ) -> None:
        ledger = await open_ledger(url, clock)
        await prove(ledger, MAYA)
        told: list[int] = []
        stop = asyncio.Event()

        async def write_on() -> None:
            while not stop.is_set():
                try:
                    card = await card_of(ledger, MAYA)
                    operation = BLOCK if card.state is CardState.ACTIVE else Operation.UNBLOCK
                    told.append((await done(ledger, MAYA, operation, card)).card.version)
                except LedgerUnavailableError:
                    await asyncio.sleep(0.02)

        writing = asyncio.create_task(write_on())
        for _ in range(3):
            await asyncio.sleep(0.3)
            await asyncio.to_thread(own_server.stop, signal.SIGQUIT)
            await asyncio.to_thread(own_server.start)
        await asyncio.sleep(0.3)
        stop.set()
        await writing
        committed = [
            row.entry.detail["version"] for row in await ledger.audit_trail() if row.entry.event == "committed"
        ]
        assert committed == list(range(2, len(committed) + 2)), "each version once, none left out"
        assert set(told) <= set(committed)
        assert (await card_of(ledger, MAYA)).version == committed[-1]
        assert first_broken(await ledger.audit_trail(), AUDIT_KEY) is None
        await ledger.close()


class Wire:
    """A connection to the server that can be cut, just before a COMMIT or just after the server has done it."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self.cut: Cut = "never"
        self.refuses = False
        self.cuts = 0
        self.port = 0

    async def carry(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        if self.refuses:
            to_client.close()
            return
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self.server.port)
        answering = asyncio.create_task(self._answer(from_server, to_client))
        while data := await client.read(65536):
            cuts = b"COMMIT" in data and self.cut != "never"
            if cuts and self.cut == "after the commit":
                answering.cancel()
                await asyncio.wait({answering})
                to_server.write(data)
                await from_server.read(65536)  # the server has done it: its answer goes no further
            if cuts:
                self.cuts += 1
                self.cut = "never"
                break
            to_server.write(data)
        answering.cancel()
        to_client.transport.abort()
        to_server.transport.abort()

    async def _answer(self, from_server: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        while data := await from_server.read(65536):
            to_client.write(data)
        to_client.close()


@asynccontextmanager
async def wired(server: Postgres, url: str, clock: Clock) -> AsyncIterator[tuple[Wire, SqlLedger]]:
    wire = Wire(server)
    proxy = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    ledger = await open_ledger(server.url(url.rpartition("/")[2], port), clock)
    try:
        yield wire, ledger
    finally:
        await ledger.close()
        proxy.close()


class TestACutConnection:
    async def test_after_the_commit_gives_the_record_of_what_was_done(
        self, own_server: Postgres, url: str, clock: Clock
    ) -> None:
        async with wired(own_server, url, clock) as (wire, ledger):
            card = await card_of(ledger, MAYA)
            wish = await settled(ledger, MAYA, BLOCK, card)
            wire.cut = "after the commit"
            record = await ledger.commit(wish.id, "yes", card)
            assert wire.cuts == 1
            assert record is not None
            assert await card_of(ledger, MAYA) == record.card
            assert await ledger.commit(wish.id, "yes", card) == record
            events = [row.entry.event for row in await ledger.audit_trail()]
            assert events.count("committed") == 1

    async def test_before_the_commit_changes_nothing_and_a_repeat_does_it(
        self, own_server: Postgres, url: str, clock: Clock
    ) -> None:
        async with wired(own_server, url, clock) as (wire, ledger):
            card = await card_of(ledger, MAYA)
            wish = await settled(ledger, MAYA, BLOCK, card)
            wire.cut = "before the commit"
            with pytest.raises(LedgerUnavailableError) as failure:
                await ledger.commit(wish.id, "yes", card)
            assert not isinstance(failure.value, OutcomeUnknownError)
            assert wire.cuts == 1
            assert await card_of(ledger, MAYA) == card
            assert await ledger.commit(wish.id, "yes", card) is not None

    async def test_for_good_leaves_the_outcome_unknown_and_a_repeat_tells_it(
        self, own_server: Postgres, url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(teller.cards.database, "WAIT_SECONDS", 0.2)
        async with wired(own_server, url, clock) as (wire, ledger):
            card = await card_of(ledger, MAYA)
            wish = await settled(ledger, MAYA, BLOCK, card)
            wire.cut, wire.refuses = "after the commit", True
            with pytest.raises(OutcomeUnknownError):
                await ledger.commit(wish.id, "yes", card)
            wire.refuses = False
            record = await ledger.commit(wish.id, "yes", card)
            assert record is not None
            assert record.card.version == card.version + 1
