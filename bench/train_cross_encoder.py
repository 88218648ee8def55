"""Train the cross-encoder that reads quote's likeliest sentences, on bench/sets: an hour on two cores.

    python -m bench.train_cross_encoder all-minilm-l6-v2.onnx [--out FILE]

Needs the group `training` (`uv sync --group training`). Of each question it reads its right candidates and some of
those that the evidence takes for likely, and learns by a softmax over these and "none of them", as in "Rethink Training
of BERT Rerankers" (Gao et al., ECIR 2021); where a table row answers also the row's cells. What is held out is not
read; `bench.calibrate_quote` judges on it.
"""

import argparse
import asyncio
import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from tokenizers import Tokenizer

from bench.cross_encoder_file import load, save
from bench.quote_cases import Case, cases_of, collections, expected_of, plain
from teller.models.cross_encoder import MODEL_FOLDER, open_tokenizer, pair_of
from teller.models.quote.answer_choice import logits
from teller.models.quote.candidates import cells_in_context
from teller.models.quote.close_reading import as_read
from teller.models.quote.table_rows import told

EPOCHS = 2
QUESTIONS_A_STEP = 10
_TEXTS = 5  # that are read of a question
_HARD = 10  # of so many of the likeliest wrong ones some are read
_AT_ONCE = 25  # texts of like length that go through the network together
_RATE, _RATE_OF_HEAD = 6e-5, 5e-4
_WARM_UP = 0.06  # share of the steps in which the rates rise; then they fall to nothing
_HAS_BFLOAT16 = torch.backends.cpu.get_cpu_capability() not in ("DEFAULT", "AVX2")  # others compute it 20 x slower
_console = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the texts that might answer it, the likeliest first, and which of them do."""

    text: str
    candidates: tuple[str, ...]
    right: tuple[bool, ...]

    @classmethod
    def of(cls, case: Case) -> "Question":
        """Return a case as what is read of it."""
        order = np.argsort(-logits(case.evidence), kind="stable")
        texts = [candidate.quotable.in_context for candidate in case.evidence.candidates]
        right = case.right > 0 if case.asked["document"] else np.zeros(len(texts), dtype=bool)
        return cls(
            as_read(case.question, case.evidence), tuple(texts[i] for i in order), tuple(bool(right[i]) for i in order)
        )

    @classmethod
    def of_cells(cls, case: Case) -> "Question | None":
        """Return the question which cell of the right table row is asked for; None where none or all of them are."""
        rows = [candidate for candidate, is_right in zip(case.evidence.candidates, case.right, strict=True) if is_right]
        row = next((row for row in rows if len(row.quotable.cells) > 2), None)
        if row is None or case.asked["document"] is None:
            return None
        name = plain(told(row.quotable.cells[:1]))
        values = [words for words in expected_of(case.asked) if words not in name]
        right = tuple(any(words in plain(value) for words in values) for _, value in row.quotable.cells[1:])
        texts = tuple(text for _, text in cells_in_context([row]))
        return cls(as_read(case.question, case.evidence), texts, right) if any(right) and not all(right) else None

    def some(self, chance: random.Random) -> tuple[list[str], list[bool]]:
        """Return up to two right texts and others for them to be told from, and which are right."""
        right = [i for i, is_right in enumerate(self.right) if is_right]
        right = chance.sample(right, min(2, len(right)))
        wrong = [i for i, is_right in enumerate(self.right) if not is_right]
        hard = chance.sample(wrong[:_HARD], min(_TEXTS - len(right) - 1, len(wrong[:_HARD])))
        easy = [i for i in wrong if i not in hard]
        picked = [*right, *hard, *(chance.sample(easy, 1) if easy else [])]
        return [self.candidates[i] for i in picked], [self.right[i] for i in picked]


class Trainer:
    """The network, what "none of them" scores, and how both are moved."""

    def __init__(self, base: Path, steps: int) -> None:
        self.network = load(base)
        self.none = torch.nn.Parameter(torch.zeros(1))
        self._tokenizer: Tokenizer = open_tokenizer()
        # A word keeps its vector: few of the words are in the questions, and the rest should not move away from them.
        self.network.bert.embeddings.word_embeddings.weight.requires_grad = False
        head = [*self.network.bert.pooler.parameters(), *self.network.classifier.parameters(), self.none]
        body = [*self.network.bert.embeddings.parameters(), *self.network.bert.encoder.parameters()]
        self._moved = [one for one in (*body, *head) if one.requires_grad]
        groups = [
            {"params": [one for one in body if one.requires_grad], "lr": _RATE, "weight_decay": 0.01},
            {"params": head, "lr": _RATE_OF_HEAD, "weight_decay": 0.0},
        ]
        self._walk = torch.optim.AdamW(groups, fused=True)
        warm = _WARM_UP * steps
        self._rates = torch.optim.lr_scheduler.LambdaLR(
            self._walk, lambda step: min((step + 1) / warm, max(0.0, (steps - step) / (steps - warm)))
        )

    def step(self, questions: Sequence[Question], chance: random.Random) -> float:
        """Learn from some questions; return the mean loss on them."""
        self.network.train()
        picked = [question.some(chance) for question in questions]
        pairs = [(one.text, text) for one, (texts, _) in zip(questions, picked, strict=True) for text in texts]
        scores = iter(self._scores(pairs).split([len(texts) for texts, _ in picked]))
        loss = sum(self._loss(next(scores), right) for _, right in picked) / len(picked)
        self._walk.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._moved, 1.0)
        self._walk.step()
        self._rates.step()
        return float(loss.detach())

    def _loss(self, scores: Any, right: Sequence[bool]) -> Any:
        with_none = torch.cat([scores, self.none])
        is_right = torch.tensor([*right, not any(right)])
        return torch.logsumexp(with_none, 0) - torch.logsumexp(with_none[is_right], 0)

    def _scores(self, pairs: Sequence[tuple[str, str]]) -> Any:
        """Return the scores of pairs; those of like length are read together, so that little is padding."""
        order = sorted(range(len(pairs)), key=lambda i: len(pairs[i][0]) + len(pairs[i][1]))
        parts = [order[start : start + _AT_ONCE] for start in range(0, len(order), _AT_ONCE)]
        scores = torch.cat([self._read([pairs[i] for i in part]) for part in parts])
        return scores[torch.argsort(torch.tensor(order))]

    def _read(self, pairs: Sequence[tuple[str, str]]) -> Any:
        read = [pair_of(self._tokenizer, *pair) for pair in pairs]
        widest = max(len(tokens) for tokens, _ in read)
        feeds = {
            "input_ids": torch.tensor([tokens + [0] * (widest - len(tokens)) for tokens, _ in read]),
            "attention_mask": torch.tensor([[1] * len(tokens) + [0] * (widest - len(tokens)) for tokens, _ in read]),
            "token_type_ids": torch.tensor([types + [0] * (widest - len(types)) for _, types in read]),
        }
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=_HAS_BFLOAT16):
            return self.network(**feeds).logits[:, 0].float()


def batches(questions: list[Question], chance: random.Random) -> Iterator[list[Question]]:
    """Yield the questions of all epochs, some at a time, in a new order in each."""
    for _ in range(EPOCHS):
        chance.shuffle(questions)
        whole = len(questions) - len(questions) % QUESTIONS_A_STEP
        yield from (questions[start : start + QUESTIONS_A_STEP] for start in range(0, whole, QUESTIONS_A_STEP))


def main() -> None:
    """Read the questions, train, write the file, and print its sha256 for cross_encoder.py."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path, help="all-MiniLM-L6-v2 as ONNX, in float")
    parser.add_argument("--out", type=Path, default=MODEL_FOLDER / "model.onnx")
    options = parser.parse_args()
    torch.manual_seed(0)
    chance = random.Random(0)
    folders = track(collections().values(), "reading", console=_console, transient=True)
    cases = [case for folder in folders for case in asyncio.run(cases_of(folder))]
    of_cells = [question for question in map(Question.of_cells, cases) if question]
    # Where the documents hold an answer that the passages found do not, there is nothing to learn.
    questions = [Question.of(case) for case in cases if case.right.any() or case.asked["document"] is None]
    questions += of_cells
    steps = EPOCHS * (len(questions) // QUESTIONS_A_STEP)
    trainer, loss = Trainer(options.base, steps), 0.0
    for number, some in enumerate(track(batches(questions, chance), "training", total=steps, console=_console)):
        loss = 0.98 * loss + 0.02 * trainer.step(some, chance) if number else trainer.step(some, chance)
        if number % 50 == 0:
            _console.print(f"step {number} of {steps}: loss {loss:.3f}")
    save(trainer.network, float(trainer.none.detach()), options.base, options.out)
    print(hashlib.sha256(options.out.read_bytes()).hexdigest(), options.out)


if __name__ == "__main__":
    main()
