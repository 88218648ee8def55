"""What the ledger costs: python -m bench.ledger [--seconds 3] [--trail 1000000]

For SQLite (a file in the temporary folder, synchronous=FULL) and a real PostgreSQL (fsync on, on this machine), with 1,
8 and 32 callers in one process, each with a card of its own: status reads a second and their p95; blocks and the writes
that take them back, a second, and the p95 of a block. Then the read before a turn beside a bare aiosqlite read of the
same card: same file, same run, one caller. Last, a check of a long audit trail: its time, and the memory it takes.

Prints tables and writes results/ledger.md and .svg.
"""

import argparse
import asyncio
import os
import tempfile
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiosqlite
from sqlalchemy import insert

from bench.ledger_report import plot, report
from teller.cards.audit import AuditEntry, ChainCheck, Detail, sealed
from teller.cards.demo import seed_if_empty
from teller.cards.records import Operation
from teller.cards.rows import audit_values
from teller.cards.schema import audit, card, holder
from teller.cards.sql_ledger import SqlLedger
from teller.cards.transaction import Write
from tests.support.postgres import Postgres, find_binaries

CALLERS = (1, 8, 32)
ROWS = 1_000
KEY = b"bench"
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Measured:
    """One database with so many callers; times in milliseconds."""

    reads: float
    read_p50: float
    read_p95: float
    writes: float
    block_p50: float
    block_p95: float


def phone(number: int) -> str:
    return f"+1555000{number:04}"


async def main(seconds: float, trail: int) -> None:
    """Measure all, print the figures and write them down."""
    results: dict[tuple[str, int], Measured] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "teller.db"
        results |= await measure("SQLite", file, seconds)
        notes = [await compare_with_bare_read(file)]
        notes.append(await check_long_trail(Path(folder) / "trail.db", trail))
    if binaries := find_binaries():
        server = Postgres(binaries, fsync="on")
        try:
            results |= await measure("PostgreSQL", server.create(), seconds)
        finally:
            server.remove()
    setting = f"{os.cpu_count()} cores, {seconds:.0f} s a figure; load at the end {os.getloadavg()[0]:.1f}."
    text = report(results, setting, notes)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "ledger.md").write_text(text, "utf-8")
    (RESULTS / "ledger.svg").write_text(plot(results), "utf-8")
    print(text)


async def measure(name: str, target: Path | str, seconds: float) -> Mapping[tuple[str, int], Measured]:
    ledger = await open_filled(target)
    results = {}
    for callers in CALLERS:
        reads = await run(callers, seconds, lambda number: ledger.view(phone(number), "call"))
        blocks = await run(callers, seconds, lambda number: block_and_undo(ledger, number))
        results[name, callers] = Measured(
            len(reads) / seconds,
            quantile(reads, 0.5),
            quantile(reads, 0.95),
            2 * len(blocks) / seconds,
            quantile(blocks, 0.5),
            quantile(blocks, 0.95),
        )
        print(name, callers, results[name, callers], flush=True)
    await ledger.close()
    return results


async def open_filled(target: Path | str) -> SqlLedger:
    """A ledger with the demo and a thousand holders of one card each."""
    ledger = await SqlLedger.open(target, audit_key=KEY, pepper=b"bench", clock=lambda: datetime.now(UTC))
    await seed_if_empty(ledger, b"bench")

    async def fill(write: Write) -> None:
        people = [
            {"phone": phone(n), "name": "B", "position": n + 10, "pin_hash": "-", "pin_locked": False, "writes": 0}
            for n in range(ROWS)
        ]
        maya = dict((await write.connection.execute(card.select().where(card.c.token == "demo-1881"))).mappings().one())
        cards = [maya | {"token": f"bench-{n}", "phone": phone(n), "position": 0} for n in range(ROWS)]
        await write.connection.execute(insert(holder), people)
        await write.connection.execute(insert(card), cards)
        await write.audit("seeded")

    await ledger.write(fill)
    return ledger


async def block_and_undo(ledger: SqlLedger, number: int) -> float:
    """Block a card, return how long that took, and take it back (not timed)."""
    view = await ledger.view(phone(number), None)
    assert view.holder is not None
    began = time.perf_counter()
    record = await ledger.commit_direct("call", phone(number), Operation.BLOCK, view.holder.cards[0])
    took = time.perf_counter() - began
    assert record is not None
    await ledger.undo(record.wish_id)
    return took


async def run(callers: int, seconds: float, work: Callable[[int], Awaitable[object]]) -> list[float]:
    """Let so many callers do it over and over; return how long each time took (or what it says it took)."""
    end = time.perf_counter() + seconds
    times: list[float] = []

    async def caller(number: int) -> None:
        while time.perf_counter() < end:
            began = time.perf_counter()
            told = await work(number)
            times.append(told if isinstance(told, float) else time.perf_counter() - began)

    await asyncio.gather(*(caller(number) for number in range(callers)))
    return sorted(times)


async def compare_with_bare_read(file: Path) -> str:
    ledger = await SqlLedger.open(file, audit_key=KEY, pepper=b"bench", clock=lambda: datetime.now(UTC))
    bare: list[float] = []
    turn: list[float] = []
    async with aiosqlite.connect(file) as connection:

        async def read(number: int) -> None:
            async with connection.execute("SELECT * FROM card WHERE phone = ?", (phone(number),)) as cursor:
                await cursor.fetchall()

        for _ in range(4):  # in turns, so that a busy moment falls on both
            bare += await run_some(read)
            turn += await run_some(lambda number: ledger.view(phone(number), "a new call"))
    await ledger.close()
    bare.sort()
    turn.sort()
    parts = []
    for name, part in (("p50", 0.5), ("p95", 0.95)):
        one, other = quantile(bare, part), quantile(turn, part)
        parts.append(f"{name} {other:.2f} ms, bare {one:.2f} ms, {other / one:.1f} times")
    return f"The read before a turn beside a bare aiosqlite read of the same card: {'; '.join(parts)}."


async def check_long_trail(file: Path, rows: int) -> str:
    """Write a trail of so many rows and follow it, as `teller cards audit --verify` does."""
    ledger = await SqlLedger.open(file, audit_key=KEY, pepper=KEY, clock=lambda: datetime.now(UTC))
    mac, at = "0" * 64, datetime.now(UTC)
    detail: Detail = {"operation": "block", "last4": "1881", "state": "blocked", "version": 2, "changed": True}
    for first in range(1, rows + 1, 10_000):
        batch = []
        for seq in range(first, min(first + 10_000, rows + 1)):
            row = sealed(AuditEntry(seq, at, "committed", "0" * 16, "0" * 32, detail), mac, KEY)
            batch.append(audit_values(row))
            mac = row.mac
        await ledger.write(lambda write, batch=batch: write.connection.execute(insert(audit), batch))  # type: ignore[misc]
    cpu = time.process_time()
    took, _ = await follow(ledger, rows)
    cpu = time.process_time() - cpu
    tracemalloc.start()
    _, peak = await follow(ledger, rows)
    tracemalloc.stop()
    await ledger.close()
    return f"`teller cards audit --verify` of {rows:,} rows: {took:.0f} s, {cpu:.0f} s of them computing; {peak} MB."


async def follow(ledger: SqlLedger, rows: int) -> tuple[float, int]:
    check = ChainCheck(KEY)
    began = time.perf_counter()
    async for batch in ledger.audit_batches():
        check.follow(batch)
        if tracemalloc.is_tracing() and check.rows >= 50_000:
            break
    assert check.broken is None
    assert tracemalloc.is_tracing() or check.rows == rows
    return time.perf_counter() - began, tracemalloc.get_traced_memory()[1] // 1_000_000


async def run_some(work: Callable[[int], Awaitable[object]]) -> list[float]:
    times = []
    for number in range(500):
        began = time.perf_counter()
        await work(number)
        times.append(time.perf_counter() - began)
    return times


def quantile(times: list[float], part: float) -> float:
    return times[int(len(times) * part)] * 1_000


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--trail", type=int, default=1_000_000)
    options = parser.parse_args()
    asyncio.run(main(options.seconds, options.trail))
