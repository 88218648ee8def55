"""A cross-encoder in process: it reads a question and a text together, and says how well the text answers it.

An embedder sees the two apart. Read together, each word of the one is set against each word of the other (Nogueira and
Cho 2019, "Passage Re-ranking with BERT"), which costs some ms a text, so it is asked about a few of them only.
"""

import asyncio
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from teller.core_queue import CoreQueue
from teller.models.embedder import MODEL_FOLDER as TOKENIZER_FOLDER
from teller.models.onnx_session import open_session

MODEL_FOLDER = Path(__file__).parent / "minilm-l6-answers"
_MAX_TOKENS = 112  # of both together, as in training
_OF_THE_QUESTION = 60  # tokens of it at most
_BEGIN, _END = 101, 102  # BERT's [CLS] and [SEP]
_SHA256 = "e132bbb440e271621d1b0b85b8bba4d3b507a62265a4830dbb7759719fa4e06c"


@cache
def open_tokenizer() -> Tokenizer:
    """Return what makes tokens of texts of any length; threads share it, so it is never set otherwise."""
    tokenizer = Tokenizer.from_file(str(TOKENIZER_FOLDER / "tokenizer.json"))  # BERT's words are those of bge, too
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def pair_of(tokenizer: Tokenizer, question: str, text: str) -> tuple[list[int], list[int]]:
    """Return the tokens of a pair, and for each whether it is of the question (0) or of the text (1).

    Of a long question the end is read, where it asks, and of a long text the beginning.
    """
    asked = tokenizer.encode(question, add_special_tokens=False).ids[-_OF_THE_QUESTION:]
    told = tokenizer.encode(text, add_special_tokens=False).ids[: _MAX_TOKENS - 3 - len(asked)]
    return [_BEGIN, *asked, _END, *told, _END], [0] * (len(asked) + 2) + [1] * (len(told) + 1)


@cache
def _opened(file: Path) -> onnxruntime.InferenceSession:
    """Return the model of a file; it is loaded once in a process, however many use it."""
    return open_session(file, _SHA256, mend="restore it from the repository (SOURCE.md)")


class CrossEncoder:
    """Scores of question and text, about 4 ms each for a sentence; the higher, the better the text answers.

    The scores are logits of a softmax over the texts and "none of them", which scores 0.

    Raises:
        ConfigurationError: the model's file is missing or is not the one that is pinned.
    """

    def __init__(self, folder: Path = MODEL_FOLDER) -> None:
        self._tokenizer = open_tokenizer()
        self._session = _opened(folder / "model.onnx")
        self.cores = CoreQueue()
        """Where a question waits to be read."""

    async def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a score for each text, in order; computed in a worker thread, which stops when nobody waits for it."""
        given_up = threading.Event()
        async with self.cores.place():
            try:
                return await asyncio.to_thread(self._scores, question, texts, given_up)
            finally:
                given_up.set()

    def _scores(self, question: str, texts: Sequence[str], given_up: threading.Event) -> NDArray[np.float32]:
        wanted = (text for text in texts if not given_up.is_set())
        return np.array([self._score(question, text) for text in wanted], dtype=np.float32)

    def _score(self, question: str, text: str) -> float:
        """Score one pair; several at once would be quantised together, and each score would depend on the others."""
        tokens, types = (np.array([ids], dtype=np.int64) for ids in pair_of(self._tokenizer, question, text))
        feeds = {"input_ids": tokens, "attention_mask": np.ones_like(tokens), "token_type_ids": types}
        run = self._session.run(None, feeds)
        return float(run[0].item())
