"""Stream Nova's answers through three clients side by side: ours, plain langchain-aws, and bare aiobotocore.

    python bench/bedrock_streams.py [--runs 5] [--streams 1 20 100 200]

The Bedrock of the tests answers, in a process of its own: 300 ms to the first token, then 80 chunks 25 ms apart. In
each run every number of streams is tried with every client in turn, so that a busy machine is busy for all of them; the
figures are medians over the runs. CPU is this process' alone. Then callers hang up, and the server says when it saw it.
Prints a table and writes results/bedrock_streams.md and .svg.
"""

import argparse
import asyncio
import gc
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

from langchain_aws import ChatBedrockConverse
from langchain_core.language_models import BaseChatModel

from teller.models.bedrock.client import BedrockConnection
from teller.models.bedrock.model import AsyncChatBedrockConverse
from tests.support.bedrock.client import BedrockWire

MODEL = "amazon.nova-lite-v1:0"
FIRST_TOKEN_MS, CHUNKS, CHUNK_MS = 300, 80, 25
SYSTEM, QUESTION = "You answer for a bank, kindly and in one sentence.", "What does a transfer abroad cost?"
RESULTS = Path(__file__).parent / "results"
HANG_UPS, LONGEST_WAIT = 20, 5.0

Stream = Callable[[], Awaitable[tuple[float, int]]]
"""Reads one answer; returns the milliseconds to its first words, and in how many pieces they came."""


@dataclass(frozen=True)
class Measured:
    """One client with so many streams in one run."""

    first_ms: float
    slow_first_ms: float
    cpu_ms: float


def langchain_stream(model: BaseChatModel) -> Stream:
    """Return a stream of a LangChain model."""

    async def stream() -> tuple[float, int]:
        began, first, pieces = time.perf_counter(), 0.0, 0
        async for chunk in model.astream([("system", SYSTEM), ("human", QUESTION)]):
            if chunk.text:
                first, pieces = first or time.perf_counter(), pieces + 1
        return (first - began) * 1000, pieces

    return stream


def raw_stream(client: Any) -> Stream:
    """Return a stream of an aiobotocore client, whose events nobody reads further."""
    request = {
        "modelId": MODEL,
        "system": [{"text": SYSTEM}],
        "messages": [{"role": "user", "content": [{"text": QUESTION}]}],
    }

    async def stream() -> tuple[float, int]:
        began, first, pieces = time.perf_counter(), 0.0, 0
        response = await client.converse_stream(**request)
        async for event in response["stream"]:
            if "contentBlockDelta" in event:
                first, pieces = first or time.perf_counter(), pieces + 1
        return (first - began) * 1000, pieces

    return stream


async def measure(stream: Stream, count: int) -> Measured:
    """Read so many answers at the same time."""
    cpu = time.process_time()
    answers = await asyncio.gather(*(stream() for _ in range(count)))
    cpu = time.process_time() - cpu
    assert all(pieces == CHUNKS for _, pieces in answers)
    firsts = sorted(first for first, _ in answers)
    return Measured(statistics.median(firsts), firsts[int(len(firsts) * 0.95)], cpu * 1000 / (count * CHUNKS))


async def hang_up(stream: Stream, wire: BedrockWire, behaviour: Mapping[str, Any]) -> list[float]:
    """Cancel answers that have stalled; the milliseconds until the server saw each socket closed."""
    waits = []
    for _ in range(HANG_UPS):
        wire.reset()
        wire.script(behaviour)
        task = asyncio.ensure_future(stream())
        await asyncio.sleep(0.15)
        left = time.monotonic()
        task.cancel()
        await asyncio.wait({task})
        try:
            await asyncio.to_thread(wire.wait_for, lambda seen: seen[0].hung_up, LONGEST_WAIT)
        except TimeoutError:
            return [LONGEST_WAIT * 1000]  # it holds on; once is enough
        waits.append((float(wire.requests()[0].closed_at or 0) - left) * 1000)
    return waits


def table(results: Mapping[tuple[str, int], Measured], clients: list[str], counts: list[int]) -> list[str]:
    """Return the figures as a Markdown table."""
    lines = [
        "| streams | client | first token p50, ms | p95, ms | CPU a chunk, ms | first token / raw | CPU / raw |",
        "|---:|---|---:|---:|---:|---:|---:|",
    ]
    for count in counts:
        raw = results["aiobotocore", count]
        for client in clients:
            one = results[client, count]
            ratios = f"{one.first_ms / raw.first_ms:.2f} | {one.cpu_ms / raw.cpu_ms:.2f}"
            times = f"{one.first_ms:.0f} | {one.slow_first_ms:.0f} | {one.cpu_ms:.3f}"
            lines.append(f"| {count} | {client} | {times} | {ratios} |")
    return lines


def plot(results: Mapping[tuple[str, int], Measured], clients: list[str], counts: list[int]) -> str:
    """Return two bar charts as SVG: by hand, as the project has no plotting library."""
    colours = dict(zip(clients, ("#1f6f5c", "#c9772b", "#8a8f98"), strict=True))
    charts = (("first token p50, ms", attrgetter("first_ms")), ("CPU a chunk, ms", attrgetter("cpu_ms")))
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 300" font-family="sans-serif" font-size="11">']
    for place, (title, value) in enumerate(charts):
        left, highest = 20 + place * 380, max(value(one) for one in results.values())
        parts.append(f'<text x="{left}" y="20" font-size="13">{title}</text>')
        for group, count in enumerate(counts):
            parts.append(f'<text x="{left + group * 85}" y="270">{count} streams</text>')
            for bar, client in enumerate(clients):
                amount = value(results[client, count])
                height = max(1.0, 200 * amount / highest)
                x, label = left + group * 85 + bar * 25, f"{amount:.0f}" if amount >= 10 else f"{amount:.2f}"
                parts.append(
                    f'<rect x="{x}" y="{250 - height:.1f}" width="22" height="{height:.1f}" fill="{colours[client]}"/>'
                )
                parts.append(f'<text x="{x}" y="{246 - height:.1f}" font-size="9">{label}</text>')
    for bar, client in enumerate(clients):
        parts.append(f'<rect x="{20 + bar * 160}" y="282" width="10" height="10" fill="{colours[client]}"/>')
        parts.append(f'<text x="{34 + bar * 160}" y="291">{client}</text>')
    return "\n".join([*parts, "</svg>\n"])


def medians(runs: list[Measured]) -> Measured:
    """Return the medians of several runs."""
    names = ("first_ms", "slow_first_ms", "cpu_ms")
    return Measured(*(statistics.median(getattr(run, name) for run in runs) for name in names))


async def main(wire: BedrockWire, runs: int, counts: list[int]) -> None:
    """Measure all, print the figures and write them down."""
    async with BedrockConnection() as connection:
        streams = {
            "ours": langchain_stream(AsyncChatBedrockConverse(model_id=MODEL, connection=connection)),
            "langchain-aws": langchain_stream(ChatBedrockConverse(model_id=MODEL)),
            "aiobotocore": raw_stream((await connection.open()).client),
        }
        names = list(streams)
        pace = {"chunks": CHUNKS, "first_token_ms": FIRST_TOKEN_MS, "chunk_ms": CHUNK_MS, "times": "forever"}
        wire.script(pace)
        await asyncio.gather(*(stream() for stream in streams.values()))  # imports, TLS contexts, endpoint rules
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)  # as server.py does
        seen: dict[tuple[str, int], list[Measured]] = {(name, count): [] for name in names for count in counts}
        for run in range(runs):
            for count in counts:
                for name in names[run % 3 :] + names[: run % 3]:
                    seen[name, count].append(await measure(streams[name], count))
                    print(f"run {run + 1}, {count} x {name}: {seen[name, count][-1]}", flush=True)
        results = {key: medians(values) for key, values in seen.items()}
        lines = [*table(results, names, counts), "", *await hang_ups(streams, wire)]
    RESULTS.mkdir(exist_ok=True)
    note = f"Medians of {runs} runs on {os.cpu_count()} cores; load at the end {os.getloadavg()[0]:.1f}."
    text = "\n".join(["# Nova's streams through three clients", "", note, "", *lines, ""])
    (RESULTS / "bedrock_streams.md").write_text(text, "utf-8")
    (RESULTS / "bedrock_streams.svg").write_text(plot(results, names, counts), "utf-8")
    print(text)


async def hang_ups(streams: Mapping[str, Stream], wire: BedrockWire) -> list[str]:
    """Return as a Markdown table how soon a caller who leaves is gone for Bedrock too."""
    lines = ["| a cancelled stream's socket is closed after, ms | p50 | worst |", "|---|---:|---:|"]
    stalls: dict[str, dict[str, Any]] = {
        "before the first token": {"stall_before_first": True},
        "after it": {"chunks": 80, "stall_after": 5},
    }
    for when, behaviour in stalls.items():
        for name, stream in streams.items():
            waits = await hang_up(stream, wire, behaviour)
            held = "> " if waits == [LONGEST_WAIT * 1000] else ""
            lines.append(f"| {when}: {name} | {held}{statistics.median(waits):.1f} | {held}{max(waits):.1f} |")
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 20, 100, 200])
    given = parser.parse_args()
    with BedrockWire() as started:
        os.environ |= started.environment()
        os.environ.pop("AWS_BEARER_TOKEN_BEDROCK", None)
        asyncio.run(main(started, given.runs, given.streams))
