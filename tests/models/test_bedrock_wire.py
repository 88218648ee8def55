"""What the tests' Bedrock promises, with botocore as the judge: it reads its answers and names its errors."""

import asyncio
import json
import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import boto3
import httpx
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.eventstream import ChecksumMismatch, EventStreamBuffer
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EventStreamError,
    ReadTimeoutError,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3.exceptions import ProtocolError

from tests.support.bedrock import framing
from tests.support.bedrock.arguments import arguments
from tests.support.bedrock.client import BedrockWire
from tests.support.bedrock.faults import MID_STREAM, MODELLED

PASSAGES = "<passages>\n<passage source='x'>\nFees &amp; rates: $5. No.\n</passage>\n</passages>"
LITE, TITAN = "amazon.nova-lite-v1:0", "amazon.titan-embed-text-v2:0"
BEARER = {"Authorization": "Bearer ABSK-secret"}


@pytest.fixture(scope="module")
def running_wire() -> Iterator[BedrockWire]:
    with pytest.MonkeyPatch.context() as patch, BedrockWire() as wire:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        yield wire


@pytest.fixture
def wire(running_wire: BedrockWire) -> BedrockWire:
    running_wire.reset()
    return running_wire


def client(wire: BedrockWire, *, token: str | None = None, **config: Any) -> Any:
    """A boto3 client that tries once and sends whatever it is given."""
    once = {"retries": {"total_max_attempts": 1}, "parameter_validation": False, "read_timeout": 10}
    return boto3.client(
        "bedrock-runtime",
        endpoint_url=wire.base_url,
        region_name="us-east-1",
        aws_access_key_id="AKIDTEST",
        aws_secret_access_key="secret",
        aws_session_token=token,
        config=Config(**{**once, **config}),
    )


@pytest.fixture(scope="module")
def shared_bedrock(running_wire: BedrockWire) -> Iterator[Any]:
    made = client(running_wire)
    yield made
    made.close()


@pytest.fixture
def bedrock(shared_bedrock: Any, wire: BedrockWire) -> Any:
    return shared_bedrock


def user(*texts: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"text": text} for text in texts]}


def said(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"text": text}]}


def called(*ids: str) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"toolUse": {"toolUseId": i, "name": "add", "input": {}}} for i in ids]}


def results(*ids: str, **more: Any) -> dict[str, Any]:
    content = [{"toolResult": {"toolUseId": i, "content": [{"text": f"result of {i}"}], **more}} for i in ids]
    return {"role": "user", "content": content}


def tools(*names: str, **choice: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "required": ["a"]}
    specs = [{"toolSpec": {"name": name, "description": name, "inputSchema": {"json": schema}}} for name in names]
    return {"tools": specs} | ({"toolChoice": choice} if choice else {})


def converse(bedrock: Any, *messages: Mapping[str, Any], model: str = LITE, **request: Any) -> dict[str, Any]:
    answer: dict[str, Any] = bedrock.converse(modelId=model, messages=list(messages), **request)
    return answer


def events(bedrock: Any, *messages: Mapping[str, Any], into: list[Any] | None = None, **request: Any) -> list[Any]:
    """Return the events of a stream; `into` has those that came before it failed."""
    got: list[Any] = [] if into is None else into
    stream = bedrock.converse_stream(modelId=LITE, messages=list(messages) or [user("hi")], **request)["stream"]
    with closing(stream):
        got.extend(stream)
    return got


def texts(got: Sequence[Any]) -> list[str]:
    deltas = [event["contentBlockDelta"]["delta"] for event in got if "contentBlockDelta" in event]
    return [delta["text"] for delta in deltas if "text" in delta]


def text_of(answer: Mapping[str, Any]) -> str:
    return str(answer["output"]["message"]["content"][0]["text"])


# What it answers


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ([user("Hello there.")], "You said: Hello there."),
        ([user("a"), said("b"), user("c", "d")], "You said: c\nd"),
        ([user(f"{PASSAGES}\n\nfees?")], "Fees & rates: $5."),
        ([user("<passages>\n\n</passages>\n\nfees?")], "There are no passages."),
        ([user("go"), said("So")], "You said: go"),
    ],
)
def test_answers_by_one_rule(bedrock: Any, asked: list[dict[str, Any]], answer: str) -> None:
    reply = converse(bedrock, *asked)
    assert text_of(reply) == answer
    assert reply["output"]["message"]["role"] == "assistant"
    assert reply["stopReason"] == "end_turn"
    assert "".join(texts(events(bedrock, *asked))) == answer


def test_a_stream_has_bedrocks_events_in_bedrocks_order(bedrock: Any) -> None:
    got = events(bedrock, user("one two"))
    assert [next(iter(event)) for event in got] == [
        "messageStart",
        *["contentBlockDelta"] * 4,
        "contentBlockStop",
        "messageStop",
        "metadata",
    ]
    assert got[0] == {"messageStart": {"role": "assistant"}}
    assert got[-2] == {"messageStop": {"stopReason": "end_turn"}}
    assert got[-1]["metadata"]["usage"] == {"inputTokens": 3, "outputTokens": 5, "totalTokens": 8}
    assert got[-1]["metadata"]["metrics"] == {"latencyMs": 0}


def test_frames_are_framed_with_both_crcs(wire: BedrockWire) -> None:
    body = {"messages": [user("hi")]}
    answer = httpx.post(f"{wire.base_url}/model/{LITE}/converse-stream", headers=BEARER, json=body)
    assert answer.headers["content-type"] == "application/vnd.amazon.eventstream"
    buffer = EventStreamBuffer()
    buffer.add_data(answer.content)
    frames = list(buffer)  # checks both CRCs of each
    assert [frame.headers[":event-type"] for frame in frames][:2] == ["messageStart", "contentBlockDelta"]
    assert {frame.headers[":message-type"] for frame in frames} == {"event"}
    assert {frame.headers[":content-type"] for frame in frames} == {"application/json"}


@given(st.dictionaries(st.text(min_size=1, max_size=60), st.text(max_size=200), max_size=4), st.binary(max_size=400))
@settings(max_examples=40, deadline=None)
def test_any_message_survives_framing(headers: dict[str, str], payload: bytes) -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(framing.message(headers, payload))
    read = next(iter(buffer))
    assert (read.headers, read.payload) == (headers, payload)


def test_limits_cut_the_text(bedrock: Any) -> None:
    short = converse(bedrock, user("one two three"), inferenceConfig={"maxTokens": 4})
    assert (text_of(short), short["stopReason"]) == ("You said: one", "max_tokens")
    assert short["usage"]["outputTokens"] == 4
    stopped = converse(bedrock, user("one two three"), inferenceConfig={"stopSequences": ["x", " two"]})
    assert (text_of(stopped), stopped["stopReason"]) == ("You said: one", "stop_sequence")


def test_the_prompt_cache_is_written_then_read_then_extended(bedrock: Any) -> None:
    point = {"cachePoint": {"type": "default"}}
    system = [{"text": "You are Teller, the bank's voice."}, point]
    first = converse(bedrock, user("hi"), system=system)["usage"]
    assert first == {
        "inputTokens": 2,
        "outputTokens": 4,
        "totalTokens": 16,
        "cacheReadInputTokens": 0,
        "cacheWriteInputTokens": 10,
    }
    again = events(bedrock, user("hi"), system=system)[-1]["metadata"]["usage"]
    assert (again["cacheReadInputTokens"], again["cacheWriteInputTokens"]) == (10, 0)
    turn = {"role": "user", "content": [{"text": "hi there"}, point]}
    longer = converse(bedrock, turn, system=system)["usage"]
    assert (longer["cacheReadInputTokens"], longer["cacheWriteInputTokens"]) == (10, 3)
    other = converse(bedrock, user("hi"), system=system, model="amazon.nova-pro-v1:0")["usage"]
    assert other["cacheReadInputTokens"] == 0
    assert "cacheReadInputTokens" not in converse(bedrock, user("hi"))["usage"]


def test_performance_and_tier_come_back(bedrock: Any) -> None:
    wanted: dict[str, Any] = {"performanceConfig": {"latency": "optimized"}, "serviceTier": {"type": "priority"}}
    assert {name: converse(bedrock, user("hi"), **wanted)[name] for name in wanted} == wanted
    metadata = events(bedrock, user("hi"), **wanted)[-1]["metadata"]
    assert {name: metadata[name] for name in wanted} == wanted


# Tools


def tool_uses(answer: Mapping[str, Any]) -> list[tuple[str, Any]]:
    blocks = answer["output"]["message"]["content"]
    return [(block["toolUse"]["name"], block["toolUse"]["input"]) for block in blocks if "toolUse" in block]


@pytest.mark.parametrize(
    ("config", "text", "calls"),
    [
        (tools("add", "sub", tool={"name": "sub"}), "3 and 4", [("sub", {"a": 3})]),
        (tools("add", "sub", any={}), "3", [("add", {"a": 3})]),
        (tools("add", "sub", any={}), "sub 3", [("sub", {"a": 3})]),
        (tools("add", "sub"), "add 3 then sub 4", [("add", {"a": 3}), ("sub", {"a": 3})]),
        (tools("get_weather", auto={}), "What is the weather?", [("get_weather", {"a": 0})]),
        (tools("transferCall", "endCall"), "Please end the call.", [("endCall", {"a": 0})]),
        (tools("add"), "hello", []),
        (tools("add"), "<passages>\n<passage>\nadd. 3\n</passage>\n</passages>\nhello", []),
    ],
)
def test_calls_the_forced_or_the_named_tools(bedrock: Any, config: dict[str, Any], text: str, calls: list[Any]) -> None:
    answer = converse(bedrock, user(text), toolConfig=config)
    assert tool_uses(answer) == calls
    assert answer["stopReason"] == ("tool_use" if calls else "end_turn")


def test_a_tool_call_streams_in_pieces_and_its_result_is_told(bedrock: Any) -> None:
    config = tools("add")
    got = events(bedrock, user("add 3 with b = 41"), toolConfig=config)
    start = got[1]["contentBlockStart"]["start"]["toolUse"]
    pieces = [event["contentBlockDelta"]["delta"]["toolUse"]["input"] for event in got if "contentBlockDelta" in event]
    assert len(pieces) > 1
    assert json.loads("".join(pieces)) == {"a": 3, "b": 41}
    assert got[-2]["messageStop"]["stopReason"] == "tool_use"
    turn = {"role": "assistant", "content": [{"toolUse": {**start, "input": {"a": 3}}}]}
    reply = converse(bedrock, user("add 3"), turn, results(start["toolUseId"]), toolConfig=config)
    assert text_of(reply) == f"The tools said: result of {start['toolUseId']}"
    failed = converse(bedrock, user("x"), called("t1", "t2"), results("t2", "t1", status="error"), toolConfig=config)
    assert text_of(failed) == "The tools said: error: result of t2; error: result of t1"


STRING, NUMBER = {"type": "string"}, {"type": "number"}


@pytest.mark.parametrize(
    ("properties", "text", "values"),
    [
        ({"input": {"type": "integer"}}, "What is magic_function(-3)?", {"input": -3}),
        ({"a": NUMBER, "b": NUMBER, "c": NUMBER}, "1 and 2.5", {"a": 1.0, "b": 2.5, "c": 0.0}),
        ({"rest": {"type": "array", "items": NUMBER}}, "1, 2 and 3", {"rest": [1.0, 2.0, 3.0]}),
        ({"who": STRING, "what": STRING}, "It's '你好' (Hi)", {"who": "你好", "what": "It's '你好' (Hi)"}),
        ({"city": STRING, "day": STRING}, "city: Paris, day is Monday.", {"city": "Paris", "day": "Monday"}),
        ({"kind": {"enum": ["dog", "cat"]}}, "How big are Cats?", {"kind": "cat"}),
        ({"sure": {"type": "boolean"}}, "do not", {"sure": False}),
        ({"of": {"$ref": "#/$defs/Of"}}, "7", {"of": {"n": 7}}),
        ({"maybe": {"anyOf": [{"type": "null"}, {"type": "integer"}]}}, "7", {"maybe": 7}),
        ({}, "7", {}),
    ],
)
def test_arguments_are_read_from_the_text(properties: dict[str, Any], text: str, values: dict[str, Any]) -> None:
    of = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    schema = {"type": "object", "properties": properties, "required": list(properties), "$defs": {"Of": of}}
    assert arguments(schema, text) == values


def test_optional_arguments_are_given_when_they_are_named() -> None:
    schema = {"properties": {"setup": STRING, "punch_line": STRING}, "required": ["setup"]}
    assert set(arguments(schema, "A joke.")) == {"setup"}
    assert set(arguments(schema, "A joke, with its punch line.")) == {"setup", "punch_line"}


# What it refuses

POINT = {"cachePoint": {"type": "default"}}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no messages": ({"messages": []}, "must start with a user message"),
    "assistant first": ({"messages": [said("hi"), user("hi")]}, "must start with a user message"),
    "same role twice": ({"messages": [user("a"), user("b")]}, "must alternate between user and assistant"),
    "assistant twice": ({"messages": [user("a"), said("b"), said("c")]}, "must alternate"),
    "system as a role": ({"messages": [{"role": "system", "content": [{"text": "x"}]}]}, "enum value set: [user, ass"),
    "blank text": ({"messages": [user("hi", " \n")]}, "ContentBlock object at messages.0.content.1 is blank"),
    "blank system": ({"system": [{"text": " "}]}, "SystemContentBlock object at system.0 is blank"),
    "no content": ({"messages": [{"role": "user", "content": []}]}, "Message object at messages.0 is empty"),
    "reasoning": (
        {"messages": [user("a"), {"role": "assistant", "content": [{"reasoningContent": {}}]}, user("b")]},
        "cannot contain reasoning content",
    ),
    "hot": ({"inferenceConfig": {"temperature": 1.5}}, "Value '1.5' at 'inferenceConfig.temperature' failed"),
    "cold": ({"inferenceConfig": {"temperature": -0.1}}, "greater than or equal to 0"),
    "topP": ({"inferenceConfig": {"topP": 1.01}}, "'inferenceConfig.topP' failed to satisfy constraint"),
    "maxTokens 0": ({"inferenceConfig": {"maxTokens": 0}}, "greater than or equal to 1"),
    "maxTokens": ({"inferenceConfig": {"maxTokens": 10_001}}, "exceeds the model limit of 10000"),
    "empty stop": ({"inferenceConfig": {"stopSequences": [""]}}, "length greater than or equal to 1"),
    "tier": ({"serviceTier": {"type": "gold"}}, "'serviceTier.type' failed"),
    "no tools": ({"messages": [user("a"), called("t"), results("t")]}, "toolConfig field must be defined"),
    "empty tools": ({"toolConfig": {"tools": []}}, "at 'toolConfig.tools' failed"),
    "tool name": ({"toolConfig": tools("a b")}, "toolConfig.tools.0.toolSpec.name"),
    "schema": (
        {"toolConfig": {"tools": [{"toolSpec": {"name": "a", "inputSchema": {"json": {"type": "array"}}}}]}},
        "inputSchema.json.type must be one of the following: object",
    ),
    "unknown tool": ({"toolConfig": tools("a", tool={"name": "b"})}, "is not the name of a tool"),
    "cache point in tools": ({"toolConfig": {"tools": [*tools("a")["tools"], POINT]}}, "#/toolConfig/tools/1: extran"),
    "cache point first": ({"messages": [{"role": "user", "content": [POINT]}]}, "#/messages/0/content/0: extraneous"),
    "cache points": ({"system": [{"text": "x"}, POINT] * 5}, "maximum of 4"),
    "result without call": (
        {"messages": [user("a"), said("b"), results("t")], "toolConfig": tools("add")},
        "number of toolResult blocks at messages.2.content exceeds",
    ),
    "result first": ({"messages": [results("t")], "toolConfig": tools("add")}, "exceeds the number of toolUse blocks"),
    "results not together": (
        {"messages": [user("a"), called("t1", "t2"), results("t1")], "toolConfig": tools("add")},
        "Expected toolResult blocks at messages.2.content for the following Ids: t1, t2",
    ),
    "result missing": (
        {"messages": [user("a"), called("t1"), user("b")], "toolConfig": tools("add")},
        "Expected toolResult blocks at messages.2.content",
    ),
    "call last": ({"messages": [user("a"), called("t1")], "toolConfig": tools("add")}, "at messages.2.content"),
    "input": (
        {
            "messages": [
                user("a"),
                {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t", "name": "add", "input": "3"}}]},
                results("t"),
            ],
            "toolConfig": tools("add"),
        },
        "toolUse.input is invalid. Provide a json object",
    ),
    "too long": ({"messages": [user("x " * 300_001)]}, "Input Tokens Exceeded"),
}


@pytest.mark.parametrize("request_and_words", REFUSED.values(), ids=REFUSED.keys())
def test_refuses_what_nova_refuses(
    bedrock: Any, wire: BedrockWire, request_and_words: tuple[dict[str, Any], str]
) -> None:
    request, words = request_and_words
    for operation in (bedrock.converse, bedrock.converse_stream):
        with pytest.raises(bedrock.exceptions.ValidationException) as refused:
            operation(**{"modelId": LITE, "messages": [user("hi")], **request})
        assert words in refused.value.response["Error"]["Message"]
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert [one.error for one in wire.requests()] == ["ValidationException"] * 2


@pytest.mark.parametrize(
    ("request_body", "words"),
    [
        (
            {"messages": [{"role": "user", "content": [{"poem": "x"}]}]},
            "ContentBlock object at messages.0.content.0 must",
        ),
        (
            {"messages": [user("a")], "toolConfig": tools("a", required={})},
            "ToolChoice object at toolConfig.toolChoice",
        ),
        ({"messages": [user("a")], "toolConfig": tools("a", none={})}, "ToolChoice object at toolConfig.toolChoice"),
    ],
)
def test_refuses_members_that_botocore_would_not_send(wire: BedrockWire, request_body: Any, words: str) -> None:
    answer = httpx.post(f"{wire.base_url}/model/{LITE}/converse", headers=BEARER, json=request_body)
    assert answer.status_code == 400
    assert answer.headers["x-amzn-errortype"].startswith("ValidationException:")
    assert words in answer.json()["message"]


def test_takes_what_nova_takes(bedrock: Any) -> None:
    turn = {"role": "user", "content": [*results("t1", "t2")["content"], {"text": "and?"}]}
    config = {"temperature": 1, "topP": 0, "maxTokens": 10_000}
    converse(bedrock, user("a"), called("t2", "t1"), turn, toolConfig=tools("add"), inferenceConfig=config)
    blank = {"toolResult": {"toolUseId": "t", "content": [{"text": ""}, {"json": {"n": 1}}]}}
    converse(bedrock, user("a"), called("t"), {"role": "user", "content": [blank]}, toolConfig=tools("add"))
    picture = {"image": {"format": "png", "source": {"bytes": b"..."}}}
    assert text_of(converse(bedrock, {"role": "user", "content": [picture]})) == "You said nothing."


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"[" * 100_000, b'{"messages": "hi"}', b'{"messages": [3]}'])
def test_a_body_that_is_no_request_is_a_serialization_error(wire: BedrockWire, body: bytes) -> None:
    answer = httpx.post(f"{wire.base_url}/model/{LITE}/converse", headers=BEARER, content=body)
    assert answer.status_code == 400
    assert answer.headers["x-amzn-errortype"].startswith("SerializationException:")


ARN = "arn:aws:bedrock:us-east-1:"


@pytest.mark.parametrize(
    "model",
    [
        LITE,
        "us.amazon.nova-pro-v1:0",
        "apac.amazon.nova-micro-v1:0",
        "jp.amazon.nova-2-lite-v1:0",
        "global.amazon.nova-2-lite-v1:0",
        f"{ARN}:foundation-model/{LITE}",
        f"{ARN}123456789012:inference-profile/eu.amazon.nova-lite-v1:0",
        f"{ARN}123456789012:application-inference-profile/abcdefghijkl",
    ],
)
def test_knows_models_by_id_profile_and_arn(bedrock: Any, wire: BedrockWire, model: str) -> None:
    converse(bedrock, user("hi"), model=model)
    assert wire.requests()[0].model == model


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("amazon.nova-mega-v1:0", "ValidationException"),
        ("jp.amazon.nova-lite-v1:0", "ValidationException"),
        (TITAN, "ValidationException"),
        (f"{ARN}:foundation-model/amazon.nova-mega-v1:0", "ResourceNotFoundException"),
        (f"{ARN}123456789012:application-inference-profile/missing", "ResourceNotFoundException"),
    ],
)
def test_refuses_models_it_does_not_know(bedrock: Any, model: str, error: str) -> None:
    with pytest.raises(getattr(bedrock.exceptions, error)):
        converse(bedrock, user("hi"), model=model)


# Credentials


def refusal(bedrock: Any) -> tuple[str, int]:
    with closing(bedrock), pytest.raises(ClientError) as refused:
        converse(bedrock, user("hi"))
    return refused.value.response["Error"]["Code"], refused.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_refuses_unsigned_and_expired_requests(wire: BedrockWire) -> None:
    assert refusal(client(wire, signature_version=UNSIGNED)) == ("MissingAuthenticationTokenException", 403)
    assert refusal(client(wire, token="EXPIRED")) == ("ExpiredTokenException", 403)


@pytest.mark.parametrize(
    ("authorization", "error"),
    [
        ("", "MissingAuthenticationTokenException"),
        ("Basic dXNlcjpwYXNz", "UnrecognizedClientException"),
        ("Bearer", "UnrecognizedClientException"),
        ("AWS4-HMAC-SHA256 Credential=AKID/20261125/us-east-1/bedrock/aws4_request", "UnrecognizedClientException"),
        (
            "AWS4-HMAC-SHA256 Credential=AKID/20261125/us-east-1/s3/aws4_request, "
            f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}",
            "InvalidSignatureException",
        ),
        ("Bearer EXPIRED", "AccessDeniedException"),
    ],
)
def test_refuses_malformed_credentials(wire: BedrockWire, authorization: str, error: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    answer = httpx.post(f"{wire.base_url}/model/{LITE}/converse", headers=headers, json={"messages": [user("hi")]})
    assert answer.status_code == 403
    assert answer.headers["x-amzn-errortype"].startswith(f"{error}:")


def test_takes_a_bearer_token_and_tells_no_secret(
    wire: BedrockWire, bedrock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    converse(bedrock, user("hi"))
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "ABSK-secret")
    with closing(client(wire)) as with_token:
        converse(with_token, user("hi"))
    signed, bearer = wire.requests()
    assert signed.signer == {"scheme": "sigv4", "access_key": "AKIDTEST", "region": "us-east-1", "session": False}
    assert bearer.signer is not None
    assert bearer.signer["scheme"] == "bearer"
    assert "ABSK-secret" not in str(bearer)
    assert "Signature=" not in str(signed)


def test_credentials_expire_by_access_key_until_they_are_refreshed(wire: BedrockWire, bedrock: Any) -> None:
    wire.script({"fault": "ExpiredTokenException", "access_key": "AKIDTEST", "times": "forever"})
    for _ in range(2):
        with pytest.raises(ClientError, match="ExpiredTokenException"):
            converse(bedrock, user("hi"))
    answer = httpx.post(f"{wire.base_url}/model/{LITE}/converse", headers=BEARER, json={"messages": [user("hi")]})
    assert answer.status_code == 200


def test_credentials_are_rejected_on_request(wire: BedrockWire, bedrock: Any) -> None:
    wire.script({"reject_credentials": True})
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        converse(bedrock, user("hi"))
    converse(bedrock, user("hi"))


# Scripted faults


def test_the_exceptions_are_those_of_botocores_service_model(bedrock: Any) -> None:
    shapes = bedrock.meta.service_model.error_shapes
    assert {shape.name: shape.metadata["error"]["httpStatusCode"] for shape in shapes} == {
        name: status for name, (status, _) in MODELLED.items()
    }
    output = bedrock.meta.service_model.operation_model("ConverseStream").get_event_stream_output()
    assert {name for name in output.members if name.endswith("Exception")} == set(MID_STREAM.values())


@pytest.mark.parametrize("name", MODELLED)
def test_every_modelled_exception_arrives_as_itself(wire: BedrockWire, bedrock: Any, name: str) -> None:
    wire.script({"fault": name, "times": 2}, {"fault": name, "message": "In other words."})
    for operation in (bedrock.converse, bedrock.converse_stream):
        with pytest.raises(getattr(bedrock.exceptions, name)) as failed:
            operation(modelId=LITE, messages=[user("hi")])
        assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == MODELLED[name][0]
        assert failed.value.response["Error"]["Message"] == MODELLED[name][1]
    with pytest.raises(getattr(bedrock.exceptions, name), match=r"In other words\."):
        bedrock.invoke_model(modelId=TITAN, body=json.dumps({"inputText": "hi"}))


def test_a_proxys_error_is_bare(wire: BedrockWire, bedrock: Any) -> None:
    wire.script({"status": 502, "body": "<html>Bad Gateway</html>"})
    with pytest.raises(ClientError, match="502"):
        converse(bedrock, user("hi"))


@pytest.mark.parametrize(("name", "code"), MID_STREAM.items())
@pytest.mark.parametrize("after", [None, 0, 2])
def test_an_exception_mid_stream_is_an_event_stream_error(
    wire: BedrockWire, bedrock: Any, name: str, code: str, after: int | None
) -> None:
    wire.script({"exception_mid_stream": name} | ({} if after is None else {"after": after}))
    got: list[Any] = []
    with pytest.raises(EventStreamError, match=code) as failed:
        events(bedrock, into=got)
    assert failed.value.response["Error"] == {"Code": code, "Message": MODELLED[name][1]}
    assert len(got) == (0 if after is None else 1 + after)
    seen = wire.requests()[0]
    assert (seen.status, seen.error, seen.deltas) == (200, name, after or 0)


@pytest.mark.parametrize(
    ("cut", "error"),
    [
        ({"cut": "reset"}, "reset by peer"),
        ({"cut": "close"}, "ended prematurely"),
        ({"cut": "close", "half_frame": True}, "IncompleteRead"),
        ({"cut": "reset", "half_frame": True}, "reset by peer"),
    ],
)
@pytest.mark.parametrize("after", [0, 2])
def test_a_stream_is_cut(wire: BedrockWire, bedrock: Any, cut: dict[str, Any], error: str, after: int) -> None:
    wire.script({**cut, "after": after})
    got: list[Any] = []
    with pytest.raises(ProtocolError, match=error):
        events(bedrock, into=got)
    assert len(got) == 1 + after
    seen = wire.requests()[0]
    assert (seen.deltas, seen.complete, seen.hung_up) == (after, False, False)


@pytest.mark.parametrize("cut", ["reset", "close"])
def test_a_connection_is_cut_before_anything(wire: BedrockWire, bedrock: Any, cut: str) -> None:
    wire.script({"cut": cut, "times": 2})
    for operation in (bedrock.converse, bedrock.converse_stream):
        with pytest.raises(ConnectionClosedError):
            operation(modelId=LITE, messages=[user("hi")])


def test_a_whole_answer_is_cut_in_its_body(wire: BedrockWire) -> None:
    wire.script({"cut": "close", "after": 0}, {"cut": "reset", "after": 0})
    for _ in range(2):
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            httpx.post(f"{wire.base_url}/model/{LITE}/converse", headers=BEARER, json={"messages": [user("hi")]})


@pytest.mark.parametrize(("script", "length"), [({"after": 2}, 3), ({"after": 99}, 4), ({}, 0)])
def test_a_stream_ends_cleanly_without_message_stop(
    wire: BedrockWire, bedrock: Any, script: dict[str, Any], length: int
) -> None:
    wire.script({"cut": "clean_end", **script})
    assert len(events(bedrock, user("hi"))) == length
    assert wire.requests()[0].complete is False


def test_a_corrupt_frame_does_not_pass_the_crc(wire: BedrockWire, bedrock: Any) -> None:
    wire.script({"corrupt_after": 1})
    got: list[Any] = []
    with pytest.raises(ChecksumMismatch):
        events(bedrock, into=got)
    assert len(got) == 2


def test_a_stall_ends_when_the_client_does(wire: BedrockWire) -> None:
    wire.script({"stall_before_first": True, "times": 2}, {"stall_after": 1})
    got: list[Any] = []
    with closing(client(wire, read_timeout=0.25)) as impatient:
        for operation in (impatient.converse, impatient.converse_stream):
            with pytest.raises(ReadTimeoutError):
                operation(modelId=LITE, messages=[user("hi")])
        with pytest.raises(Exception, match="Read timed out"):
            events(impatient, into=got)
    assert len(got) == 2
    wire.wait_for(lambda seen: len(seen) == 3 and all(one.hung_up for one in seen))
    assert {one.connection for one in wire.requests()}.isdisjoint(wire.connections())


def test_tells_when_a_client_hangs_up(wire: BedrockWire) -> None:
    wire.script({"stall_before_first": True})
    body = json.dumps({"messages": [user("hi")]}).encode()
    address = httpx.URL(wire.base_url)
    head = f"POST /model/{LITE}/converse HTTP/1.1\r\nAuthorization: Bearer x\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((address.host, address.port or 80)) as connection:
        connection.sendall(head.encode() + body)
        wire.wait_for(lambda seen: len(seen) == 1)
        assert wire.requests()[0].closed_at is None
        assert wire.requests()[0].connection in wire.connections()
    left = time.monotonic()
    wire.wait_for(lambda seen: seen[0].hung_up)
    closed_at = wire.requests()[0].closed_at
    assert closed_at is not None
    assert -0.05 < closed_at - left < 0.5


async def test_a_test_waits_for_a_request_without_blocking_its_client(wire: BedrockWire) -> None:
    async with httpx.AsyncClient(headers=BEARER) as async_client:
        wire.script({"stall_before_first": True})
        url = f"{wire.base_url}/model/{LITE}/converse"
        asking = asyncio.create_task(async_client.post(url, json={"messages": [user("hi")]}))
        await wire.until(lambda seen: seen[0].operation == "converse")
        asking.cancel()
        await asyncio.wait({asking})
    await wire.until(lambda seen: seen[0].hung_up)
    with pytest.raises(TimeoutError, match="too late"):
        wire.wait_for(lambda seen: seen[1].hung_up, seconds=0)


# Scripted answers


def test_the_pace_is_the_scripts(wire: BedrockWire, bedrock: Any) -> None:
    wire.script({"first_token_ms": 100, "chunk_ms": 10, "chunks": 20})
    started = time.monotonic()
    got = events(bedrock)
    took = time.monotonic() - started
    seen = wire.requests()[0]
    assert seen.first_byte_at is not None
    assert seen.first_byte_at - seen.received_at >= 0.099
    assert took >= 0.099 + 19 * 0.01
    assert len(texts(got)) == 20
    assert "".join(texts(got)).split()[:2] == ["word000", "word001"]
    assert got[-1]["metadata"]["metrics"]["latencyMs"] == 100


def test_text_is_split_as_scripted(wire: BedrockWire, bedrock: Any) -> None:
    text = "<thinking>Hm.</thinking> Yes."
    split = ["<thin", "king>Hm.</", "", "thinking> Y", "es."]
    wire.script({"split": split}, {"text": text, "every": 4}, {"text": text, "chunks": 3}, {"text": text})
    assert texts(events(bedrock)) == split
    assert texts(events(bedrock)) == [text[start : start + 4] for start in range(0, len(text), 4)]
    three = texts(events(bedrock))
    assert (len(three), "".join(three)) == (3, text)
    assert text_of(converse(bedrock, user("hi"))) == text


def test_blocks_are_scripted(wire: BedrockWire, bedrock: Any) -> None:
    calls = [{"name": "endCall", "input": {}}, {"name": "pay", "input": {"to": "Zoë"}, "id": "call-2"}]
    answer = {"reasoning": "Hm.", "text": "Wait.", "tool_calls": calls, "times": 2}
    wire.script(answer)
    whole = converse(bedrock, user("hi"))["output"]["message"]["content"]
    assert whole[:2] == [{"reasoningContent": {"reasoningText": {"text": "Hm."}}}, {"text": "Wait."}]
    assert whole[3] == {"toolUse": {"toolUseId": "call-2", "name": "pay", "input": {"to": "Zoë"}}}
    got = events(bedrock)
    indexes = [event["contentBlockStop"]["contentBlockIndex"] for event in got if "contentBlockStop" in event]
    assert indexes == [0, 1, 2, 3]
    starts = [event["contentBlockStart"]["start"]["toolUse"] for event in got if "contentBlockStart" in event]
    assert [start["name"] for start in starts] == ["endCall", "pay"]
    assert starts[0]["toolUseId"] != whole[2]["toolUse"]["toolUseId"]
    assert got[-2]["messageStop"]["stopReason"] == "tool_use"


def test_stop_reasons_and_usage_are_scripted(wire: BedrockWire, bedrock: Any) -> None:
    wire.script({"stop_reason": "guardrail_intervened", "usage": {"inputTokens": 7, "cacheReadInputTokens": 5}})
    whole = converse(bedrock, user("hi"))
    assert whole["stopReason"] == "guardrail_intervened"
    assert whole["usage"] == {"inputTokens": 7, "outputTokens": 4, "totalTokens": 6, "cacheReadInputTokens": 5}
    assert text_of(whole) == "You said: hi"
    wire.script({"text": "", "stop_reason": "malformed_tool_use"})
    assert [next(iter(event)) for event in events(bedrock)] == ["messageStart", "messageStop", "metadata"]


def test_a_behaviour_waits_for_its_request(wire: BedrockWire, bedrock: Any) -> None:
    wire.script(
        {"text": "for Pro", "model": "amazon.nova-pro-v1:0"},
        {"text": "for a stream", "operation": "converse-stream"},
        {"text": "for anyone", "times": 2},
    )
    assert text_of(converse(bedrock, user("hi"))) == "for anyone"
    assert "".join(texts(events(bedrock))) == "for a stream"
    assert text_of(converse(bedrock, user("hi"), model="amazon.nova-pro-v1:0")) == "for Pro"
    assert len(wire.pending()) == 1
    assert text_of(converse(bedrock, user("hi"))) == "for anyone"
    assert text_of(converse(bedrock, user("hi"))) == "You said: hi"
    assert [one.behaviour and one.behaviour["text"] for one in wire.requests()][-2:] == ["for anyone", None]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ({"fault": "NoSuchException"}, "there is no NoSuchException; there are AccessDeniedException"),
        ({"exception_mid_stream": "AccessDeniedException"}, "there is no AccessDeniedException; there are Internal"),
        ({"fautl": "ThrottlingException"}, "behaviour 0.fautl: Extra inputs are not permitted"),
        ({"fault": "ThrottlingException", "text": "x"}, "goes with nothing but"),
        ({"cut": "tear"}, "cut: Input should be 'reset', 'close' or 'clean_end'"),
        ({"cut": "reset", "stall_after": 1}, "cut and stall_after: an answer breaks off in one way"),
        ({"after": 1}, "after: needs exception_mid_stream or cut"),
        ({"cut": "close", "half_frame": True}, "half_frame: needs after"),
        ({"every": 1, "chunks": 2}, "give one of them"),
        ({"text": "ab", "split": ["a"]}, "are not the text"),
        ({"usage": {"tokens": 1}}, "usage.tokens"),
        ({"times": 0}, "times"),
    ],
)
def test_a_script_that_makes_no_sense_is_refused(wire: BedrockWire, script: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  (the words are checked below)
        wire.script(script)
    assert words in str(refused.value)
    assert wire.pending() == []
    assert httpx.post(f"{wire.base_url}/script", content=b"{").status_code == 400


def test_records_what_was_asked(wire: BedrockWire, bedrock: Any) -> None:
    converse(bedrock, user("hi"), system=[{"text": "Be brief."}])
    seen = wire.requests()[0]
    assert (seen.operation, seen.model, seen.status, seen.error, seen.complete) == ("converse", LITE, 200, None, True)
    assert seen.path == "/model/amazon.nova-lite-v1%3A0/converse"
    assert seen.body == {"messages": [user("hi")], "system": [{"text": "Be brief."}]}
    assert seen.headers["content-type"] == "application/json"
    assert seen.received_at <= time.monotonic()
    assert seen.connection in wire.connections()


def test_an_unknown_path_is_an_unknown_operation(wire: BedrockWire) -> None:
    assert httpx.get(f"{wire.base_url}/model/{LITE}/converse").status_code == 404
    assert wire.requests() == []


# Titan


def embed(bedrock: Any, text: str, **more: Any) -> Any:
    body = json.dumps({"inputText": text, **more})
    return json.loads(bedrock.invoke_model(modelId=TITAN, body=body)["body"].read())


def similarity(bedrock: Any, one: str, other: str) -> float:
    vectors = [embed(bedrock, text, dimensions=512)["embedding"] for text in (one, other)]
    return float(sum(a * b for a, b in zip(*vectors, strict=True)))


@pytest.mark.parametrize("dimensions", [256, 512, 1024])
def test_embeds_in_the_dimensions_that_titan_has(bedrock: Any, dimensions: int) -> None:
    answer = embed(bedrock, "What is the annual fee?", dimensions=dimensions, normalize=True)
    assert len(answer["embedding"]) == dimensions
    assert sum(number * number for number in answer["embedding"]) == pytest.approx(1)
    assert answer["inputTextTokenCount"] == 6
    assert answer["embeddingsByType"]["float"] == answer["embedding"]
    assert answer == embed(bedrock, "What is the annual fee?", dimensions=dimensions)


def test_similar_texts_are_near_each_other(bedrock: Any) -> None:
    near = similarity(bedrock, "the annual fee of a gold card", "annual fees of gold cards")
    far = similarity(bedrock, "the annual fee of a gold card", "the opening hours of a branch")
    assert near > 0.6
    assert far < 0.3


def test_titans_defaults_and_forms(bedrock: Any) -> None:
    assert len(embed(bedrock, "hi")["embedding"]) == 1024
    assert sum(abs(number) for number in embed(bedrock, "hi there", normalize=False)["embedding"]) > 1
    binary = embed(bedrock, "the opening hours of a branch", embeddingTypes=["binary"])
    assert "embedding" not in binary
    assert set(binary["embeddingsByType"]["binary"]) == {0, 1}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "required key [inputText] not found"),
        ({"inputText": " "}, "expected minLength: 1"),
        ({"inputText": "hi", "dimensions": 300}, "#/dimensions: 300 is not a valid enum value"),
        ({"inputText": "hi", "size": 3}, "extraneous key [size] is not permitted"),
        ({"inputText": "a" * 50_001}, "expected maxLength: 50000, actual: 50001"),
        ({"inputText": "a " * 8_193}, "Too many input tokens. Max input tokens: 8192"),
    ],
)
def test_refuses_what_titan_refuses(bedrock: Any, body: dict[str, Any], words: str) -> None:
    with pytest.raises(bedrock.exceptions.ValidationException) as refused:
        bedrock.invoke_model(modelId=TITAN, body=json.dumps(body))
    assert words in str(refused.value)
