"""How fast the index finds as it grows, beside a bare tantivy + NumPy search of the same data in the same run.

    uv sync --group bench && python -m bench.search_speed [--opensearch URL] [--sizes 1000 10000 50000]

The passages are the sample bank's, varied: other amounts and words out of order, vectors perturbed. The queries are the
questions of bench/sets/answers.jsonl with their vectors made before, so that only the search is timed. Writes
bench/results/search_speed.json and .svg; bench/RETRIEVAL.md has what they show.
"""

import argparse
import asyncio
import json
import os
import random
import re
import resource
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter

# The control's matrix product on two cores that others use waits for both, and spins meanwhile: 95 ms instead of 2 at
# 10,000 passages, and all that runs beside it is slower too.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import tantivy

from bench.plot import Curve, plot
from bench.scratch_index import merged, scratch_index
from teller.knowledge.chunking import chunk, document_id
from teller.knowledge.embedded import EmbeddedIndex
from teller.knowledge.fusion import DEPTH, LEXICAL_WEIGHT, VECTOR_WEIGHT, fused
from teller.knowledge.index import DocumentInfo, KnowledgeIndex, Passage, Upsert, Vector
from teller.knowledge.loading import load
from teller.knowledge.words import telling_words
from teller.models.embedder import OnnxEmbedder

HERE = Path(__file__).parent
DOCUMENTS = HERE.parent / "teller" / "knowledge" / "documents"
QUESTIONS = HERE / "sets" / "answers.jsonl"
TODAY = date(2026, 6, 1)
A_DOCUMENT = 8  # passages
A_WRITE = 50  # documents
LIMIT = 6
TURNS = 5

Search = Callable[[str, Vector], Awaitable[list[str]]]


def originals(embedder: OnnxEmbedder) -> list[tuple[Passage, Vector]]:
    files = [load(file.name, file.read_bytes()) for file in sorted(DOCUMENTS.glob("*.md"))]
    passages = [one for file in files for one in chunk(file, "default", embedder.count_tokens)]
    vectors = embedder.embed_documents([passage.embedding_text for passage in passages])
    return [(one, np.asarray(vector, np.float32)) for one, vector in zip(passages, vectors, strict=True)]


def varied(made: Sequence[tuple[Passage, Vector]], count: int, seed: int) -> list[Upsert]:
    """Return documents of eight passages each, `count` passages in all."""
    chance, noise = random.Random(seed), np.random.default_rng(seed)
    documents = []
    for number in range(count // A_DOCUMENT):
        chosen = [chance.choice(made) for _ in range(A_DOCUMENT)]
        filename = f"{number:06}.md"
        identity = document_id("default", filename)
        passages, vectors = [], []
        for place, (passage, vector) in enumerate(chosen):
            text = re.sub(r"\d+", lambda _: str(chance.randrange(10_000)), passage.text).split(" ")
            chance.shuffle(text)
            name = f"{identity}-{place}"
            passages.append(
                replace(passage, passage_id=name, document_id=identity, filename=filename, text=" ".join(text))
            )
            moved = vector + noise.normal(0, 0.02, len(vector)).astype(np.float32)
            vectors.append((moved / np.linalg.norm(moved)).astype(np.float32))
        uploaded = datetime(2026, 1, 1, tzinfo=UTC)
        info = DocumentInfo(identity, filename, "T", "default", len(passages), "h", None, None, uploaded)
        documents.append(Upsert(info, passages, vectors))
    return documents


def bare(documents: Sequence[Upsert]) -> Search:
    """Return the control: tantivy's BM25 and one matrix product, fused by the same function; nothing else is done."""
    schema = tantivy.SchemaBuilder()
    for field in ("title", "section", "text"):
        schema.add_text_field(field, tokenizer_name="en_stem")
    schema.add_unsigned_field("place", stored=True)
    index = tantivy.Index(schema.build())
    writer = index.writer(heap_size=200_000_000, num_threads=1)
    passages = [passage for _, some, _ in documents for passage in some]
    for place, one in enumerate(passages):
        writer.add_document(tantivy.Document(title=one.title, section=one.section, text=one.text, place=place))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()
    matrix = np.array([vector for _, _, some in documents for vector in some or ()])

    def search(question: str, vector: Vector) -> list[str]:
        asked = index.parse_query(" ".join(telling_words(question)), ["title", "section", "text"])
        hits = searcher.search(asked, DEPTH).hits
        words = {int(searcher.doc(address)["place"][0]): score for score, address in hits}
        cosines = matrix @ vector
        best = np.argpartition(-cosines, DEPTH)[:DEPTH]
        scores = fused([{int(n): float(cosines[n]) for n in best}, words], [VECTOR_WEIGHT, LEXICAL_WEIGHT])
        return [passages[n].passage_id for n in sorted(scores, key=scores.__getitem__, reverse=True)[:LIMIT]]

    async def in_a_thread(question: str, vector: Vector) -> list[str]:
        return await asyncio.to_thread(search, question, vector)

    return in_a_thread


def through(index: KnowledgeIndex) -> Search:
    async def search(question: str, vector: Vector) -> list[str]:
        return [one.passage_id for one in await index.search(question, vector, on=TODAY, limit=LIMIT)]

    return search


async def timed(searches: dict[str, Search], questions: list[tuple[str, Vector]]) -> dict[str, dict[str, float]]:
    """Ask every question of each search in turn, so that a busy machine is busy for all of them."""
    taken: dict[str, list[float]] = {name: [] for name in searches}
    for search in searches.values():
        await search(*questions[0])
    for _ in range(TURNS):
        for question in questions:
            for name, search in searches.items():
                began = perf_counter()
                await search(*question)
                taken[name].append((perf_counter() - began) * 1000)
    return {
        name: {f"p{at}_ms": round(float(np.percentile(times, at)), 2) for at in (50, 95)}
        for name, times in taken.items()
    }


async def fill(index: KnowledgeIndex, documents: Sequence[Upsert]) -> float:
    began = perf_counter()
    for start in range(0, len(documents), A_WRITE):
        await index.upsert_all(documents[start : start + A_WRITE])
    return perf_counter() - began


async def one_size(
    size: int, embedder: OnnxEmbedder, questions: list[tuple[str, Vector]], url: str, folder: Path
) -> dict[str, object]:
    made = originals(embedder)
    documents = varied(made, size, seed=7)
    file = folder / f"{size}.db"
    index = await EmbeddedIndex.open(file, embedder.name, embedder.dimension)
    filled = await fill(index, documents)
    await index.close()
    index = await EmbeddedIndex.open(file, embedder.name, embedder.dimension)
    began = perf_counter()
    await index.search(*questions[0], on=TODAY)
    loaded = perf_counter() - began
    searches = {"embedded": through(index), "tantivy + NumPy": bare(documents)}
    async with AsyncExitStack() as stack:
        if url:
            cluster, alias = await stack.enter_async_context(scratch_index(url, embedder))
            await fill(cluster, documents)
            await merged(url, alias)
            searches["OpenSearch"] = through(cluster)
        result: dict[str, object] = {"passages": size, **await timed(searches, questions)}
    after = []
    for upload in varied(made, 20 * A_DOCUMENT, seed=8):  # one of eight passages takes the place of another
        await index.upsert(*upload)
        began = perf_counter()
        await index.search(*questions[0], on=TODAY)
        after.append((perf_counter() - began) * 1000)
    result["first_search_after_an_upload_ms"] = round(float(np.median(after)), 2)
    result["load_average"] = round(os.getloadavg()[0], 1)
    result["load_s"], result["fill_s"] = round(loaded, 2), round(filled, 1)
    result["file_mb"] = round(file.stat().st_size / 1e6)
    result["peak_rss_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)
    await index.close()
    return result


async def main(sizes: list[int], url: str) -> None:
    embedder = OnnxEmbedder()
    texts = [json.loads(line)["question"] for line in QUESTIONS.read_text().splitlines()]
    questions = [(text, np.asarray(embedder.embed_query(text), np.float32)) for text in texts]
    results: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            results.append(await one_size(size, embedder, questions, url, Path(folder)))
            print(json.dumps(results[-1]), flush=True)
            write(results)


def write(results: list[dict[str, object]]) -> None:
    (HERE / "results" / "search_speed.json").write_text(json.dumps(results, indent=1) + "\n")
    kinds = [name for name, value in results[0].items() if isinstance(value, dict)]
    curves = [
        Curve(f"{kind}, {at}", [(float(str(one["passages"])), one[kind][f"{at}_ms"]) for one in results])  # type: ignore[index]
        for kind in kinds
        for at in ("p50", "p95")
    ]
    plot(HERE / "results" / "search_speed.svg", "A search, by passages in the index", "passages", "ms", curves)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--opensearch", default="", metavar="URL", help="measure a cluster too")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 50_000])
    given = parser.parse_args()
    asyncio.run(main(given.sizes, given.opensearch))
