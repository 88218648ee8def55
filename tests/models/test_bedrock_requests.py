"""What a model is, what it sends and what it makes of the answer, on the wire."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from langchain_aws.chat_models import bedrock_converse
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage
from pydantic import BaseModel

from teller.errors import ConfigurationError
from teller.models.bedrock.answer import read_event
from teller.models.bedrock.blocking import loop_thread
from teller.models.bedrock.client import BedrockConnection
from teller.models.bedrock.model import AsyncChatBedrockConverse
from tests.support.bedrock.client import BedrockWire

LITE = "amazon.nova-lite-v1:0"
ARN = "arn:aws:bedrock:us-east-1:123456789012:"
END_CALL = {"type": "function", "function": {"name": "endCall", "description": "Hangs up."}}


class Weather(BaseModel):
    """Ask for the weather."""

    city: str
    days: int


@pytest.fixture(scope="module")
def running_wire() -> Iterator[BedrockWire]:
    with BedrockWire() as wire:
        yield wire
        loop_thread().close()


@pytest.fixture
def wire(running_wire: BedrockWire, monkeypatch: pytest.MonkeyPatch) -> BedrockWire:
    running_wire.reset()
    for name, value in running_wire.environment(AWS_BEARER_TOKEN_BEDROCK="").items():
        monkeypatch.setenv(name, value)
    return running_wire


@pytest.fixture
async def connection(wire: BedrockWire) -> AsyncIterator[BedrockConnection]:
    async with BedrockConnection() as opened:
        yield opened


def model(connection: BedrockConnection, **fields: Any) -> AsyncChatBedrockConverse:
    return AsyncChatBedrockConverse(**{"model_id": LITE, "connection": connection, **fields})


async def listen(nova: Any, heard: list[str]) -> None:
    """Read a stream, and put down what its chunks say."""
    async for chunk in nova.astream("Bye"):
        heard.append(chunk.text)  # noqa: PERF401  (what was heard before a failure counts)


async def answered(nova: Any, asked: Any, **options: Any) -> AIMessageChunk:
    """The sum of a stream."""
    whole = AIMessageChunk(content="")
    async for chunk in nova.astream(asked, **options):
        whole += chunk
    return whole


@pytest.mark.parametrize(
    ("fields", "base"),
    [
        ({"model_id": LITE}, LITE),
        ({"model_id": f"us.{LITE}"}, LITE),
        ({"model_id": f"ca.{LITE}"}, LITE),
        ({"model_id": "global.amazon.nova-2-lite-v1:0"}, "amazon.nova-2-lite-v1:0"),
        ({"model_id": "us.amazon.nova-2-pro-preview-v1:0"}, "amazon.nova-2-pro-preview-v1:0"),
        ({"model_id": "amazon.nova-2-omni-v1:0"}, "amazon.nova-2-omni-v1:0"),
        ({"model_id": f"arn:aws:bedrock:us-east-1::foundation-model/{LITE}"}, LITE),
        ({"model_id": f"{ARN}inference-profile/us.{LITE}"}, LITE),
        ({"model_id": f"{ARN}application-inference-profile/abc", "base_model_id": LITE, "provider": "amazon"}, LITE),
        ({"model_id": f"{ARN}provisioned-model/abc", "base_model_id": LITE, "provider": "amazon"}, LITE),
    ],
    ids=str,
)
def test_every_model_streams_and_its_start_costs_no_client_and_no_network(
    fields: dict[str, Any], base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bedrock_converse, "create_aws_client", None)  # calling it is a TypeError
    nova = AsyncChatBedrockConverse(**fields)
    assert (nova.disable_streaming, nova.provider, nova._get_base_model()) == (False, "amazon", base)
    assert nova.supports_tool_choice_values == ("auto", "any", "tool")


def test_an_application_profile_says_what_it_wants() -> None:
    with pytest.raises(ConfigurationError, match="base_model_id"):
        AsyncChatBedrockConverse(model_id=f"{ARN}application-inference-profile/abc", provider="amazon")


def test_default_headers_are_refused() -> None:
    with pytest.raises(ValueError, match="default_headers"):
        AsyncChatBedrockConverse(model_id=LITE, default_headers={"x-a": "b"})


@pytest.mark.parametrize(
    "name", [f"us.{LITE}", f"{ARN}inference-profile/us.{LITE}", f"arn:aws:bedrock:us-east-1::foundation-model/{LITE}"]
)
async def test_profiles_and_arns_reach_the_wire(name: str, connection: BedrockConnection, wire: BedrockWire) -> None:
    nova = model(connection, model_id=name)
    whole, at_once = await answered(nova, "Hello"), await nova.ainvoke("Hello")
    assert [one.model for one in wire.requests()] == [name, name]
    assert whole.text == at_once.text == "You said: Hello"
    assert LITE in whole.response_metadata["model_name"]


async def test_an_opaque_arn_is_nova_if_it_is_said_to_be(connection: BedrockConnection, wire: BedrockWire) -> None:
    profile = f"{ARN}application-inference-profile/abc"
    nova = model(connection, model_id=profile, base_model_id=LITE, provider="amazon")
    whole = await answered(nova, [SystemMessage("Ours."), HumanMessage("Hello")])
    assert wire.requests()[0].body["system"] == [{"text": "Ours."}, {"cachePoint": {"type": "default"}}]
    told = whole.response_metadata
    assert (told["model_name"], told["inference_profile_id"]) == (LITE, profile)


def test_a_piece_of_text_is_read_as_langchain_aws_reads_it() -> None:
    event = {"contentBlockDelta": {"delta": {"text": " words"}, "contentBlockIndex": 2}}
    theirs = bedrock_converse._parse_stream_event(event)
    assert isinstance(theirs, AIMessageChunk)
    theirs.response_metadata["model_provider"] = "bedrock_converse"
    assert read_event(event, {}).message == theirs


async def test_converses_own_options_reach_the_wire(connection: BedrockConnection, wire: BedrockWire) -> None:
    nova = model(
        connection,
        guardrail_config={"guardrailIdentifier": "g1", "guardrailVersion": "1"},
        performance_config={"latency": "optimized"},
        service_tier="priority",
        additional_model_request_fields={"inferenceConfig": {"topK": 20}},
        request_metadata={"team": "teller"},
        temperature=1.9,
    )
    await answered(nova, "Hello", max_tokens=50, stop=["END"])
    body = wire.requests()[0].body
    assert body["guardrailConfig"] == {"guardrailIdentifier": "g1", "guardrailVersion": "1"}
    assert body["performanceConfig"] == {"latency": "optimized"}
    assert body["serviceTier"] == {"type": "priority"}
    assert body["additionalModelRequestFields"] == {"inferenceConfig": {"topK": 20}}
    assert body["requestMetadata"] == {"team": "teller"}
    assert body["inferenceConfig"] == {"temperature": 1.0, "maxTokens": 50, "stopSequences": ["END"]}


async def test_the_fixed_prompt_is_read_from_the_cache(connection: BedrockConnection) -> None:
    asked = [SystemMessage("You work for a bank, and you are kind."), HumanMessage("Hello")]
    nova = model(connection)
    first, second = await answered(nova, asked), await answered(nova, [*asked, AIMessage("Hi."), HumanMessage("Fees?")])
    for whole, kind in ((first, "cache_creation"), (second, "cache_read")):
        assert whole.usage_metadata is not None
        assert whole.usage_metadata["input_token_details"][kind] > 0  # type: ignore[literal-required]
        assert whole.usage_metadata["total_tokens"] > whole.usage_metadata["output_tokens"] > 0


async def test_bound_tools_can_be_called_again_and_again(connection: BedrockConnection, wire: BedrockWire) -> None:
    bound = model(connection).bind_tools([END_CALL], tool_choice="required")
    for _ in range(2):
        whole = await answered(bound, "Bye")
        assert [call["name"] for call in whole.tool_calls] == ["endCall"]
        assert whole.response_metadata["finish_reason"] == "tool_calls"
    config = wire.requests()[1].body["toolConfig"]
    assert config["tools"][0]["toolSpec"]["inputSchema"] == {"json": {"type": "object", "properties": {}}}


async def test_structured_output(connection: BedrockConnection) -> None:
    wanted = model(connection).with_structured_output(Weather)
    assert await wanted.ainvoke("city: Paris, for 3 days") == Weather(city="Paris", days=3)
    parts = [part async for part in wanted.astream("city: Paris, for 3 days")]
    assert parts[-1] == Weather(city="Paris", days=3)


async def test_words_before_a_tool_call_are_not_held_back(connection: BedrockConnection, wire: BedrockWire) -> None:
    wire.script({"split": ["One", " moment."], "tool_calls": [{"name": "endCall"}], "stall_after": 2})
    heard: list[str] = []
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(listen(model(connection).bind_tools([END_CALL]), heard), 0.5)
    assert "".join(heard) == "One moment."


async def test_thinking_is_told_apart_only_where_the_answer_is_whole(
    connection: BedrockConnection, wire: BedrockWire
) -> None:
    wire.script({"split": ["<thi", "nking>Hm.</thinking>", " Yes."], "times": 2})
    assert (await answered(model(connection), "So?")).text == "<thinking>Hm.</thinking> Yes."
    assert (await model(connection).ainvoke("So?")).text == " Yes."


async def test_no_call_holds_a_thread(connection: BedrockConnection, wire: BedrockWire) -> None:
    nova = model(connection)
    await answered(nova, "Hello")
    await asyncio.to_thread(wire.wait_for, lambda seen: len(seen) == 1)
    before = threading.active_count()
    wire.script({"stall_before_first": True, "times": 50})
    tasks = [asyncio.create_task(answered(nova, "Hello")) for _ in range(50)]
    await asyncio.to_thread(wire.wait_for, lambda seen: len(seen) == 51)
    assert threading.active_count() - before <= 2  # this test's own waiting takes one or two
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_blocking_calls_work_beside_a_running_loop(wire: BedrockWire) -> None:
    nova = AsyncChatBedrockConverse(model_id=LITE)
    assert nova.invoke("Hello").text == "You said: Hello"
    assert "".join(chunk.text for chunk in nova.stream("Hello")) == "You said: Hello"
    assert [answer.text for answer in nova.batch(["a", "b"])] == ["You said: a", "You said: b"]


def test_a_blocking_stream_that_is_left_closes_its_socket(wire: BedrockWire) -> None:
    wire.script({"text": "one two", "every": 4, "stall_after": 1})
    chunks = AsyncChatBedrockConverse(model_id=LITE).stream("Hello")
    assert any(chunk.text for chunk in chunks)
    chunks.close()  # type: ignore[attr-defined]
    wire.wait_for(lambda seen: seen[0].hung_up)


def test_one_connection_serves_one_event_loop_after_another(wire: BedrockWire) -> None:
    async def ask(connection: BedrockConnection) -> str:
        async with connection:
            return (await model(connection).ainvoke("Hello")).text

    connection = BedrockConnection()
    assert [asyncio.run(ask(connection)) for _ in range(2)] == ["You said: Hello"] * 2


def test_keys_given_in_code_are_used_and_not_shown(wire: BedrockWire) -> None:
    nova = AsyncChatBedrockConverse(model_id=LITE, aws_access_key_id="AKIDCODE", aws_secret_access_key="very-secret")
    nova.invoke("Hello")
    assert (wire.requests()[0].signer or {})["access_key"] == "AKIDCODE"
    assert "very-secret" not in repr(nova) + repr(nova.connection)
