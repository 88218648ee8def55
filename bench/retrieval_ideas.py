"""What each idea about ranking gives: the tables' figures and the curves of bench/RETRIEVAL.md, measured anew.

    python -m bench.retrieval_ideas [--cache vectors.db] [--beir NAME CORPUS QUERIES QRELS]...

Dev is what the project holds: the questions of the sample bank and of four small banks of bench/sets/quote_dev, judged
by the reciprocal rank of the first passage that has the answer's words. A BEIR set is judged by recall at 10 of the
right document, a document standing where its best passage stands. Writes results/retrieval_ideas.json and .svg.
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.plot import Curve, plot
from doors.terminal.beir import BeirSet
from teller.knowledge.chunking import chunk
from teller.knowledge.fusion import DEPTH, FIELD_BOOSTS, LEXICAL_WEIGHT, fused
from teller.knowledge.index import Passage
from teller.knowledge.loading import LoadedDocument, load
from teller.knowledge.markdown import read_sections
from teller.knowledge.question import standalone_question
from teller.knowledge.word_index import WordIndex, counted_terms
from teller.knowledge.words import telling_words
from teller.models.embedder import OnnxEmbedder
from teller.models.embedder_pair import EmbedderPair, e5_folder
from teller.models.vector_cache import VectorCache

HERE = Path(__file__).parent
BANK = HERE.parent / "teller" / "knowledge" / "documents"
SETS = HERE / "sets"
SMALL_BANKS = ("clinic", "credit_union", "gym", "library")
WEIGHTS = (0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.5, 0.7, 1.0)

Scores = NDArray[np.float32]
Ranking = Callable[[Scores, Scores], Sequence[int]]


@dataclass(frozen=True)
class Asked:
    """A set: passages, questions, and how well a ranking of passages answers one (1 at best)."""

    name: str
    passages: list[Passage]
    questions: list[str]
    judge: Callable[[int, Sequence[int]], float]


@dataclass
class Measured:
    """A set with its vectors and words, which are the same for every idea."""

    asked: Asked
    cosines: list[Scores]
    words: WordIndex

    def figure(self, rank: Ranking) -> float:
        """Return the mean over all questions."""
        found = []
        for number, question in enumerate(self.asked.questions):
            order = rank(self.cosines[number], self.words.scores(telling_words(question)))
            found.append(self.asked.judge(number, order))
        return round(float(np.mean(found)), 4)


def dev(count_tokens: Callable[[str], int]) -> Asked:
    """Return the questions over the project's own documents that a passage answers."""
    folders = [BANK, *(SETS / "quote_dev" / name for name in SMALL_BANKS)]
    files = [file for folder in folders for file in sorted(folder.iterdir()) if file.suffix in (".md", ".txt", ".html")]
    passages = [p for f in files for p in chunk(load(f.name, f.read_bytes()), "default", count_tokens)]
    cases: list[tuple[str, list[tuple[str, str]]]] = []
    for name in ("answers.jsonl", *(f"quote_dev/{bank}/questions.jsonl" for bank in ("larkfield", *SMALL_BANKS))):
        for row in map(json.loads, (SETS / name).read_text().splitlines()):
            right = [(row["document"], phrase) for phrase in row.get("expect_any") or ()]
            cases.append((standalone_question([*row.get("history", ()), row["question"]]), right))
    for row in map(json.loads, (SETS / "follow_ups.jsonl").read_text().splitlines()):
        right = [(one["document"], one["phrase"]) for one in row["right"]]
        cases.append((standalone_question([row["standalone"]]), right))
    places = [
        {n for n, p in enumerate(passages) if any(p.filename == d and w.lower() in p.text.lower() for d, w in right)}
        for _, right in cases
    ]
    kept = [(question, right) for (question, _), right in zip(cases, places, strict=True) if right]

    def reciprocal_rank(number: int, order: Sequence[int]) -> float:
        return next((1 / rank for rank, place in enumerate(order, 1) if place in kept[number][1]), 0.0)

    return Asked(f"dev, MRR ({len(kept)})", passages, [question for question, _ in kept], reciprocal_rank)


def beir(name: str, given: BeirSet, count_tokens: Callable[[str], int]) -> Asked:
    """Return a BEIR set, cut into passages as `teller eval retrieval` cuts it."""
    passages = []
    for document, (title, text) in given.documents.items():
        loaded = LoadedDocument(document, title, "default", None, None, read_sections(text, title))
        passages += chunk(loaded, "default", count_tokens)
    grades = [given.grades[question] for question in given.questions]

    def recall(number: int, order: Sequence[int]) -> float:
        best = list(dict.fromkeys(passages[place].filename for place in order))[:10]
        return sum(document in best for document in grades[number]) / len(grades[number])

    return Asked(f"{name}, R@10 ({len(grades)})", passages, list(given.questions.values()), recall)


async def measured(asked: Asked, embedder: OnnxEmbedder | EmbedderPair, cache: VectorCache) -> Measured:
    """Embed and count a set."""
    matrix = np.array(await cache.vectors([passage.embedding_text for passage in asked.passages]))
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    questions = [np.asarray(await embedder.aembed_query(text), np.float32) for text in asked.questions]
    words = WordIndex()
    words.append([counted_terms(passage) for passage in asked.passages])
    words.settle(np.ones(len(asked.passages), dtype=np.bool_))
    return Measured(asked, [(matrix @ vector).astype(np.float32) for vector in questions], words)


def best(scores: Scores, depth: int) -> dict[int, float]:
    order = np.argsort(-scores, kind="stable")[:depth]
    return {int(n): float(scores[n]) for n in order if scores[n] > 0}


def ordered(scores: dict[int, float]) -> list[int]:
    return sorted(scores, key=scores.__getitem__, reverse=True)


def min_max(weight: float, depth: int = DEPTH) -> Ranking:
    return lambda cosines, words: ordered(fused([best(cosines, depth), best(words, depth)], [1 - weight, weight]))


def reciprocal_ranks(weight: float) -> Ranking:
    def rank(cosines: Scores, words: Scores) -> list[int]:
        total: dict[int, float] = {}
        for scores, share in ((cosines, 1 - weight), (words, weight)):
            for number, place in enumerate(best(scores, DEPTH), 1):
                total[place] = total.get(place, 0.0) + share / (60 + number)
        return ordered(total)

    return rank


def z_scores(weight: float) -> Ranking:
    def rank(cosines: Scores, words: Scores) -> list[int]:
        total = sum(
            share * (scores - scores.mean()) / (scores.std() or 1.0)
            for scores, share in ((cosines, 1 - weight), (words, weight))
        )
        return [int(n) for n in np.argsort(-np.asarray(total), kind="stable")]

    return rank


@contextmanager
def boosts(title: float, section: float) -> Iterator[None]:
    """Let a word count differently in a title or a section's name."""
    kept = dict(FIELD_BOOSTS)
    FIELD_BOOSTS.update(title=title, section=section)
    try:
        yield
    finally:
        FIELD_BOOSTS.update(kept)


def ideas(sets: Sequence[Measured]) -> dict[str, dict[str, float]]:
    """Return each idea's figure on each set."""

    def figures(rank: Ranking) -> dict[str, float]:
        return {one.asked.name: one.figure(rank) for one in sets}

    found = {"vectors alone": figures(min_max(0)), "words alone": figures(min_max(1))}
    for weight in WEIGHTS[1:-1]:
        found[f"min-max, words {weight}"] = figures(min_max(weight))
        found[f"RRF, words {weight}"] = figures(reciprocal_ranks(weight))
    found["z-scores of all passages, words 0.15"] = figures(z_scores(0.15))
    for depth in (50, 200):
        found[f"min-max, words {LEXICAL_WEIGHT}, depth {depth}"] = figures(min_max(LEXICAL_WEIGHT, depth))
    for title, section in ((0, 0), (1, 1), (2, 2)):
        with boosts(title, section):
            found[f"min-max, words {LEXICAL_WEIGHT}, title and section {title}"] = figures(min_max(LEXICAL_WEIGHT))
    return found


def draw(found: dict[str, dict[str, float]]) -> None:
    """Draw what the weight of words does, for both fusions on every set."""
    curves = []
    for name in found["vectors alone"]:
        for fusion in ("min-max", "RRF"):
            points = [(0.0, found["vectors alone"][name])]
            points += [(weight, found[f"{fusion}, words {weight}"][name]) for weight in WEIGHTS[1:-1]]
            curves.append(Curve(f"{fusion}: {name}", [*points, (1.0, found["words alone"][name])]))
    file = HERE / "results" / "retrieval_ideas.svg"
    plot(file, "How much words count beside meaning", "weight of words", "MRR, R@10", curves, log_x=False, log_y=False)


async def main(cache_file: Path, beir_sets: Sequence[Sequence[str]]) -> None:
    bge = OnnxEmbedder()
    sets = [dev(bge.count_tokens)]
    for name, *files in beir_sets:
        sets.append(beir(name, BeirSet.read(*map(Path, files)), bge.count_tokens))
    cache = await VectorCache.open(cache_file, bge)
    found = ideas([await measured(asked, bge, cache) for asked in sets])
    await cache.close()
    if e5_folder().exists():
        pair = EmbedderPair.with_e5(bge)
        cache = await VectorCache.open(cache_file, pair)
        both = [await measured(asked, pair, cache) for asked in sets]
        await cache.close()
        for label, weight in (("vectors alone", 0.0), (f"min-max, words {LEXICAL_WEIGHT}", LEXICAL_WEIGHT)):
            found[f"bge+e5: {label}"] = {one.asked.name: one.figure(min_max(weight)) for one in both}
    for idea, figures in found.items():
        print(f"| {idea} | " + " | ".join(f"{figure:.3f}" for figure in figures.values()) + " |")
    (HERE / "results" / "retrieval_ideas.json").write_text(json.dumps(found, indent=1) + "\n")
    draw(found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "teller-retrieval-ideas.db")
    parser.add_argument("--beir", nargs=4, action="append", default=[], metavar=("NAME", "CORPUS", "QUERIES", "QRELS"))
    given = parser.parse_args()
    asyncio.run(main(given.cache, given.beir))
