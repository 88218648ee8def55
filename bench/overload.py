"""Offer the server three times what it carries: do admitted turns keep their pace, and are the others told at once?

    python -m bench.overload [--seconds 30] [--embedded]

A server process with Nova on the wire (300 ms to the first token, then 80 chunks 25 ms apart) is called at a steady
rate from another process, whatever it answers (an open loop). First a few turns a second; then more at each step until
turns are refused or their p95 is above 1.5 x the unloaded one: the step before is what it carries. Then three times
that, then a few again. The server has the first core for itself where the system lets cores be chosen; the model and
the callers have the others. The CPU of each and the machine's load are in the table. Writes results/overload.md and
.svg. With `--embedded` it answers by quote, and a turn is nothing but CPU: results/overload_embedded.md and .svg.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.overload_callers import Turn
from tests.support.bedrock.client import BedrockWire
from tests.support.server import start_server

PACE = {"chunks": 80, "first_token_ms": 300, "chunk_ms": 25, "times": "forever"}
UNLOADED, GROWTH, TIMES = 3.0, 1.3, 3
MOST_LATE, MOST_REFUSED = 1.5, 0.01
RESULTS = Path(__file__).parent / "results"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Phase:
    """What came of one rate: milliseconds, and cores kept busy."""

    name: str
    rate: float
    turns: list[Turn]
    cpu: dict[str, float]
    load: float

    def told(self, admitted: bool) -> list[Turn]:
        """Return the turns that were admitted, or those that were refused."""
        return [turn for turn in self.turns if (turn.status == 200) is admitted]

    @property
    def first(self) -> float:
        """p95 to the first token of admitted turns."""
        return p95([turn.first_ms for turn in self.told(admitted=True)])

    @property
    def end(self) -> float:
        """p95 to the end of admitted turns."""
        return p95([turn.end_ms for turn in self.told(admitted=True)])

    @property
    def refused_share(self) -> float:
        """Which share was refused."""
        return len(self.told(admitted=False)) / len(self.turns)


@dataclass
class Memory:
    """The resident megabytes of a process, twice a second."""

    pid: int
    seen: list[tuple[float, float]] = field(default_factory=list)
    over: bool = False

    def watch(self) -> None:
        """Look until it is over."""
        began = time.monotonic()
        while not self.over:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text("utf-8").split()[1])
            self.seen.append((time.monotonic() - began, pages * os.sysconf("SC_PAGE_SIZE") / 1e6))
            time.sleep(0.5)


@contextmanager
def on_cores(cores: set[int]) -> Iterator[None]:
    """Let what is started in the block run on these cores alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def p95(values: list[float]) -> float:
    """Return the 95th percentile; 0 where there is nothing."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else sum(values)


def busy(pid: int) -> float:
    """Return the CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def call(name: str, base_url: str, rate: float, seconds: float, pids: dict[str, int]) -> Phase:
    """Offer a rate from a process of its own and return what came of it."""
    before, began = {part: busy(pid) for part, pid in pids.items()}, time.monotonic()
    command = [sys.executable, "-m", "bench.overload_callers", base_url, str(rate), str(seconds)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    took = time.monotonic() - began
    cpu = {part: (busy(pid) - before[part]) / took for part, pid in pids.items()}
    cpu["callers"] = told["cpu"] / took
    phase = Phase(name, rate, [Turn(**turn) for turn in told["turns"]], cpu, os.getloadavg()[0])
    print(line(phase), flush=True)
    return phase


def line(phase: Phase) -> str:
    """Return a phase as a row of the table."""
    admitted, refused = phase.told(admitted=True), phase.told(admitted=False)
    slow = f"{p95([turn.end_ms for turn in refused]):.0f}" if refused else "-"
    cores = " + ".join(f"{phase.cpu[part]:.2f}" for part in ("server", "model", "callers"))
    counts = f"{phase.rate:.1f} | {len(admitted)} | {len(refused)}"
    return f"| {phase.name} | {counts} | {phase.first:.0f} | {phase.end:.0f} | {slow} | {cores} | {phase.load:.1f} |"


def carried(base_url: str, unloaded: Phase, pids: dict[str, int]) -> tuple[float, list[Phase]]:
    """Return the highest rate that is carried, and the steps to it."""
    steps: list[Phase] = []
    rate = UNLOADED
    while True:
        step = call("step", base_url, rate * GROWTH, 10, pids)
        steps.append(step)
        late = max(step.first / unloaded.first, step.end / unloaded.end)
        if late > MOST_LATE or step.refused_share > MOST_REFUSED:
            return rate, steps
        rate *= GROWTH


def report(phases: list[Phase], most: float, memory: Memory, name: str) -> str:
    """Return the table and what follows from it."""
    unloaded, over, after = phases[0], phases[-2], phases[-1]
    refused = over.told(admitted=False)
    polite = sum(turn.status in (429, 503) and turn.retry_after for turn in refused)
    early, late = memory_of(memory, 0.6), memory_of(memory, 1)
    return "\n".join(
        [
            "# Three times what it carries",
            "",
            f"On {os.cpu_count()} cores, the first for the server, the others for model and callers, and both for "
            "whatever else runs.",
            "",
            "| phase | offered a second | admitted | refused | first token p95, ms | end p95, ms | refusal p95, ms "
            "| cores: server + model + callers | load |",
            "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
            *map(line, phases),
            "",
            f"- It carries {most:.1f} turns a second; {over.rate:.1f} were offered: "
            f"{len(over.told(admitted=True))} turns were admitted, {len(refused)} refused.",
            f"- Admitted turns, p95 against the unloaded: first token {over.first / unloaded.first:.2f} x, "
            f"end {over.end / unloaded.end:.2f} x.",
            "- Where others use the machine, the better of both unloaded phases is the fairer measure: against it "
            f"first token {over.first / min(unloaded.first, after.first):.2f} x, "
            f"end {over.end / min(unloaded.end, after.end):.2f} x.",
            f"- Of {len(refused)} refused, {polite} got a 429 or 503 with Retry-After.",
            f"- Memory: {early:.0f} MB in the middle of the overload and {late:.0f} MB at the end.",
            f"- Afterwards: {after.refused_share:.0%} refused, first token {after.first / unloaded.first:.2f} x.",
            "",
            f"![Memory over time]({name}.svg)",
            "",
        ]
    )


def memory_of(memory: Memory, share: float) -> float:
    """Return the megabytes after a share of the time."""
    return memory.seen[int((len(memory.seen) - 1) * share)][1]


def plot(memory: Memory, phases: list[Phase]) -> str:
    """Return memory over time, and p95 of the phases as bars, as SVG."""
    highest, longest = max(mb for _, mb in memory.seen) * 1.1, memory.seen[-1][0]
    points = " ".join(f"{40 + 320 * at / longest:.1f},{250 - 200 * mb / highest:.1f}" for at, mb in memory.seen)
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 300" font-family="sans-serif" font-size="11">',
        f'<text x="40" y="20" font-size="13">server memory, MB (top: {highest:.0f}) over {longest:.0f} s</text>',
        f'<polyline points="{points}" fill="none" stroke="#1f6f5c" stroke-width="2"/>',
        '<text x="420" y="20" font-size="13">first token p95, ms</text>',
    ]
    slowest = max(phase.first for phase in phases)
    for place, phase in enumerate(phases):
        height, x = 200 * phase.first / slowest, 420 + place * 320 / len(phases)
        bar = f'x="{x:.1f}" y="{250 - height:.1f}" width="{240 / len(phases):.1f}" height="{height:.1f}"'
        parts.append(f'<rect {bar} fill="#c9772b"/>')
        parts.append(f'<text x="{x:.1f}" y="{246 - height:.1f}" font-size="9">{phase.first:.0f}</text>')
        parts.append(f'<text x="{x:.1f}" y="264" font-size="8">{phase.rate:.0f}/s</text>')
    return "\n".join([*parts, "</svg>\n"])


def main(seconds: float, *, embedded: bool) -> None:
    """Run all phases and write down what came of them."""
    others = set(range(1, os.cpu_count() or 1)) or {0}
    with on_cores(others), BedrockWire() as wire, tempfile.TemporaryDirectory() as folder:
        wire.script(PACE)
        nova: dict[str, Any] = {"CHAT_MODEL": "amazon.nova-lite-v1:0", **wire.environment()}
        settings = {"CHAT_MODEL": "quote"} if embedded else nova
        with on_cores({0}):
            server, process = start_server(Path(folder), **settings)
        memory = Memory(process.pid)
        watching = threading.Thread(target=memory.watch)
        try:
            pids = {"server": process.pid, "model": wire.pid}
            call("warm-up", server.base_url, UNLOADED, 5, pids)
            watching.start()
            unloaded = call("unloaded", server.base_url, UNLOADED, 15, pids)
            most, steps = carried(server.base_url, unloaded, pids)
            over = call(f"{TIMES} x", server.base_url, most * TIMES, seconds, pids)
            after = call("after", server.base_url, UNLOADED, 10, pids)
        finally:
            memory.over = True
            if watching.is_alive():
                watching.join()
            process.terminate()
            process.communicate(timeout=30)
    phases = [unloaded, *steps, over, after]
    name = "overload_embedded" if embedded else "overload"
    text = report(phases, most, memory, name)
    (RESULTS / f"{name}.md").write_text(text, "utf-8")
    (RESULTS / f"{name}.svg").write_text(plot(memory, phases), "utf-8")
    print(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--embedded", action="store_true")
    options = parser.parse_args()
    main(options.seconds, embedded=options.embedded)
