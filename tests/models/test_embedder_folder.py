"""EMBEDDING_MODEL names a folder: what is in it embeds for the search, or it is said what is missing."""

import json
from datetime import date
from pathlib import Path

import pytest

from teller.errors import ConfigurationError
from teller.models.embedder import MODEL_FOLDER, OnnxEmbedder
from teller.models.embedder_folder import embedder_in
from teller.services import Services
from teller.settings import Settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    for name in ("model.onnx", "tokenizer.json"):
        (folder / name).symlink_to(MODEL_FOLDER / name)
    write_card(folder, name="own", pooling="cls", query_prefix="query: ")
    return folder


def write_card(folder: Path, **card: str) -> None:
    (folder / "embedder.json").write_text(json.dumps(card))


def test_it_embeds_as_its_card_says(folder: Path) -> None:
    own, bge = embedder_in(folder), OnnxEmbedder()
    assert own.name.startswith("own-")
    assert own.dimension == bge.dimension
    assert own.embed_documents(["a fee"]) == bge.embed_documents(["a fee"])
    assert own.embed_query("a fee") == bge.embed_documents(["query: a fee"])[0]
    write_card(folder, name="own", pooling="mean", passage_prefix="passage: ")
    assert embedder_in(folder).embed_documents(["a fee"]) != bge.embed_documents(["passage: a fee"])
    assert embedder_in(folder).embed_query("a fee") != own.embed_documents(["a fee"])[0]


async def test_an_index_is_filled_by_it_and_refuses_another(folder: Path, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", sample_bank="off", embedding_model=str(folder), _env_file=None)
    async with Services.opened(settings) as services:
        await services.ingester.ingest_bytes("fees.md", b"The late fee is $29.")
        (vector,) = await services.search_vectors.vectors(["The late fee is $29."])
        (found,) = await services.index.search("", vector, on=date(2026, 1, 1))
        assert found.similarity is not None
    other = settings.model_copy(update={"embedding_model": "bge-small-en-v1.5"})
    with pytest.raises(ConfigurationError, match=r"vectors of own-.*EMBEDDING_MODEL"):
        async with Services.opened(other):
            pass


@pytest.mark.parametrize("broken", ["model.onnx", "tokenizer.json", "embedder.json"])
@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_what_is_missing_or_damaged_is_explained(folder: Path, broken: str, how: str) -> None:
    (folder / broken).unlink()
    if how == "damaged":
        (folder / broken).write_text("{}")
    with pytest.raises(ConfigurationError, match=r"EMBEDDING_MODEL: .*own.* a folder holds model\.onnx"):
        embedder_in(folder)


def test_a_name_that_is_no_embedder_stops_the_start_with_the_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDDING_MODEL", "word2vec")
    with pytest.raises(ConfigurationError, match=r"word2vec is no embedder: take bge-small-en-v1\.5, bge\+e5"):
        Settings.load()
