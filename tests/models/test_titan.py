"""Titan's vectors, through the chat models' own client."""

import math
from collections.abc import Iterator

import pytest

from teller.errors import ConfigurationError, ModelRequestError, ModelThrottledError, ModelTimeoutError
from teller.models.bedrock.blocking import loop_thread
from teller.models.bedrock.client import BedrockConnection, Keys
from teller.models.bedrock.model import AsyncChatBedrockConverse
from teller.models.bedrock.titan import LONGEST, TitanEmbeddings
from tests.support.bedrock.client import BedrockWire


@pytest.fixture(scope="module")
def running_wire() -> Iterator[BedrockWire]:
    with BedrockWire() as wire:
        yield wire
        loop_thread().close()


@pytest.mark.parametrize("dimension", [256, 512, 1024])
async def test_a_vector_has_its_dimension_and_length_one(dimension: int, connection: BedrockConnection) -> None:
    titan = TitanEmbeddings(connection, dimension)
    vector = await titan.aembed_query("What does a transfer cost?")
    assert (len(vector), titan.dimension) == (dimension, dimension)
    assert math.hypot(*vector) == pytest.approx(1)
    assert titan.name == f"amazon.titan-embed-text-v2:0/{dimension}"


async def test_many_passages_keep_their_order_and_share_the_sockets(
    connection: BedrockConnection, wire: BedrockWire
) -> None:
    titan = TitanEmbeddings(connection, 256)
    passages = [f"passage {number}" for number in range(20)]
    wire.script({"operation": "invoke", "first_token_ms": 40, "times": 20})
    vectors = await titan.aembed_documents(passages)
    assert len({one.connection for one in wire.requests()}) == 8
    assert vectors == [await titan.aembed_query(passage) for passage in passages]


async def test_chat_and_titan_use_one_client(connection: BedrockConnection, wire: BedrockWire) -> None:
    await TitanEmbeddings(connection).aembed_query("Hello")
    await AsyncChatBedrockConverse(model_id="amazon.nova-lite-v1:0", connection=connection).ainvoke("Hello")
    assert len({one.connection for one in wire.requests()}) == 1


def test_blocking_calls_give_the_same(wire: BedrockWire) -> None:
    keys = Keys("AKIDTEST", "not-a-secret")
    titan = TitanEmbeddings(BedrockConnection(endpoint_url=wire.base_url, region_name="us-east-1", keys=keys), 256)
    assert titan.embed_documents(["fees", "hours"]) == [titan.embed_query("fees"), titan.embed_query("hours")]


async def test_a_text_is_read_as_far_as_titan_reads(connection: BedrockConnection) -> None:
    titan = TitanEmbeddings(connection, 256)
    longest = "a b " * (LONGEST // 4)
    assert await titan.aembed_query(longest + "c" * 60_000) == await titan.aembed_query(longest)


async def test_what_titan_refuses_is_the_callers_error(connection: BedrockConnection) -> None:
    with pytest.raises(ModelRequestError):
        await TitanEmbeddings(connection).aembed_query(" ")
    with pytest.raises(ConfigurationError, match="384"):
        TitanEmbeddings(connection, 384)


async def test_a_busy_titan_is_asked_again(connection: BedrockConnection, wire: BedrockWire) -> None:
    wire.script({"fault": "ThrottlingException", "times": 2})
    assert await TitanEmbeddings(connection).aembed_query("Hello")
    wire.script({"fault": "ThrottlingException", "times": 3})
    with pytest.raises(ModelThrottledError):
        await TitanEmbeddings(connection).aembed_query("Hello")


async def test_a_silent_titan_is_not_waited_for(connection: BedrockConnection, wire: BedrockWire) -> None:
    wire.script({"stall_before_first": True})
    with pytest.raises(ModelTimeoutError):
        await TitanEmbeddings(connection, seconds=0.2).aembed_query("Hello")
