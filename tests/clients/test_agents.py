"""litellm, llm, LiveKit and Pipecat in their own loops: interrupted mid-reply, they go on from what was heard.

Their packages are many, so they have a group of their own: `make test-clients` installs it and runs this.
"""

import asyncio
import gc
import importlib
import os
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from typing import Any

import pytest

from tests.support.bedrock.client import BedrockWire
from tests.support.server import Server

LOANS = "What loan options are available?"
AND_HOMES = "What does a home loan cost?"
KEY = "s3cret"
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

Loop = Callable[[str], Awaitable[str]]
"""Asks about loans, is interrupted after some words, asks about homes, and returns what it heard of that reply."""


async def litellm(base_url: str) -> str:
    client = importlib.import_module("litellm")
    asked = {"model": "openai/teller", "api_base": base_url, "api_key": KEY, "stream": True}
    messages = [{"role": "user", "content": LOANS}]
    heard: list[str] = []
    stream = await client.acompletion(messages=messages, **asked)
    async for chunk in stream:
        heard.append(chunk.choices[0].delta.content or "")
        if len(heard) > 4:
            break
    await stream.aclose()
    messages += [{"role": "assistant", "content": "".join(heard)}, {"role": "user", "content": AND_HOMES}]
    stream = await client.acompletion(messages=messages, **asked)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])


async def llm(base_url: str) -> str:
    models = importlib.import_module("llm.default_plugins.openai_models")

    def turns() -> str:
        model = models.Chat("teller", model_name="teller", api_base=base_url)
        conversation = model.conversation()
        first = conversation.prompt(LOANS, key=KEY)
        pieces = iter(first)
        heard = [next(pieces) for _ in range(5)]
        pieces.close()
        del pieces
        gc.collect()  # llm closes no connection itself
        first._done, first._chunks = True, heard  # what was heard is all there is of it
        conversation.responses.append(first)
        text: str = conversation.prompt(AND_HOMES, key=KEY).text()
        return text

    return await asyncio.to_thread(turns)


async def livekit(base_url: str) -> str:
    agents = importlib.import_module("livekit.agents")
    plugin = importlib.import_module("livekit.plugins.openai")
    model = plugin.LLM(model="teller", base_url=base_url, api_key=KEY)
    context = agents.ChatContext.empty()
    context.add_message(role="user", content=LOANS)
    heard: list[str] = []
    stream = model.chat(chat_ctx=context)
    async for chunk in stream:
        heard.append((chunk.delta and chunk.delta.content) or "")
        if len(heard) > 4:
            break
    await stream.aclose()
    context.add_message(role="assistant", content="".join(heard), interrupted=True)
    context.add_message(role="user", content=AND_HOMES)
    async with model.chat(chat_ctx=context) as stream:
        text = "".join([(chunk.delta and chunk.delta.content) or "" async for chunk in stream])
    await model.aclose()
    return text


async def pipecat(base_url: str) -> str:
    frames = importlib.import_module("pipecat.frames.frames")
    utils = importlib.import_module("pipecat.tests.utils")
    service = importlib.import_module("pipecat.services.openai.llm").OpenAILLMService
    context = importlib.import_module("pipecat.processors.aggregators.llm_context").LLMContext
    model = service(api_key=KEY, base_url=base_url, settings=service.Settings(model="teller"))
    first = context([{"role": "user", "content": LOANS}])
    sent = [frames.LLMContextFrame(first), utils.SleepFrame(1.5), frames.InterruptionFrame(), utils.SleepFrame(0.5)]
    down, _ = await utils.run_test(model, frames_to_send=sent)
    heard = "".join(frame.text for frame in down if isinstance(frame, frames.LLMTextFrame))
    messages = [*first.get_messages(), {"role": "assistant", "content": heard}, {"role": "user", "content": AND_HOMES}]
    again = service(api_key=KEY, base_url=base_url, settings=service.Settings(model="teller"))
    sent = [frames.LLMContextFrame(context(messages)), utils.SleepFrame(2)]
    down, _ = await utils.run_test(again, frames_to_send=sent)
    return "".join(frame.text for frame in down if isinstance(frame, frames.LLMTextFrame))


@pytest.mark.parametrize("loop", [litellm, llm, livekit, pipecat], ids=lambda loop: loop.__name__)
async def test_an_interrupted_agent_stops_the_model_and_goes_on_from_what_was_heard(
    nova: Server, wire: BedrockWire, loop: Loop
) -> None:
    if find_spec(loop.__name__) is None:
        pytest.skip(f"{loop.__name__} is not installed: make test-clients tries it")
    wire.script({"chunks": 1000, "chunk_ms": 20}, {"text": "It costs 6.15 percent."})
    heard = await loop(f"{nova.base_url}/api")
    assert "6.15" in heard
    await wire.until(lambda seen: seen[0].hung_up, 10)
    first, second = wire.requests()
    assert first.deltas < 1000
    turns: list[Any] = second.body["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
    cut = turns[1]["content"][0]["text"]
    assert "word000" in cut, "what was heard is what the model is told"
    assert "word999" not in cut
