"""A caller who leaves closes the socket, at once and before the first word too; one who stays gives it back."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

import pytest

from teller.models.bedrock.client import BedrockConnection
from teller.models.bedrock.model import AsyncChatBedrockConverse
from tests.support.bedrock.client import BedrockWire

LITE = "amazon.nova-lite-v1:0"
ANSWER: dict[str, Any] = {"text": "one two three four", "split": ["one ", "two ", "three ", "four"]}


@pytest.fixture
def nova(connection: BedrockConnection) -> AsyncChatBedrockConverse:
    return AsyncChatBedrockConverse(model_id=LITE, connection=connection)


async def answer(nova: AsyncChatBedrockConverse) -> str:
    """A whole answer."""
    return "".join([chunk.text async for chunk in nova.astream("Hello")])


@pytest.mark.parametrize(
    "behaviour", [{"stall_before_first": True}, {"stall_after": 0}, {**ANSWER, "stall_after": 2}], ids=str
)
async def test_a_cancelled_stream_closes_its_socket_at_once(
    behaviour: Mapping[str, Any], nova: AsyncChatBedrockConverse, wire: BedrockWire
) -> None:
    wire.script(behaviour)
    task = asyncio.create_task(answer(nova))
    await wire.until(lambda seen: seen[0].deltas >= behaviour.get("stall_after", 0))
    task.cancel()
    await asyncio.wait({task})
    wire.wait_for(lambda seen: seen[0].hung_up)  # how fast is a figure of bench/bedrock_streams.py


async def test_a_stream_that_is_left_closes_its_socket(nova: AsyncChatBedrockConverse, wire: BedrockWire) -> None:
    wire.script({**ANSWER, "stall_after": 2})
    async with aclosing(nova.astream("Hello")) as chunks:  # type: ignore[type-var]  # typed as a mere iterator
        async for chunk in chunks:
            if chunk.text:
                break
    await asyncio.sleep(0)
    wire.wait_for(lambda seen: seen[0].hung_up)


async def test_a_hundred_callers_may_hang_up_at_once(nova: AsyncChatBedrockConverse, wire: BedrockWire) -> None:
    wire.script({"stall_before_first": True, "times": 100})
    tasks = [asyncio.create_task(answer(nova)) for _ in range(100)]
    await asyncio.to_thread(wire.wait_for, lambda seen: len(seen) == 100, 10)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    wire.wait_for(lambda seen: all(one.hung_up for one in seen), seconds=3)
    assert {one.connection for one in wire.requests()}.isdisjoint(wire.connections())
    assert await answer(nova) == "You said: Hello"


async def test_an_answer_gives_its_socket_back(nova: AsyncChatBedrockConverse, wire: BedrockWire) -> None:
    for _ in range(3):
        await answer(nova)
        await nova.ainvoke("Hello")
    assert len({one.connection for one in wire.requests()}) == 1
