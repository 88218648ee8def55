"""Chat beside a large upload: how long a turn takes while a document is read and embedded, and without one.

    python bench/uploads.py [--turns 60]

A server process with the sample bank, quote and one client. Turns with and without an upload take turns, so that a busy
machine is busy for both; each upload is a document of some hundred passages that were never embedded. Prints a table
and writes results/uploads.md.
"""

import argparse
import os
import statistics
import tempfile
import threading
import time
from pathlib import Path

import httpx

from tests.support.server import start_server

RESULTS = Path(__file__).parent / "results"
QUESTIONS = (
    "What loan options are available?",
    "What does a wire transfer cost?",
    "How do I open an account?",
    "What interest do savings earn?",
)
ROUNDS = 3
LARGE = 80  # sections of an upload, a passage each


def turn(http: httpx.Client, number: int) -> float:
    """Return the milliseconds of one chat turn."""
    body = {"messages": [{"role": "user", "content": QUESTIONS[number % len(QUESTIONS)]}], "stream": False}
    began = time.perf_counter()
    http.post("/api/chat/completions/", json=body).raise_for_status()
    return (time.perf_counter() - began) * 1000


def document(number: int) -> bytes:
    """Return a text that was never seen before."""
    sections = (f"## Part {n}\n\n" + f"Clause {n} of contract {number} says what is owed. " * 17 for n in range(LARGE))
    return "\n\n".join(sections).encode()


def beside_upload(http: httpx.Client, base_url: str, number: int, turns: int) -> list[float]:
    """Return the milliseconds of turns while an upload is under way; then wait until it has ended."""
    took: list[float] = []
    ended = threading.Event()

    def upload() -> None:
        with httpx.Client(base_url=base_url, timeout=600) as other:
            other.post("/api/documents/upload/", files={"file": (f"large-{number}.md", document(number))})
        ended.set()

    uploading = threading.Thread(target=upload)
    uploading.start()
    time.sleep(0.2)
    while len(took) < turns and not ended.is_set():
        took.append(turn(http, len(took)))
    uploading.join()
    return took


def p95(values: list[float]) -> float:
    """Return what 95 of 100 are below."""
    return sorted(values)[int(len(values) * 0.95)]


def main(turns: int) -> None:
    """Measure, print and keep."""
    alone: list[float] = []
    beside: list[float] = []
    with tempfile.TemporaryDirectory() as place:
        server, process = start_server(Path(place), RATE_LIMIT_PER_CALLER="")
        try:
            with httpx.Client(base_url=server.base_url, timeout=60) as http:
                time.sleep(5)  # the sample bank's sentences
                for number in range(20):
                    turn(http, number)
                for one in range(ROUNDS):
                    alone += [turn(http, number) for number in range(turns)]
                    beside += beside_upload(http, server.base_url, one, turns)
        finally:
            process.terminate()
            process.communicate(timeout=60)
    lines = ["| | turns | p50, ms | p95, ms |", "|---|---:|---:|---:|"]
    for name, values in (("alone", alone), ("beside an upload", beside)):
        lines.append(f"| {name} | {len(values)} | {statistics.median(values):.0f} | {p95(values):.0f} |")
    ratio = f"{statistics.median(beside) / statistics.median(alone):.2f} | {p95(beside) / p95(alone):.2f}"
    lines.append(f"| ratio | | {ratio} |")
    note = (
        f"{ROUNDS} uploads of {LARGE} passages; {os.cpu_count()} cores, load at the end {os.getloadavg()[0]:.1f}."
        " `python bench/uploads.py` makes this page."
    )
    text = "\n".join(["# Chat beside a large upload", "", note, "", *lines, ""])
    (RESULTS / "uploads.md").write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--turns", type=int, default=60)
    main(parser.parse_args().turns)
