"""Fit the weights of the embedded answerer, and say how well they hold on documents that they were not fitted to.

    python bench/calibrate_quote.py [--tau CORPUS.jsonl] [--errors]

Each folder of bench/sets/quote_dev holds questions.jsonl and most paraphrased.jsonl (asked as people talk):
`expect_any` or `expect_all` are words that a right answer holds, `expect_not` words that it does not; a question whose
`document` is null has no answer in the documents; `history` or `messages` came before it. The documents stand beside
it, or are the sample bank's (larkfield), or product sheets of the τ-bench corpus (tau, only with --tau);
bench/sets/second_bank and third_bank are two collections more. A collection is judged with weights fitted on all the
others; the last lines are the weights fitted on everything, for fitted_weights.py.
"""

import argparse
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from teller.knowledge.chunking import chunk
from teller.knowledge.index import Passage, Vector
from teller.knowledge.loading import load
from teller.knowledge.question import standalone_question
from teller.models.embedder import OnnxEmbedder
from teller.models.quote.answer_choice import choose
from teller.models.quote.candidates import candidates_of, cells_in_context
from teller.models.quote.everyday_words import plainly
from teller.models.quote.evidence import FOR_EACH, FOR_NONE, Evidence, Numbers, Prepared, weigh
from teller.models.quote.fitted_weights import Weights
from teller.models.quote.sentences import quotables

SETS = Path(__file__).parent / "sets" / "quote_dev"
SAMPLE_BANK = Path(__file__).parent.parent / "teller" / "knowledge" / "documents"
TAU = re.compile(
    r"doc_((?:savings_accounts_(?:silver_account|gold_account|bronze_account)|checking_accounts_(?:light_green|gold_years|"
    r"bluest)_account|credit_cards_(?:silver_rewards_card|gold_rewards_card|ecocard)|everyone_pay_.+))_\d+$"
)
BANKS = ("second_bank", "third_bank")
FILES = ("questions.jsonl", "paraphrased.jsonl")
PASSAGES = 6
SHRINKAGE = 0.005
BOLDNESS = 0.3  # off the bias of "none": the fit alone declines a little too often
STEPS = 700
RATE = 0.08

embedder = OnnxEmbedder()


@dataclass(frozen=True)
class Case:
    """A question of a collection, the evidence for it, and which candidates hold what is expected."""

    collection: str
    asked: dict[str, Any]
    question: str
    evidence: Evidence
    right: Numbers

    def verdict(self, weights: Weights) -> str:
        """Return what becomes of the question: right, declined or wrong."""
        answer = choose(self.evidence, weights)
        if answer is None:
            return "right" if self.asked["document"] is None else "declined"
        held = [_plain(words) in _plain(answer.text) for words in _expected(self.asked)]
        enough = all(held) if "expect_all" in self.asked else any(held)
        spoilt = any(_plain(words) in _plain(answer.text) for words in self.asked.get("expect_not", []))
        return "right" if held and enough and not spoilt else "wrong"


@cache
def vector(text: str, *, query: bool = False) -> Vector:
    """Return a text's vector, computed once."""
    return np.array(embedder.embed_query(text) if query else embedder.embed_documents([text])[0], dtype=np.float32)


def passages_of(collection: str, tau: Path | None) -> Iterator[Passage]:
    """Yield the passages of a collection's documents."""
    if collection == "tau" and tau:
        for line in tau.read_text().splitlines():
            document = json.loads(line)
            if named := TAU.match(document["_id"]):
                title = named[1].replace("credit_cards_", "").replace("_", " ").title()
                text = f"---\ntitle: {title}\n---\n{document['text']}"
                yield from chunk(load(f"{document['_id']}.md", text.encode()), collection, embedder.count_tokens)
        return
    folder = SAMPLE_BANK if collection == "larkfield" else _folder(collection)
    if collection in BANKS:
        folder /= "documents"
    for path in sorted(path for path in folder.iterdir() if path.suffix in {".md", ".txt", ".html"}):
        yield from chunk(load(path.name, path.read_bytes()), collection, embedder.count_tokens)


def cases_of(collection: str, tau: Path | None) -> Iterator[Case]:
    """Yield the questions of a collection with the evidence from the passages nearest to each."""
    passages = list(passages_of(collection, tau))
    matrix = np.stack([vector(passage.embedding_text) for passage in passages])
    files = [_folder(collection) / name for name in FILES]
    lines = [line for file in files if file.is_file() for line in file.read_text().splitlines()]
    for asked in map(json.loads, lines):
        said = [turn["content"] for turn in asked.get("messages", []) if turn["role"] == "user"]
        searched = standalone_question([*asked.get("history", said), asked["question"]])
        question = plainly(searched)
        whole, near = vector(question, query=True), matrix @ vector(searched, query=True)
        nearest = [prepared(passages[i]) for i in np.argsort(-near)[:PASSAGES]]
        evidence = weigh(
            question, whole, vector(question.splitlines()[-1], query=True), [one for one in nearest if one.candidates]
        )
        texts = [_plain(candidate.quotable.text) for candidate in evidence.candidates]
        right = np.array([any(_plain(words) in text for words in _expected(asked)) for text in texts], dtype=float)
        yield Case(collection, asked, question, evidence, right)


def prepared(passage: Passage) -> Prepared:
    """Return a passage with its candidates and their vectors."""
    candidates = candidates_of(passage, quotables(passage))
    texts = [(c.quotable.text, c.quotable.in_context, c.quotable.headings) for c in candidates]
    vectors = np.array([[vector(text) for text in three] for three in texts], dtype=np.float32)
    bare, in_context, headings = vectors.transpose(1, 0, 2) if texts else np.zeros((3, 0, 0), dtype=np.float32)
    cells = cells_in_context(candidates)
    of_cells = np.array([vector(text) for _, text in cells], dtype=np.float32)
    return Prepared(candidates, bare, in_context, headings, of_cells, tuple(row for row, _ in cells))


def fit(cases: Sequence[Case]) -> Weights:
    """Fit a softmax over each question's candidates and "none" by Adam; all right candidates share the credit."""
    each, none, present, wanted = _tensors(cases)
    rows, n = each[present[:, :-1] > 0], len(FOR_EACH)
    mean, spread = rows.mean(0), rows.std(0) + 1e-6
    none_mean, none_spread = none.mean(0), none.std(0) + 1e-6
    none_mean[0], none_spread[0] = 0, 1  # the bias stays as it is
    scaled_each, scaled_none = (each - mean) / spread, (none - none_mean) / none_spread
    shrunk = np.arange(n + len(FOR_NONE)) != n  # all but the bias

    def gradient(weights: Numbers) -> Numbers:
        logits = np.where(present > 0, np.c_[scaled_each @ weights[:n], scaled_none @ weights[n:]], -1e9)
        chance = np.exp(logits - logits.max(1, keepdims=True))
        chance /= chance.sum(1, keepdims=True)
        credit = chance * wanted
        off = chance - credit / (credit.sum(1, keepdims=True) + 1e-12)
        slope = np.r_[np.einsum("ij,ijk->k", off[:, :-1], scaled_each), off[:, -1] @ scaled_none] / len(cases)
        return np.asarray(slope + SHRINKAGE * weights * shrunk)

    fitted = _adam(gradient, len(shrunk))
    w, v = fitted[:n] / spread, fitted[n:] / none_spread
    v[0] += mean @ w - none_mean @ v - BOLDNESS
    return Weights(w, v)


def _tensors(cases: Sequence[Case]) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Return the candidates' numbers padded to one width, those for none, what is no padding, and what is wanted."""
    widest = max(len(case.right) for case in cases)
    each = np.zeros((len(cases), widest, len(FOR_EACH)))
    present = np.zeros((len(cases), widest + 1))
    wanted = np.zeros_like(present)
    for i, case in enumerate(cases):
        n = len(case.right)
        each[i, :n], present[i, :n], present[i, -1] = case.evidence.for_each, 1, 1
        wanted[i, :n], wanted[i, -1] = case.right, not case.right.any()
    return each, np.array([case.evidence.for_none for case in cases]), present, wanted


def _adam(gradient: Callable[[Numbers], Numbers], size: int) -> Numbers:
    weights, first, second = np.zeros(size), np.zeros(size), np.zeros(size)
    for step in range(1, STEPS + 1):
        slope = gradient(weights)
        first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
        weights -= RATE * first / (1 - 0.9**step) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return weights


def collections(tau: Path | None) -> list[str]:
    """Return the names of the collections that can be read."""
    folders = [folder.name for folder in sorted(SETS.iterdir()) if folder.is_dir() and (folder.name != "tau" or tau)]
    return [*folders, *BANKS]


def _folder(collection: str) -> Path:
    return (SETS.parent if collection in BANKS else SETS) / collection


def _expected(asked: dict[str, Any]) -> list[str]:
    return list(asked.get("expect_all") or asked.get("expect_any") or [])


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("\u2019", "'").split())


def main() -> None:
    """Print right, declined and wrong for each held-out collection, then the weights fitted on all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tau", type=Path, help="corpus.jsonl of the τ-bench banking documents")
    parser.add_argument("--errors", action="store_true", help="show what was not right")
    options = parser.parse_args()
    names = collections(options.tau)
    cases = [case for name in names for case in cases_of(name, options.tau)]
    total: Counter[str] = Counter()
    for name in names:
        weights = fit([case for case in cases if case.collection != name])
        tally: Counter[str] = Counter()
        for case in (case for case in cases if case.collection == name):
            verdict = case.verdict(weights)
            tally[("no answer: " if case.asked["document"] is None else "answer: ") + verdict] += 1
            if options.errors and verdict != "right":
                answer = choose(case.evidence, weights)
                print(f"  {verdict}: {case.question!r} -> {answer.text if answer else None!r}")
        total += tally
        print(f"{name:14}", dict(sorted(tally.items())))
    print(f"{'all':14}", dict(sorted(total.items())))
    everything = fit(cases)
    for title, features, values in (("each", FOR_EACH, everything.each), ("none", FOR_NONE, everything.none)):
        print(title, dict(zip(features, values.round(2).tolist(), strict=True)))


if __name__ == "__main__":
    main()
