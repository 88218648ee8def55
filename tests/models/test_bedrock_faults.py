"""Bedrock fails in every way it can: each failure has its name, is tried again only where that may help, and a caller
who leaves closes the socket."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk

from teller.errors import (
    ConfigurationError,
    ContextTooLongError,
    ModelAccessDeniedError,
    ModelNotFoundError,
    ModelRequestError,
    ModelThrottledError,
    ModelTimeoutError,
    ModelUnavailableError,
    TellerError,
    UpstreamAuthError,
    UpstreamModelError,
)
from teller.models.bedrock import call as bedrock_call
from teller.models.bedrock.answer import read_event
from teller.models.bedrock.client import BedrockConnection, Keys
from teller.models.bedrock.model import AsyncChatBedrockConverse
from teller.models.bedrock.stream import StreamedAnswer
from tests.support.bedrock.client import BedrockWire
from tests.support.server import free_port

LITE = "amazon.nova-lite-v1:0"
ANSWER: dict[str, Any] = {"text": "one two three four", "split": ["one ", "two ", "three ", "four"]}
CALL: dict[str, Any] = {"text": "", "tool_calls": [{"name": "endCall", "input": {"why": "bye"}}]}


@pytest.fixture
def nova(connection: BedrockConnection) -> AsyncChatBedrockConverse:
    return model(connection)


def model(connection: BedrockConnection, **fields: Any) -> AsyncChatBedrockConverse:
    return AsyncChatBedrockConverse(model_id=LITE, connection=connection, **{"first_token_seconds": 5, **fields})


async def listen(nova: AsyncChatBedrockConverse, heard: list[str]) -> None:
    """Read an answer, and put down what its chunks say."""
    async for chunk in nova.astream("Hello"):
        heard.append(chunk.text)  # noqa: PERF401  (what was heard before a failure counts)


async def answer(nova: AsyncChatBedrockConverse) -> str:
    """A whole answer."""
    return "".join([chunk.text async for chunk in nova.astream("Hello")])


async def failure(nova: AsyncChatBedrockConverse) -> tuple[TellerError, str]:
    """The error that ends a stream, and what was heard before it."""
    heard: list[str] = []
    with pytest.raises(TellerError) as failed:
        await listen(nova, heard)
    return failed.value, "".join(heard)


BEFORE_THE_FIRST_WORD: list[tuple[Mapping[str, Any], type[TellerError], int]] = [
    ({"fault": "ThrottlingException"}, ModelThrottledError, 3),
    ({"fault": "ModelNotReadyException"}, ModelThrottledError, 3),
    ({"fault": "ServiceQuotaExceededException"}, ModelThrottledError, 3),
    ({"fault": "ServiceUnavailableException"}, ModelUnavailableError, 3),
    ({"fault": "InternalServerException"}, ModelUnavailableError, 3),
    ({"status": 502, "body": "<html>Bad gateway</html>"}, ModelUnavailableError, 3),
    ({"cut": "reset"}, ModelUnavailableError, 3),
    ({"cut": "close"}, ModelUnavailableError, 3),
    ({"cut": "clean_end"}, ModelUnavailableError, 3),
    ({"cut": "reset", "after": 0, **ANSWER}, ModelUnavailableError, 3),
    ({"corrupt_after": 0, **ANSWER}, ModelUnavailableError, 3),
    ({"exception_mid_stream": "ThrottlingException"}, ModelThrottledError, 3),
    ({"exception_mid_stream": "ServiceUnavailableException"}, ModelUnavailableError, 3),
    ({"fault": "ModelErrorException"}, UpstreamModelError, 2),
    ({"exception_mid_stream": "ModelStreamErrorException"}, UpstreamModelError, 2),
    ({"stop_reason": "malformed_tool_use", **CALL}, UpstreamModelError, 2),
    ({"exception_mid_stream": "ModelStreamErrorException", "after": 1, **CALL}, UpstreamModelError, 2),
    ({"fault": "ModelTimeoutException"}, ModelTimeoutError, 1),
    ({"fault": "ValidationException"}, ModelRequestError, 1),
    ({"exception_mid_stream": "ValidationException"}, ModelRequestError, 1),
    ({"fault": "SerializationException"}, ModelRequestError, 1),
    ({"fault": "ValidationException", "message": "Input is too long for requested model."}, ContextTooLongError, 1),
    ({"fault": "ModelErrorException", "message": "Input Tokens Exceeded: too many."}, ContextTooLongError, 1),
    ({"fault": "AccessDeniedException"}, ModelAccessDeniedError, 1),
    ({"fault": "AccessDeniedException", "message": "Bearer Token has expired"}, UpstreamAuthError, 2),
    ({"fault": "ResourceNotFoundException"}, ModelNotFoundError, 1),
    ({"fault": "ValidationException", "message": "The provided model identifier is invalid."}, ModelNotFoundError, 1),
    ({"fault": "ExpiredTokenException"}, UpstreamAuthError, 2),
    ({"fault": "UnrecognizedClientException"}, UpstreamAuthError, 1),
    ({"fault": "InvalidSignatureException"}, UpstreamAuthError, 1),
    ({"reject_credentials": True}, UpstreamAuthError, 1),
]


@pytest.mark.parametrize(("behaviour", "kind", "requests"), BEFORE_THE_FIRST_WORD)
async def test_a_failure_has_its_name_and_is_tried_again_where_that_may_help(
    behaviour: Mapping[str, Any],
    kind: type[TellerError],
    requests: int,
    nova: AsyncChatBedrockConverse,
    wire: BedrockWire,
) -> None:
    wire.script({**behaviour, "times": "forever"})
    failed, said = await failure(nova)
    assert (type(failed), said, len(wire.requests())) == (kind, "", requests)


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        ({"exception_mid_stream": "ThrottlingException"}, ModelThrottledError),
        ({"exception_mid_stream": "InternalServerException"}, ModelUnavailableError),
        ({"exception_mid_stream": "ModelStreamErrorException"}, UpstreamModelError),
        ({"cut": "reset"}, ModelUnavailableError),
        ({"cut": "close"}, ModelUnavailableError),
        ({"cut": "close", "half_frame": True}, ModelUnavailableError),
        ({"cut": "clean_end"}, ModelUnavailableError),
    ],
)
async def test_after_the_first_word_nothing_is_tried_again(
    behaviour: Mapping[str, Any], kind: type[TellerError], nova: AsyncChatBedrockConverse, wire: BedrockWire
) -> None:
    wire.script({**ANSWER, **behaviour, "after": 2, "times": "forever"})
    failed, said = await failure(nova)
    assert (type(failed), said, len(wire.requests())) == (kind, "one two ", 1)


@pytest.mark.parametrize("behaviour", [{"stop_reason": "malformed_model_output"}, {"corrupt_after": 4}])
async def test_an_answer_that_is_spoilt_at_its_end_is_no_success(
    behaviour: Mapping[str, Any], nova: AsyncChatBedrockConverse, wire: BedrockWire
) -> None:
    wire.script({**ANSWER, **behaviour})
    failed, said = await failure(nova)
    assert (isinstance(failed, ModelUnavailableError), said) == (True, ANSWER["text"])


async def test_an_answer_is_whole_once_it_has_said_why_it_stops() -> None:
    class Wire:
        closed = 0

        async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
            yield {"contentBlockDelta": {"delta": {"text": "one"}, "contentBlockIndex": 0}}
            yield {"SDK_UNKNOWN_MEMBER": {"name": "newerThanBotocore"}}
            yield {"messageStop": {"stopReason": "end_turn"}}
            raise ConnectionResetError

        def close(self) -> None:
            self.closed += 1

    answer = StreamedAnswer({"ResponseMetadata": {}, "stream": Wire()}, idle_seconds=1)
    assert [next(iter(event)) async for event in answer.events()] == ["contentBlockDelta", "messageStop"]
    assert read_event({"metadata": {"metrics": {"latencyMs": 1}}}, {}).message.response_metadata["metrics"]


@pytest.mark.parametrize(
    "behaviour",
    [
        {"fault": "ThrottlingException", "times": 2},
        {"cut": "close", "times": 2},
        {"fault": "ModelErrorException"},
        {"stop_reason": "malformed_tool_use", **CALL},
    ],
)
async def test_what_passes_is_not_noticed(
    behaviour: Mapping[str, Any], nova: AsyncChatBedrockConverse, wire: BedrockWire
) -> None:
    wire.script(behaviour, ANSWER)
    assert await answer(nova) == ANSWER["text"]


@pytest.mark.parametrize(
    ("behaviour", "kind", "requests"),
    [
        ({"fault": "ThrottlingException"}, ModelThrottledError, 3),
        ({"cut": "reset"}, ModelUnavailableError, 3),
        ({"cut": "close", "after": 1}, ModelUnavailableError, 3),
        ({"stop_reason": "malformed_tool_use", **CALL}, UpstreamModelError, 2),
        ({"fault": "ValidationException"}, ModelRequestError, 1),
    ],
)
async def test_the_same_holds_for_an_answer_that_is_not_streamed(
    behaviour: Mapping[str, Any],
    kind: type[TellerError],
    requests: int,
    nova: AsyncChatBedrockConverse,
    wire: BedrockWire,
) -> None:
    wire.script({**behaviour, "times": "forever"})
    with pytest.raises(kind):
        await nova.ainvoke("Hello")
    assert len(wire.requests()) == requests


@pytest.mark.parametrize("silence", [{"stall_before_first": True}, {"stall_after": 0}, {"first_token_ms": 60_000}])
async def test_silence_before_the_first_word_has_a_limit(
    silence: Mapping[str, Any], connection: BedrockConnection, wire: BedrockWire
) -> None:
    wire.script(silence)
    began = time.monotonic()
    failed, _ = await failure(model(connection, first_token_seconds=1.5, idle_seconds=50))
    assert (type(failed), time.monotonic() - began < 40) == (ModelTimeoutError, True)
    wire.wait_for(lambda seen: seen[0].hung_up)


async def test_silence_after_the_first_word_has_another(connection: BedrockConnection, wire: BedrockWire) -> None:
    wire.script({**ANSWER, "stall_after": 2})
    failed, said = await failure(model(connection, idle_seconds=1))
    assert (type(failed), said) == (ModelTimeoutError, "one two ")
    wire.wait_for(lambda seen: seen[0].hung_up)


async def test_a_slow_listener_is_no_silence(connection: BedrockConnection, wire: BedrockWire) -> None:
    wire.script({**ANSWER, "chunk_ms": 20})
    said = []
    async for chunk in model(connection, idle_seconds=1).astream("Hello"):
        said.append(chunk.text)
        await asyncio.sleep(1.3 if chunk.text.startswith("one") else 0)
    assert "".join(said) == ANSWER["text"]


async def test_a_long_tool_call_is_no_silence(connection: BedrockConnection, wire: BedrockWire) -> None:
    wire.script({**CALL, "every": 2, "chunk_ms": 60})
    whole = AIMessageChunk(content="")
    async for chunk in model(connection, first_token_seconds=0.3, idle_seconds=0.3).astream("Hello"):
        whole += chunk
    assert [call["args"] for call in whole.tool_calls] == [{"why": "bye"}]


async def test_an_attempt_that_would_begin_too_late_is_not_waited_for(
    connection: BedrockConnection, wire: BedrockWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bedrock_call, "_FIRST_PAUSE", 60)
    wire.script({"fault": "ThrottlingException", "times": "forever"})
    failed, _ = await failure(model(connection))
    assert (type(failed), len(wire.requests())) == (ModelThrottledError, 1)


@pytest.mark.parametrize("reason", ["content_filtered", "guardrail_intervened"])
async def test_a_filtered_answer_says_so(reason: str, nova: AsyncChatBedrockConverse, wire: BedrockWire) -> None:
    wire.script({"text": "No.", "stop_reason": reason, "times": 2})
    whole = AIMessageChunk(content="")
    async for chunk in nova.astream("Hello"):
        whole += chunk
    for answer in (whole, await nova.ainvoke("Hello")):
        told = answer.response_metadata
        assert (told["stopReason"], told["finish_reason"], told["model_name"]) == (reason, "content_filter", LITE)


async def test_nobody_listens() -> None:
    address = f"http://127.0.0.1:{free_port()}"
    async with BedrockConnection(endpoint_url=address, region_name="us-east-1", keys=Keys("A", "b")) as nowhere:
        failed, _ = await failure(model(nowhere))
    assert type(failed) is ModelUnavailableError


async def test_a_connection_that_cannot_be_is_said_to_be_misconfigured() -> None:
    with pytest.raises(ConfigurationError, match="not-a-url"):
        await BedrockConnection(endpoint_url="not-a-url", region_name="us-east-1").open()
