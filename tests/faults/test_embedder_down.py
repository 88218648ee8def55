"""The embedder behind the index is another's service, and may be down: what needs a vector does without, or waits."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from graph.workflow import build_workflow
from teller import services as opened_services
from teller.models.bedrock import call as bedrock_call
from teller.models.bedrock.client import BedrockConnection, Keys
from teller.models.bedrock.titan import TitanEmbeddings
from teller.models.query_vectors import QueryVectors
from teller.services import Services
from teller.settings import Settings
from tests.support.bedrock.client import BedrockWire
from tests.support.conversation import Conversation

MAYA = "+1234567890"


@pytest.fixture
async def titan(wire: BedrockWire, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TitanEmbeddings]:
    """Titan on the wire; what is asked again is asked at once."""
    wire.reset()
    monkeypatch.setattr(bedrock_call, "_FIRST_PAUSE", 0.01)
    keys = Keys("AKIDTEST", "not-a-secret")
    async with BedrockConnection(endpoint_url=wire.base_url, region_name="us-east-1", keys=keys) as connection:
        yield TitanEmbeddings(connection, 256)


@pytest.mark.parametrize("fault", ["ThrottlingException", "AccessDeniedException", "ValidationException"])
async def test_a_question_without_a_vector_is_searched_by_its_words(
    services: Services, wire: BedrockWire, titan: TitanEmbeddings, fault: str
) -> None:
    wire.script({"fault": fault, "times": 10})
    graph = await build_workflow(replace(services, search_queries=QueryVectors(titan)))
    assert "$25" in await Conversation(graph, MAYA).say("How much is a domestic wire transfer?")
    assert wire.requests()


async def test_a_new_index_waits_for_an_embedder_that_is_busy(
    tmp_path: Path, wire: BedrockWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire.reset()
    wire.script({"operation": "invoke", "fault": "ThrottlingException", "times": 30})
    for name, value in wire.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(bedrock_call, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(opened_services, "_INDEX_AGAIN_SECONDS", 0.01)
    settings = Settings(data_dir=tmp_path, embedding_model="amazon.titan-embed-text-v2:0/256", _env_file=None)
    async with Services.opened(settings) as services:
        services.index_sample_bank_in_background()
        await asyncio.wait(services.background)
        status = await services.index.status()
        assert status.with_vector == status.passages > 0
