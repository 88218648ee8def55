"""Take in 10,000 short documents, then again with nothing changed, then with one in a hundred changed.

    python -m bench.ingest [--documents 10000] [--opensearch URL]

The first ingest would embed for minutes, so its vectors are one real vector with a little noise, from an embedder that
stands in for ours; what is changed after it is embedded by the real one. Each ingest is a process of its own, so that
its memory is its own. The control, in the same run, is what no ingest can do without: reading every file and hashing
it. Prints a table and writes results/ingest.md, or results/ingest_opensearch.md.
"""

import argparse
import asyncio
import hashlib
import json
import os
import resource
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import numpy as np

from teller.knowledge.choosing import open_index
from teller.knowledge.ingest import Ingester, Progress
from teller.models.embedder import OnnxEmbedder
from teller.models.vector_cache import VectorCache
from teller.settings import Settings

RESULTS = Path(__file__).parent / "results"
ONE_IN = 100
TOPICS = "wire transfer,savings account,gold card,home loan,safe deposit box,overdraft,branch visit".split(",")
STEPS = {
    "first": "first ingest, vectors stood in",
    "unchanged": "again, nothing changed",
    "changed": "again, 1 % changed, 1 % removed, 1 % added",
}


class StandIn(OnnxEmbedder):
    """Vectors near a real one, at no cost."""

    def __init__(self) -> None:
        super().__init__()
        self._base = np.asarray(super().embed_documents(["a fee of the bank"])[0])
        self._noise = np.random.default_rng(7)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[float(x) for x in self._base + self._noise.normal(0, 0.02, len(self._base))] for _ in texts]


class Counting(OnnxEmbedder):
    """The real one, counting."""

    embedded = 0

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.embedded += len(texts)
        return super().embed_documents(texts)


def write(folder: Path, number: int, fee: int) -> None:
    """Write one document of about 60 words."""
    topic = TOPICS[number % len(TOPICS)]
    place = folder / f"{number // 500:03}"
    place.mkdir(parents=True, exist_ok=True)
    (place / f"notice-{number:05}.md").write_text(
        f"---\ntitle: Notice {number} on the {topic}\ncollection: notices\neffective: 2026-01-01\n---\n\n"
        f"## Fee\n\nThe fee of notice {number} for a {topic} is ${fee}. It is taken once a month.\n\n"
        f"## Who pays it\n\nEvery customer with a {topic} pays it, except students and those above sixty-five.\n"
    )


def change(folder: Path, count: int) -> None:
    """Change one document in a hundred, remove another, and add as many."""
    for number in range(0, count, ONE_IN):
        write(folder, number, 999)
        (folder / f"{(number + 1) // 500:03}" / f"notice-{number + 1:05}.md").unlink()
        write(folder, count + number // ONE_IN, 5)


async def ingest(data_dir: Path, folder: Path, first: bool, cluster: str) -> dict[str, float]:
    """Do one ingest in this process and say what it took. `cluster`: its address and an alias; empty: embedded."""
    embedder = StandIn() if first else Counting()
    url, _, alias = cluster.partition(" ")
    given = {"data_dir": data_dir, "opensearch_url": url, "opensearch_index": alias or "none", "_env_file": None}
    index = await open_index(Settings.model_validate(given | {"search_timeout_seconds": 30}), embedder)
    cache = await VectorCache.open(data_dir / "vectors.db", embedder)
    told: list[Progress] = []
    before = resource.getrusage(resource.RUSAGE_SELF)
    began, cpu = time.perf_counter(), time.process_time()
    report = await Ingester(index, cache, embedder.count_tokens).ingest_path(folder, progress=told.append)
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    after = resource.getrusage(resource.RUSAGE_SELF)
    status = await index.status()
    assert status.passages == status.with_vector
    await index.close()
    await cache.close()
    files = [step.files_done for step in told]
    assert files == sorted(files)
    return {
        "seconds": took,
        "cpu": cpu,
        "touched": len(report.added) + len(report.changed) + len(report.removed),
        "embedded": embedder.embedded if isinstance(embedder, Counting) else 0,
        "told": len(told),
        "before_mb": before.ru_maxrss / 1024,
        "peak_mb": after.ru_maxrss / 1024,
    }


def control(folder: Path) -> float:
    """Return the seconds of reading and hashing every file."""
    began = time.perf_counter()
    for file in sorted(folder.rglob("*.md")):
        hashlib.sha256(file.read_bytes()).hexdigest()
    return time.perf_counter() - began


def main(count: int, url: str) -> None:
    """Measure all, print the figures and write them down."""
    alias = f"teller-bench-{secrets.token_hex(4)}" if url else ""
    try:
        measure(count, f"{url} {alias}" if url else "")
    finally:
        if url:
            httpx.delete(f"{url}/{alias}-*", timeout=60)


def measure(count: int, cluster: str) -> None:
    """Do the three ingests, each in a process of its own."""
    with tempfile.TemporaryDirectory() as place:
        data_dir, folder = Path(place) / "data", Path(place) / "documents"
        for number in range(count):
            write(folder, number, number % 50)
        lines = [
            "| | seconds | x control | CPU, s | documents touched | passages embedded | progress told | memory, MB |",
            "|---|---:|---:|---:|---:|---:|---:|---:|",
        ]
        for step, name in STEPS.items():
            if step == "changed":
                change(folder, count)
            bare = min(control(folder) for _ in range(3))
            command = [sys.executable, "-m", "bench.ingest", "--one", step, str(data_dir), str(folder), cluster]
            done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=RESULTS.parents[1])
            one = json.loads(done.stdout)
            memory = f"{one['before_mb']:.0f} to {one['peak_mb']:.0f}"
            took = f"{one['seconds']:.1f} | {one['seconds'] / bare:.1f} | {one['cpu']:.1f}"
            figures = (
                f"{one['touched']:,} | {one['embedded'] or ('stood in' if step == 'first' else 0)} | {one['told']:,}"
            )
            lines.append(f"| {name} | {took} | {figures} | {memory} |")
            print(lines[-1], flush=True)
    where = "on an OpenSearch of one node on the same machine" if cluster else "in the embedded index"
    option = f" --opensearch {cluster.partition(' ')[0]}" if cluster else ""
    note = (
        f"{count:,} documents, {where}; the control, reading and hashing every file, took {bare:.2f} s. On"
        f" {os.cpu_count()} cores; load at the end {os.getloadavg()[0]:.1f}."
        f" `python -m bench.ingest{option}` makes this page."
    )
    text = "\n".join(["# Taking in many documents, and what changed of them", "", note, "", *lines, ""])
    (RESULTS / ("ingest_opensearch.md" if cluster else "ingest.md")).write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--opensearch", default="", metavar="URL", help="measure an index there, which is then removed")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        step, data_dir, folder, cluster = given.one
        print(json.dumps(asyncio.run(ingest(Path(data_dir), Path(folder), step == "first", cluster))))
    else:
        main(given.documents, given.opensearch)
