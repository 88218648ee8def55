"""An embedder of one's own: a folder that EMBEDDING_MODEL names, with an ONNX graph, its tokenizer and its card."""

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from teller.errors import ConfigurationError
from teller.models.embedder import Model, OnnxEmbedder

_WANTED = (
    "a folder holds model.onnx (token ids in, a vector for each token out), tokenizer.json, and embedder.json such as"
    ' {"name": "e5-small-v2", "pooling": "mean", "query_prefix": "query: ", "passage_prefix": "passage: "}'
)


class _Card(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1)
    pooling: Literal["cls", "mean"]
    query_prefix: str = ""
    passage_prefix: str = ""


def embedder_in(folder: Path) -> OnnxEmbedder:
    """Load the embedder of a folder. Its name holds a part of its graph's hash: another graph is another embedder.

    Raises:
        ConfigurationError: something is missing there or cannot be read.
    """
    try:
        card = _Card.model_validate_json((folder / "embedder.json").read_bytes())
        sha256 = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
        name = f"{card.name}-{sha256[:8]}"
        mean = card.pooling == "mean"
        return OnnxEmbedder(folder, Model(name, sha256, card.query_prefix, card.passage_prefix, mean, _WANTED))
    except ValidationError as wrong:
        raise ConfigurationError(f"EMBEDDING_MODEL: {folder}/embedder.json is not as it must be: {_WANTED}") from wrong
    except Exception as wrong:  # what the runtime and the tokenizer raise for a bad file has no type of its own
        raise ConfigurationError(f"EMBEDDING_MODEL: {folder} holds no embedder that can be read: {_WANTED}") from wrong
