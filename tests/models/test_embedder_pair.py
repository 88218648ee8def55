"""Two embedders as one: its cosine is the weighted mean of theirs, and a missing model is told with its mend."""

from pathlib import Path

import numpy as np
import pytest

from teller.errors import ConfigurationError
from teller.models.embedder import OnnxEmbedder
from teller.models.embedder_pair import EmbedderPair


class Backwards(OnnxEmbedder):
    """Another embedder for the test: the same model, which reads a text from its end."""

    def embed_query(self, text: str) -> list[float]:
        return super().embed_query(text[::-1])

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return super().embed_documents([text[::-1] for text in texts])


async def test_its_cosine_is_the_weighted_mean_of_both() -> None:
    one, other = OnnxEmbedder(), Backwards()
    pair = EmbedderPair(one, other)
    asked, said = "What is the late fee?", "The late fee is $29."
    (passage,) = pair.embed_documents([said])
    cosines = [np.dot(each.embed_query(asked), each.embed_documents([said])[0]) for each in (one, other)]
    question = await pair.aembed_query(asked)
    assert len(question) == len(passage) == pair.dimension == 768
    assert np.linalg.norm(question) == pytest.approx(1.0, abs=1e-6)
    assert np.dot(question, passage) == pytest.approx((cosines[0] + 2 * cosines[1]) / 3, abs=1e-6)
    assert question == pytest.approx(pair.embed_query(asked))


def test_a_missing_second_model_is_told_with_its_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"e5-small-v2/model.onnx is missing .* `make e5`"):
        EmbedderPair.with_e5(OnnxEmbedder())
