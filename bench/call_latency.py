"""How long a caller waits: the calls of examples/calls, over HTTP and in real time, against three servers.

    python -m bench.call_latency [--lanes 3]

- control: a server that answers every request at once with one sentence, and does nothing else
- embedded: Teller as it runs without an account
- nova: Teller with Nova, played by the Bedrock of the tests: first token after 350 ms in the median, 800 ms at p95 (a
  lognormal spread, seeded; an assumption, no live account was measured), then a frame every 25 ms

The callers speak at 2.5 words a second and are taken to be done after 0.4 s of silence; replies are spoken fast, since
how long they last is not what is measured. So many calls run at a time, each on a ledger of its own, which is brought
back to its beginning between them, while nobody calls. Writes results/call_latency.md and .svg.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import uvicorn

from graph.lines import fillers
from simulator.call import Line
from simulator.latencies import latencies_of, percentile
from simulator.player import Player
from simulator.plot import strips
from simulator.reading import read_script
from simulator.report import CallReport, RequestRecord, TurnRecord
from simulator.script import Script
from simulator.transport import Http
from tests.support.bedrock.client import BedrockWire
from tests.support.server import ROOT, TELLER, Server, environment, free_port, start_server

RESULTS = Path(__file__).parent / "results"
NOVA = "amazon.nova-lite-v1:0"
MEDIAN_MS, SPREAD, CHUNK_MS = 350, 0.5, 25
VOICE = 12.0
KINDS = ("all turns", "documents", "card, at once", "card, settled first")


def scripts() -> list[Script]:
    """Return the calls, with a voice that is done soon."""
    read = [read_script(file) for file in sorted((ROOT / "examples" / "calls").glob("*.yaml"))]
    speaking = [script for script in read if script.channel == "voice"]
    return [
        script.model_copy(update={"speech": script.speech.model_copy(update={"assistant_words_per_second": VOICE})})
        for script in speaking
    ]


async def play_all(servers: Sequence[Server], reset: Callable[[Server], None]) -> list[CallReport]:
    """Play all calls, one a server at a time."""
    reports: list[CallReport] = []
    waiting = scripts()
    while waiting:
        wave, waiting = waiting[: len(servers)], waiting[len(servers) :]
        await asyncio.gather(*(asyncio.to_thread(reset, server) for server in servers))
        reports += await asyncio.gather(*(play(script, server) for script, server in zip(wave, servers, strict=False)))
        print(f"  {len(reports)} calls", flush=True)
    return reports


async def play(script: Script, server: Server) -> CallReport:
    """Play one call."""
    http = Http(server.base_url)
    try:
        return await Player(script, Line([http, http])).play()
    finally:
        await http.close()


def kind_of(turn: TurnRecord) -> str:
    """Return what a turn was about, by what the server says it did."""
    reply = turn.requests[-1]
    if reply.text.startswith(FILLERS) and "retrieve" not in reply.server_timing:
        return KINDS[3]
    if "retrieve" in reply.server_timing:
        return KINDS[1]
    return KINDS[2] if "card;" in reply.server_timing else "other"


def answer_ms(reply: RequestRecord) -> float | None:
    """Return when the first word came that was no filler."""
    filler = next((line for line in fillers() if reply.text.startswith(line)), "")
    return next((ms for ms, characters in reply.arrivals if characters > len(filler) + 1), None)


def rows(name: str, reports: Sequence[CallReport]) -> Iterator[str]:
    """Yield the lines of the table of waits."""
    turns = [turn for report in reports for turn in report.turns if turn.wait_ms is not None and turn.requests]
    for kind in KINDS:
        these = [turn for turn in turns if kind == KINDS[0] or kind_of(turn) == kind]
        if not these:
            continue
        waits = [turn.wait_ms for turn in these if turn.wait_ms is not None]
        answers = [wait for turn in these if (wait := wait_for_answer(turn)) is not None]
        filled = sum(turn.requests[-1].text.startswith(FILLERS) for turn in these)
        spread = " | ".join(f"{percentile(values, p):.0f}" for values in (waits, answers) for p in (50, 95))
        yield f"| {name} | {kind} | {len(these)} | {spread} | {filled / len(these):.0%} |"


def wait_for_answer(turn: TurnRecord) -> float | None:
    """Return the milliseconds from the end of speech to the first word that is no filler."""
    reply = turn.requests[-1]
    answered = answer_ms(reply)
    if answered is None or turn.wait_ms is None or turn.speech_ended_at is None:
        return None
    return max(turn.wait_ms, (reply.sent_at - turn.speech_ended_at) * 1000 + answered)


def work(name: str, reports: Sequence[CallReport]) -> str:
    """Return the line of the table of requests."""
    requests = [request for report in reports for request in report.requests]
    spent = sum(request.took_ms or 0 for request in requests)
    lost = sum(request.took_ms or 0 for request in requests if request.cancelled)
    found = latencies_of(reports)
    cancelled, share = len(found.cancelled_after), len(found.cancelled_after) / len(requests)
    after = percentile(found.cancelled_after, 50) or 0
    return (
        f"| {name} | {len(requests)} | {cancelled} ({share:.0%}) | {after:.0f} | {lost / max(spent, 1):.0%} | "
        f"{found.unheard} | {found.failed} |"
    )


FILLERS = fillers()


@asynccontextmanager
async def control(lanes: int) -> AsyncIterator[list[Server]]:
    """Run the server that does nothing, in this process."""
    server = uvicorn.Server(uvicorn.Config(_at_once, port=free_port(), log_level="error"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  (uvicorn has no event for it)
        await asyncio.sleep(0.01)
    try:
        yield [Server(f"http://127.0.0.1:{server.config.port}", Path())] * lanes
    finally:
        server.should_exit = True
        await serving


async def _at_once(scope: object, receive: object, send: Callable[[dict[str, object]], object]) -> None:
    frame = {"choices": [{"index": 0, "delta": {"content": "All right."}, "finish_reason": "stop"}]}
    content = f"data: {json.dumps(frame)}\n\ndata: [DONE]\n\n".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})  # type: ignore[misc]
    await send({"type": "http.response.body", "body": content})  # type: ignore[misc]


@contextmanager
def tellers(folder: Path, lanes: int, **settings: str) -> Iterator[list[Server]]:
    """Run so many Tellers, each on a data folder of its own; the sample bank is indexed once."""
    with ExitStack() as stack:
        servers: list[Server] = []
        for lane in range(lanes):
            data_dir = folder / str(lane)
            if servers:
                shutil.copytree(servers[0].data_dir, data_dir, ignore=shutil.ignore_patterns("teller.db*"))
            else:
                data_dir.mkdir(parents=True)
            server, process = start_server(data_dir, RATE_LIMIT_PER_CALLER="", **settings)
            stack.callback(_stop, process)
            servers.append(server)
        yield servers


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait(timeout=30)


def _reset(server: Server) -> None:
    subprocess.run([TELLER, "cards", "reset"], env=environment(server.data_dir), capture_output=True, check=True)


def nova_pace(count: int = 3000) -> list[dict[str, object]]:
    """Return the behaviours of so many answers."""
    chance = random.Random(7)
    first = [MEDIAN_MS * chance.lognormvariate(0, SPREAD) for _ in range(count)]
    return [{"first_token_ms": round(ms, 1), "chunk_ms": CHUNK_MS, "operation": "converse-stream"} for ms in first]


async def main(lanes: int) -> None:
    """Measure, print and write down."""
    found: dict[str, list[CallReport]] = {}
    with tempfile.TemporaryDirectory() as made:
        print("control")
        async with control(lanes) as servers:
            found["control"] = await play_all(servers, lambda _: None)
        print("embedded")
        with tellers(Path(made) / "embedded", lanes, CHAT_MODEL="quote") as servers:
            found["embedded"] = await play_all(servers, _reset)
        print("nova")
        with (
            BedrockWire() as wire,
            tellers(Path(made) / "nova", lanes, CHAT_MODEL=NOVA, **wire.environment()) as servers,
        ):
            wire.script(*nova_pace())
            found["nova"] = await play_all(servers, _reset)
    write_down(found, lanes)


def write_down(found: dict[str, list[CallReport]], lanes: int) -> None:
    """Write the table and the plot."""
    calls = len(found["control"])
    lines = [
        "# How long a caller waits", "",
        f"{calls} calls, {lanes} at a time, on {os.cpu_count()} cores; load at the end {os.getloadavg()[0]:.1f}.",
        "From the end of the caller's speech, the 400 ms of silence included after which the platform sends the",
        "request, to the first word, and to the first word that is no filler; milliseconds.", "",
        "| server | turns | count | first word p50 | p95 | answer p50 | p95 | fillers |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
        *(line for name, reports in found.items() for line in rows(name, reports)), "",
        "| server | requests | cancelled | after, p50 ms | share of all request time | answered, unheard | failed |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(work(name, reports) for name, reports in found.items()), "",
    ]  # fmt: skip
    text = "\n".join(lines)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "call_latency.md").write_text(text, "utf-8")
    waits = {
        f"{name}: {what}": [wait for report in reports for turn in report.turns if (wait := of(turn)) is not None]
        for name, reports in found.items()
        for what, of in (("first word", _wait), ("answer", wait_for_answer))
        if (name, what) != ("control", "answer")
    }
    (RESULTS / "call_latency.svg").write_text(strips("End of speech to the first word", waits), "utf-8")
    print(text)


def _wait(turn: TurnRecord) -> float | None:
    return turn.wait_ms


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lanes", type=int, default=3, help="how many calls at a time")
    asyncio.run(main(parser.parse_args().lanes))
