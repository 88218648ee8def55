"""What the ledger costs: python -m bench.ledger [SECONDS]

For SQLite (a file in the temporary folder, synchronous=FULL) and a real PostgreSQL (fsync on, on this machine), with 1,
8 and 32 callers in one process, each with a card of its own: status reads a second and their p95; blocks and the writes
that take them back, a second, and the p95 of a block. Then the read before a turn beside a bare aiosqlite read of the
same card: same file, same run, one caller.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import aiosqlite
from sqlalchemy import insert

from teller.cards.demo import seed_if_empty
from teller.cards.records import Operation
from teller.cards.schema import card, holder
from teller.cards.sql_ledger import SqlLedger
from teller.cards.transaction import Write
from tests.support.postgres import Postgres, find_binaries

CALLERS = (1, 8, 32)
SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
ROWS = 1_000


def phone(number: int) -> str:
    return f"+1555000{number:04}"


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "teller.db"
        await measure("SQLite", file)
        await compare_with_bare_read(file)
    binaries = find_binaries()
    if binaries is None:
        print("PostgreSQL can't be had here")
        return
    server = Postgres(binaries, fsync="on")
    try:
        await measure("PostgreSQL", server.create())
    finally:
        server.remove()


async def measure(name: str, target: Path | str) -> None:
    ledger = await open_filled(target)
    print(f"\n{name:11} callers | reads/s  p50 ms  p95 ms | writes/s  block p50 ms  p95 ms")
    for callers in CALLERS:
        reads = await run(callers, lambda number: ledger.view(phone(number), "call"))
        blocks = await run(callers, lambda number: block_and_undo(ledger, number))
        print(
            f"{'':11} {callers:7} | {rate(reads):7.0f} {quantile(reads, 0.5):7.2f} {quantile(reads, 0.95):7.2f} |"
            f" {2 * rate(blocks):8.0f} {quantile(blocks, 0.5):13.2f} {quantile(blocks, 0.95):7.2f}"
        )
    await ledger.close()


async def open_filled(target: Path | str) -> SqlLedger:
    """A ledger with the demo and a thousand holders of one card each."""
    ledger = await SqlLedger.open(target, audit_key=b"bench", pepper=b"bench", clock=lambda: datetime.now(UTC))
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


async def run(callers: int, work: Callable[[int], Awaitable[object]]) -> list[float]:
    """Let so many callers do it over and over; return how long each time took (or what it says it took)."""
    end = time.perf_counter() + SECONDS
    times: list[float] = []

    async def caller(number: int) -> None:
        while time.perf_counter() < end:
            began = time.perf_counter()
            told = await work(number)
            times.append(told if isinstance(told, float) else time.perf_counter() - began)

    await asyncio.gather(*(caller(number) for number in range(callers)))
    return sorted(times)


async def compare_with_bare_read(file: Path) -> None:
    ledger = await SqlLedger.open(file, audit_key=b"bench", pepper=b"bench", clock=lambda: datetime.now(UTC))
    bare: list[float] = []
    turn: list[float] = []
    async with aiosqlite.connect(file) as connection:

        async def read(number: int) -> None:
            async with connection.execute("SELECT * FROM card WHERE phone = ?", (phone(number),)) as cursor:
                await cursor.fetchall()

        for _ in range(4):  # in turns, so that a busy moment falls on both
            bare += await run_some(read)
            turn += await run_some(lambda number: ledger.view(phone(number), "a new call"))
    one, other = quantile(sorted(bare), 0.5), quantile(sorted(turn), 0.5)
    print(f"\nread before a turn {other:.2f} ms, bare aiosqlite read {one:.2f} ms: {other / one:.1f} times (p50)")
    await ledger.close()


async def run_some(work: Callable[[int], Awaitable[object]]) -> list[float]:
    times = []
    for number in range(500):
        began = time.perf_counter()
        await work(number)
        times.append(time.perf_counter() - began)
    return times


def rate(times: list[float]) -> float:
    return len(times) / SECONDS


def quantile(times: list[float], part: float) -> float:
    return times[int(len(times) * part)] * 1_000


if __name__ == "__main__":
    asyncio.run(main())
