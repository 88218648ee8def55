"""The embedder in process: bge-small-en-v1.5 as an int8 ONNX graph, its file in the project.

The graph quantises activations over the whole batch, so a text embedded beside others gets a slightly different
vector; texts are therefore embedded one at a time, on one thread, which is also the fastest per CPU second.
"""

import ctypes
import hashlib
from pathlib import Path

import numpy as np
import onnxruntime
from langchain_core.embeddings import Embeddings
from tokenizers import Tokenizer

from teller.errors import ConfigurationError

MODEL_FOLDER = Path(__file__).parent / "bge-small-en-v1.5"
MODEL_SHA256 = "6c9c6101a956d62dfb5e7190c538226c0c5bb9cb27b651234b6df063ee7dbfe4"
QUERY_PREFIX = "Represent this sentence for searching relevant passages: "
MAX_TOKENS = 256


class OnnxEmbedder(Embeddings):
    """Sentence vectors of 384 dimensions and length 1, computed in process (about 5 ms for a short text).

    `embed_query` puts the model's query prefix before the text; `embed_documents` does not. The `a…` forms run in a
    worker thread (the runtime releases the GIL), so they never hold the event loop.

    Raises:
        ConfigurationError: the model's file is missing or is not the one that is pinned.
    """

    name = "bge-small-en-v1.5-int8"
    dimension = 384
    at_once = 1

    def __init__(self, folder: Path = MODEL_FOLDER) -> None:
        model = folder / "model.onnx"
        if not model.is_file() or hashlib.sha256(model.read_bytes()).hexdigest() != MODEL_SHA256:
            raise ConfigurationError(f"{model} is missing or damaged: restore it from the repository (SOURCE.md)")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._counter = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._counter.no_padding()
        self._counter.no_truncation()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        _return_freed_memory()

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a caller's turn or question."""
        return self._embed(QUERY_PREFIX + text)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return one vector for each passage, in order; text past 256 tokens is not read."""
        return [self._embed(text) for text in texts]

    def count_tokens(self, text: str) -> int:
        """Return how many tokens the text is, without the two that frame it."""
        return len(self._counter.encode(text, add_special_tokens=False).ids)

    def _embed(self, text: str) -> list[float]:
        encoding = self._tokenizer.encode(text)
        ids = np.array([encoding.ids], dtype=np.int64)
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        tokens = self._session.run(None, feeds)[0]
        first: np.ndarray = tokens[0, 0]  # CLS pooling, as the model's card says
        return [float(x) for x in first / np.linalg.norm(first)]


def _return_freed_memory() -> None:
    """Give back what loading freed: the int8 weights are widened at load and about 60 MB stay with the allocator."""
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):
        return  # not glibc: there is nothing to give back
