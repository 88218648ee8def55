"""What the demo ledger promises: these ten people, and all of it back after a reset."""

import asyncio

import pytest

from teller.cards.demo import listing, reset, seed_if_empty
from teller.cards.demo_people import PEOPLE
from teller.cards.pin import verify_pin
from teller.cards.records import CardState, Operation, WishState
from teller.cards.sql_ledger import SqlLedger
from teller.errors import NotADemoLedgerError
from tests.support.audit_chain import first_broken
from tests.support.ledger import AUDIT_KEY, MAYA, PEPPER, TOMAS, Clock, Target, card_of, confirm, open_ledger, sql

DEMO_LEDGER = """
| +1234567890 | Maya Castellan | Everyday, Visa, 1881, active, 3000.00, 412.65, 2026-12-14 | 7305 |
| +1234567891 | Tomas Lindqvist | Everyday, Visa, 4242, active, 5000.00, 1250.40, 2026-12-09<br>Gold, Mastercard, 7719, active, 12000.00, 86.10, 2026-12-21 | 2946 |
| +1234567892 | Ruth Okafor | Gold, Mastercard, 0356, blocked, 8000.00, 2304.75, 2026-12-18 | 8162 |
| +1234567893 | Jonas Weber | Everyday, Visa, 6604, closed, 2000.00, 0.00, —<br>Travel, Visa, 9035, active, 6500.00, 940.00, 2026-12-11 | 5190 |
| +1234567894 | Priya Raman | Everyday, Mastercard, 2718, inactive, 4000.00, 0.00, — | 6437 |
| +1234567895 | Samuel Drake | — | 1058 |
| +1234567896 | Elena Petrova | Gold, Mastercard, 5503, active, 10000.00, 3120.55, 2026-12-07<br>Everyday, Visa, 8020, blocked, 2500.00, 55.00, 2026-12-16 | 3871, locked |
| +1234567897 | Ben Achterberg | Everyday, Visa, 3321, active, 3500.00, 228.90, 2026-12-12<br>Travel, Visa, 3312, active, 7000.00, 1675.25, 2026-12-23 | 9483 |
| +1234567898 | Noor Haddad | Student, Mastercard, 0077, active, 1000.00, 149.99, 2026-12-19 | 4620 |
| +1234567899 | Charles Whitcombe | Business, Mastercard, 5150, active, 20000.00, 7845.30, 2026-12-15<br>Everyday, Visa, 6168, blocked, 3000.00, 610.80, 2026-12-28 | 2093 |
"""  # noqa: E501

CARD_FIELDS = ("product", "network", "last4", "state", "credit_limit", "balance", "due_date")


def documented() -> list[tuple[str, ...]]:
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in DEMO_LEDGER.strip().splitlines()]


def documented_listing() -> list[dict[str, object]]:
    """The table as `teller cards list --json` shows it."""
    return [
        {
            "phone": phone,
            "name": name,
            "pin": "locked" if "locked" in pin else "ok",
            "cards": [documented_card(card) for card in cards.split("<br>") if card != "—"],
            "writes": 0,
        }
        for phone, name, cards, pin in documented()
    ]


def documented_card(card: str) -> dict[str, str | None]:
    return {field: None if value == "—" else value for field, value in zip(CARD_FIELDS, card.split(", "), strict=True)}


async def test_the_demo_is_the_documented_table(ledger: SqlLedger) -> None:
    assert await listing(ledger) == documented_listing()


async def test_the_documented_pins_are_stored_as_hashes_that_need_the_pepper(ledger: SqlLedger, target: Target) -> None:
    stored = dict(sql(target, "SELECT phone, pin_hash FROM holder"))
    pins = {phone: pin.removesuffix(", locked") for phone, _, _, pin in documented()}
    assert pins == {person.phone: person.pin for person in PEOPLE}
    assert verify_pin(pins[MAYA], PEPPER, stored[MAYA])
    assert not verify_pin(pins[TOMAS], PEPPER, stored[MAYA])
    assert not verify_pin(pins[MAYA], b"another pepper", stored[MAYA])
    assert all(hashed.startswith("$argon2id$") for hashed in stored.values())


class TestSeed:
    async def test_fills_a_ledger_that_has_no_holder_and_no_other(self, ledger: SqlLedger, target: Target) -> None:
        await ledger.commit_direct("call", MAYA, Operation.BLOCK, await card_of(ledger, MAYA))
        assert not await seed_if_empty(ledger, PEPPER)
        assert (await card_of(ledger, MAYA)).state is CardState.BLOCKED

    async def test_by_two_at_once_happens_once(self, empty: Target, clock: Clock) -> None:
        one = await open_ledger(empty, clock)
        two = await open_ledger(empty, clock)
        seeded = await asyncio.gather(seed_if_empty(one, PEPPER), seed_if_empty(two, PEPPER))
        assert sorted(seeded) == [False, True]
        assert [row.entry.event for row in await one.audit_trail()] == ["seeded"]
        await one.close()
        await two.close()


class TestReset:
    async def test_brings_back_states_locks_counts_and_open_questions(self, ledger: SqlLedger, target: Target) -> None:
        card = await card_of(ledger, TOMAS)
        await ledger.ask("call", TOMAS, Operation.BLOCK, card, confirm(card))
        await ledger.commit_direct("chat", MAYA, Operation.BLOCK, await card_of(ledger, MAYA))
        sql(target, "UPDATE holder SET pin_locked = TRUE")
        sql(target, "UPDATE card SET state = 'closed'")
        await reset(ledger, PEPPER)
        assert await listing(ledger) == documented_listing()
        assert (await ledger.view(TOMAS, "call")).wishes == ()

    async def test_lets_versions_rise_so_that_nobody_commits_what_was_read_before(self, ledger: SqlLedger) -> None:
        stale, untouched = await card_of(ledger, MAYA), await card_of(ledger, TOMAS)
        await ledger.commit_direct("call", MAYA, Operation.BLOCK, stale)
        changed = await card_of(ledger, MAYA)
        await reset(ledger, PEPPER)
        assert (await card_of(ledger, MAYA)).version > changed.version
        for before, phone in ((stale, MAYA), (changed, MAYA), (untouched, TOMAS)):
            assert await ledger.commit_direct("call", phone, Operation.BLOCK, before) is None

    async def test_keeps_the_audit_trail_and_is_a_row_of_it(self, ledger: SqlLedger) -> None:
        await ledger.refuse(MAYA, None, "a reason")
        before = await ledger.audit_trail()
        await reset(ledger, PEPPER)
        after = await ledger.audit_trail()
        assert after[:-1] == before
        assert after[-1].entry.event == "reset"
        assert first_broken(after, AUDIT_KEY) is None

    async def test_refuses_a_ledger_that_is_no_demo(self, ledger: SqlLedger, target: Target) -> None:
        await ledger.commit_direct("call", MAYA, Operation.BLOCK, await card_of(ledger, MAYA))
        sql(target, "DELETE FROM meta WHERE key = 'demo'")
        before = await listing(ledger), await ledger.audit_trail()
        with pytest.raises(NotADemoLedgerError):
            await reset(ledger, PEPPER)
        assert (await listing(ledger), await ledger.audit_trail()) == before

    async def test_of_a_ledger_without_a_holder_makes_it_the_demo(self, empty: Target, clock: Clock) -> None:
        ledger = await open_ledger(empty, clock)
        await reset(ledger, PEPPER)
        await reset(ledger, PEPPER)
        assert await listing(ledger) == documented_listing()
        await ledger.close()

    async def test_works_while_a_server_writes(self, ledger: SqlLedger, target: Target, clock: Clock) -> None:
        server = await open_ledger(target, clock)
        stop = asyncio.Event()
        changed: list[int] = []

        async def block() -> None:
            card = await card_of(server, MAYA)
            wish = await server.ask("call", MAYA, Operation.BLOCK, card, confirm(card))
            await server.settle(wish.id, "yes")
            record = await server.commit(wish.id, "yes", card)
            changed.extend([record.card.version] if record and record.changed else [])

        async def serve() -> None:
            while not stop.is_set():
                await block()
            await block()  # whatever the last reset overtook

        serving = asyncio.create_task(serve())
        for _ in range(3):
            await reset(ledger, PEPPER)
            await asyncio.sleep(0.05)
        stop.set()
        await serving
        trail = await ledger.audit_trail()
        assert first_broken(trail, AUDIT_KEY) is None
        assert [row.entry.event for row in trail].count("reset") == 3
        assert changed == sorted(set(changed))
        maya = (await listing(server))[0]
        assert (maya["writes"], maya["cards"][0]["state"]) == (1, "blocked")
        states = {wish.state for wish in (await server.view(MAYA, "call")).wishes}
        assert states <= {WishState.DONE, WishState.DROPPED, WishState.OPEN}
        await server.close()
