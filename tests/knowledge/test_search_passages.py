"""What a search hands on to the model that answers."""

from pathlib import Path

import pytest

from teller.services import Services
from teller.settings import Settings
from tests.support.bedrock.client import BedrockWire
from tools.knowledge import search_passages


async def test_quote_is_given_more_passages_than_a_model_that_costs_by_the_token(
    data_dir: Path, wire: BedrockWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in wire.environment().items():
        monkeypatch.setenv(name, value)
    found = {}
    for model in ("quote", "amazon.nova-lite-v1:0"):
        async with Services.opened(Settings(data_dir=data_dir, chat_model=model, _env_file=None)) as services:
            found[model] = await search_passages(services).ainvoke({"question": "What does a card cost?"})
    quoted, read = found.values()
    assert (len(quoted), len(read)) == (7, 6)
    assert quoted[:6] == read
