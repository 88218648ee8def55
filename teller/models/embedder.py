"""The embedder in process: bge-small-en-v1.5 as an int8 ONNX graph, its file in the project; and others like it.

The graph quantises activations over the whole batch, so a text embedded beside others gets a slightly different
vector; texts are therefore embedded one at a time, on one thread, which is also the fastest per CPU second.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from langchain_core.embeddings import Embeddings
from tokenizers import Tokenizer

from teller.models.onnx_session import open_session

MODEL_FOLDER = Path(__file__).parent / "bge-small-en-v1.5"
MAX_TOKENS = 256


@dataclass(frozen=True, slots=True)
class Model:
    """What tells one model's file from another's, and how its card says that it is used.

    `mend` says how a missing file is had again. Of the token vectors the first is taken (CLS), or their mean.
    """

    name: str
    sha256: str
    query_prefix: str
    passage_prefix: str
    takes_mean: bool
    mend: str


BGE = Model(
    "bge-small-en-v1.5-int8",
    "6c9c6101a956d62dfb5e7190c538226c0c5bb9cb27b651234b6df063ee7dbfe4",
    "Represent this sentence for searching relevant passages: ",
    "",
    takes_mean=False,
    mend="restore it from the repository (SOURCE.md)",
)


class OnnxEmbedder(Embeddings):
    """Sentence vectors of length 1, 384 dimensions for bge, computed in process (about 5 ms for a short text).

    `embed_query` puts the model's query prefix before the text; `embed_documents` does not. The `a…` forms run in a
    worker thread (the runtime releases the GIL), so they never hold the event loop.

    Raises:
        ConfigurationError: the model's file is missing or is not the one that is pinned.
    """

    at_once = 1

    def __init__(self, folder: Path = MODEL_FOLDER, model: Model = BGE) -> None:
        self._session = open_session(folder / "model.onnx", model.sha256, model.mend)
        self.name = model.name
        self._model = model
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._counter = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._counter.no_padding()
        self._counter.no_truncation()
        # A passage may fill what is read; the prefix comes on top.
        self._tokenizer.enable_truncation(MAX_TOKENS + self.count_tokens(model.passage_prefix))
        self.dimension = int(self._session.get_outputs()[0].shape[2])
        self._inputs = [given.name for given in self._session.get_inputs()]

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a caller's turn or question."""
        return self._embed(self._model.query_prefix + text)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return one vector for each passage, in order; text past 256 tokens is not read."""
        return [self._embed(self._model.passage_prefix + text) for text in texts]

    def count_tokens(self, text: str) -> int:
        """Return how many tokens the text is, without the two that frame it."""
        return len(self._counter.encode(text, add_special_tokens=False).ids)

    def _embed(self, text: str) -> list[float]:
        encoding = self._tokenizer.encode(text)
        ids = np.array([encoding.ids], dtype=np.int64)
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        tokens = self._session.run(None, {name: feeds[name] for name in self._inputs})[0]
        pooled: np.ndarray = tokens[0].mean(axis=0) if self._model.takes_mean else tokens[0, 0]
        return [float(x) for x in pooled / np.linalg.norm(pooled)]
