"""PINs: what a right one opens, what wrong ones cost, and that they stay secret."""

import asyncio
import threading
from datetime import timedelta
from itertools import count

import pytest

import teller.cards.pin
from teller.cards.records import Operation, PinVerdict
from teller.cards.sql_ledger import SqlLedger
from tests.support.ledger import (
    ELENA,
    MAYA,
    PINS,
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


async def give(ledger: SqlLedger, pin: str, phone: str = MAYA, conversation: str = "call") -> PinVerdict:
    return await ledger.prove(conversation, phone, pin, ledger.fingerprint(f"it is {pin}"))


async def events(ledger: SqlLedger) -> list[str]:
    return [str(row.entry.event) for row in await ledger.audit_trail()][1:]


class TestARightPin:
    async def test_counts_in_its_conversation_for_ten_minutes(self, ledger: SqlLedger, clock: Clock) -> None:
        assert await give(ledger, PINS[MAYA]) == "right"
        proof = (await ledger.view(MAYA, "call")).proof
        assert proof is not None
        assert proof.turn_hash == ledger.fingerprint(f"it is {PINS[MAYA]}")
        assert proof.expires_at == clock.now + timedelta(minutes=10)
        assert (await ledger.view(MAYA, "another call")).proof is None
        assert (await ledger.view(TOMAS, "call")).proof is None
        clock.advance(minutes=10)
        assert (await ledger.view(MAYA, "call")).proof is None

    async def test_of_somebody_else_is_wrong(self, ledger: SqlLedger) -> None:
        assert await give(ledger, PINS[TOMAS]) == "wrong"

    async def test_clears_the_count(self, ledger: SqlLedger) -> None:
        for pin in ("0000", "1111", PINS[MAYA], "0000", "1111"):
            verdict = await give(ledger, pin)
        assert verdict == "wrong"
        assert await give(ledger, PINS[MAYA]) == "right"


class TestAWrongPin:
    async def test_counts_once_a_number_however_often_it_is_sent(self, ledger: SqlLedger) -> None:
        assert [await give(ledger, "0000") for _ in range(6)] == ["wrong"] * 6
        assert await give(ledger, "1111", conversation="another call") == "wrong"
        assert await give(ledger, PINS[MAYA]) == "right"

    async def test_three_times_locks_the_numbers_pin_for_fifteen_minutes(self, ledger: SqlLedger, clock: Clock) -> None:
        assert [await give(ledger, pin) for pin in ("0000", "1111", "2222")] == ["wrong", "wrong", "locked"]
        holder = (await ledger.view(MAYA, None)).holder
        assert holder is not None
        assert holder.pin == "locked"
        assert await give(ledger, PINS[MAYA]) == "locked"
        assert (await ledger.view(MAYA, "call")).proof is None
        assert await give(ledger, PINS[TOMAS], TOMAS) == "right"
        clock.advance(minutes=15)
        assert await give(ledger, PINS[MAYA]) == "right"
        assert await events(ledger) == [
            *("pin_wrong", "pin_wrong", "pin_wrong", "pin_locked", "refused", "proven", "proven")
        ]

    async def test_each_further_lock_is_twice_as_long_up_to_a_day(self, ledger: SqlLedger, clock: Clock) -> None:
        numbers, expected = count(), [15, 30, 60, 120, 240, 480, 960, 1440, 1440]
        found = []
        for minutes in expected:
            while await give(ledger, f"{next(numbers):04}") != "locked":
                pass
            (row,) = [row for row in (await ledger.audit_trail())[-1:] if row.entry.event == "pin_locked"]
            found.append(row.entry.detail["minutes"])
            clock.advance(minutes=minutes)
        assert found == expected

    async def test_counts_for_a_day(self, ledger: SqlLedger, clock: Clock) -> None:
        await give(ledger, "0000")
        await give(ledger, "1111")
        clock.advance(hours=24)
        assert [await give(ledger, pin) for pin in ("0000", "1111")] == ["wrong", "wrong"]
        assert await give(ledger, "2222") == "locked"

    async def test_leaves_block_and_lost_open(self, ledger: SqlLedger) -> None:
        for pin in ("0000", "1111", "2222"):
            await give(ledger, pin)
        assert (await done(ledger, MAYA, Operation.BLOCK, await card_of(ledger, MAYA))).changed
        assert (await done(ledger, MAYA, Operation.REPORT_LOST, await card_of(ledger, MAYA))).changed

    async def test_of_an_unknown_number_is_wrong_and_audited(self, ledger: SqlLedger) -> None:
        assert await give(ledger, "0000", "+19998887777") == "wrong"
        assert await events(ledger) == ["refused"]


async def test_guesses_sent_to_two_replicas_at_once_are_judged_three_at_most(
    ledger: SqlLedger, target: Target, clock: Clock
) -> None:
    rival = await open_ledger(target, clock)
    guesses = [f"{number:04}" for number in range(10)]
    verdicts = await asyncio.gather(*(give(side, pin) for pin in guesses for side in (ledger, rival)))
    then = await give(rival, PINS[MAYA])
    await rival.close()
    wrong = [row for row in await ledger.audit_trail() if row.entry.event == "pin_wrong" and row.entry.detail["counts"]]
    assert len(wrong) == 3
    assert verdicts.count("locked") >= len(verdicts) - 2 * 3
    assert then == "locked"


async def test_the_demos_locked_pin_stays_locked(ledger: SqlLedger, clock: Clock) -> None:
    clock.advance(hours=100)
    assert await give(ledger, PINS[ELENA], ELENA) == "locked"


async def test_judged_words_are_noted_with_the_wish_but_not_while_locked(ledger: SqlLedger) -> None:
    card = await card_of(ledger, MAYA)
    wish = await ledger.ask("call", MAYA, Operation.UNBLOCK, card, confirm(card))
    for pin, expected in (("0000", "0000"), ("1111", "1111"), ("2222", "2222"), ("3333", "2222")):
        await ledger.prove("call", MAYA, pin, ledger.fingerprint(pin), wish.id)
        (seen,) = (await ledger.view(MAYA, "call")).wishes
        assert seen.judged == ledger.fingerprint(expected)


async def test_no_more_than_two_pins_are_computed_at_a_time(ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    compute, lock, running, most = teller.cards.pin.verify_pin, threading.Lock(), 0, 0

    def counted(pin: str, pepper: bytes, stored: str) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        right = compute(pin, pepper, stored)
        with lock:
            running -= 1
        return right

    monkeypatch.setattr(teller.cards.pin, "verify_pin", counted)
    await asyncio.gather(*(give(ledger, pin, phone) for phone, pin in PINS.items()))
    assert most == 2


async def test_no_pin_is_anywhere_in_the_database(ledger: SqlLedger, target: Target) -> None:
    await give(ledger, "0417")
    await prove(ledger, MAYA)
    for table in ("holder", "pin_attempt", "proof", "pending", "audit", "meta"):
        rows = [value for row in sql(target, f"SELECT * FROM {table}") for value in row if value not in (PINS[MAYA],)]
        assert "0417" not in rows
        assert not any(str(value).count("my pin") for value in rows)


def test_a_fingerprint_needs_the_key() -> None:
    one, two = teller.cards.pin.PinJudge(b"one"), teller.cards.pin.PinJudge(b"two")
    assert one.fingerprint("7305") == one.fingerprint("7305") != two.fingerprint("7305")
    assert one.value_hash(MAYA, "7305") != one.value_hash(TOMAS, "7305")
