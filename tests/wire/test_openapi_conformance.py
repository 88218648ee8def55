"""Replies, chunks and errors against OpenAI's own OpenAPI document (`tests/fixtures/README.md` tells which).

The frame that tells of a failure in mid-stream is exempt: its finish reason `error` is what makes clients raise.
"""

import json
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema_rs import ValidationError, Validator, validator_for

from tests.support.bedrock.client import BedrockWire
from tests.support.server import ROOT, start_server

CHAT = "/api/chat/completions/"
REPLY, CHUNK, ERROR = "CreateChatCompletionResponse", "CreateChatCompletionStreamResponse", "ErrorResponse"
KEY = {"authorization": "Bearer s3cret"}

LOANS = {"messages": [{"role": "user", "content": "What loan options are available?"}]}
GOODBYE = {
    "messages": [{"role": "user", "content": "Okay thanks, goodbye!"}],
    "tools": [{"type": "function", "function": {"name": "endCall"}}],
}
WEATHER = {
    "messages": [{"role": "user", "content": "What is the weather like in Rome?"}],
    "tools": [
        {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
        for name in ("get_weather", "get_time")
    ],
}
CALLS = [{"name": "get_weather", "input": {"city": "Rome"}}, {"name": "get_time", "input": {}}]
USAGE = {"stream_options": {"include_usage": True}}


def or_null(part: Any) -> Any:
    """Read `nullable: true`, which JSON Schema does not know, as "or null"."""
    if isinstance(part, list):
        return [or_null(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    read = {name: or_null(inner) for name, inner in part.items() if name != "nullable"}
    return {"anyOf": [read, {"type": "null"}]} if part.get("nullable") is True else read


def closed(part: Any) -> Any:
    """Allow an object nothing but the properties that it names."""
    if isinstance(part, list):
        return [closed(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    read = {name: closed(inner) for name, inner in part.items()}
    return {"additionalProperties": False, **read} if "properties" in part and part.get("type") == "object" else read


@cache
def schemas() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((ROOT / "tests/fixtures/openai_chat_schemas.json").read_text("utf-8"))
    read: dict[str, Any] = or_null(document["components"]["schemas"])
    return read


@cache
def validator(name: str, *, strictly: bool = False) -> Validator:
    known = schemas()
    if strictly:
        known = closed(known)
        # Citations of a stream come in a delta, as OpenAI sends them; its document knows them in whole messages alone.
        known["ChatCompletionStreamResponseDelta"]["properties"]["annotations"] = {"type": "array"}
    return validator_for({"$ref": f"#/components/schemas/{name}", "components": {"schemas": known}})


def conforms(name: str, content: Any) -> None:
    """Fail where something is not as OpenAI's schema has it, or has a field that the schema does not name."""
    for strictly in (False, True):
        problems = [
            f"{'.'.join(map(str, e.instance_path))}: {e.message}"
            for e in validator(name, strictly=strictly).iter_errors(content)
        ]
        assert problems == [], content


def chunks(response: httpx.Response) -> list[dict[str, Any]]:
    """Return the chunks of a stream, each of which conforms."""
    assert response.status_code == 200, response.text
    data = [line.removeprefix("data: ") for line in response.text.splitlines() if line]
    assert data[-1] == "[DONE]"
    frames = [json.loads(frame) for frame in data[:-1]]
    for frame in frames:
        conforms(CHUNK, frame)
    return frames


def calls_in(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [call for frame in frames for choice in frame["choices"] for call in choice["delta"].get("tool_calls") or ()]


@pytest.fixture(scope="module")
def nova_server(bank: Path, wire: BedrockWire, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A server that asks for a key, and whose model is Nova on the wire, with nothing to step in for it."""
    data_dir = shutil.copytree(bank, tmp_path_factory.mktemp("nova") / "data")
    settings = {"API_KEYS": "tests:s3cret", "CHAT_MODEL": "amazon.nova-lite-v1:0", **wire.environment()}
    server, process = start_server(data_dir, **settings)
    with httpx.Client(base_url=server.base_url, timeout=30) as client:
        yield client
    process.terminate()
    process.communicate(timeout=10)


@pytest.fixture
def nova(nova_server: httpx.Client, wire: BedrockWire) -> httpx.Client:
    wire.reset()
    return nova_server


@pytest.mark.parametrize("name", [REPLY, CHUNK])
def test_the_schemas_are_read_right_they_accept_openais_own_examples(name: str) -> None:
    examples = [text for text in schemas()[name]["x-oaiMeta"]["example"].split("\n\n") if text.startswith("{")]
    assert examples
    for example in examples:
        validator(name).validate(json.loads(example))


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        (REPLY, {"id": "1", "object": "chat.completion", "created": 1, "model": "m"}),
        (CHUNK, {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{"index": 0}]}),
        (ERROR, {"error": {"message": "m", "type": "t", "code": None}}),
    ],
)
def test_the_schemas_are_read_right_they_refuse_what_is_wrong(name: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        validator(name).validate(wrong)


def test_a_plain_reply(http: httpx.Client) -> None:
    reply = http.post(CHAT, json={**LOANS, "stream": False}).json()
    conforms(REPLY, reply)
    assert reply["choices"][0]["message"]["content"]


def test_a_reply_that_was_cut_by_max_tokens(http: httpx.Client) -> None:
    reply = http.post(CHAT, json={**LOANS, "stream": False, "max_tokens": 5}).json()
    conforms(REPLY, reply)
    assert reply["choices"][0]["finish_reason"] == "length"


def test_a_plain_stream(http: httpx.Client) -> None:
    assert chunks(http.post(CHAT, json=LOANS))[-1]["choices"][0]["finish_reason"] == "stop"


def test_a_stream_with_usage(http: httpx.Client) -> None:
    frames = chunks(http.post(CHAT, json={**LOANS, **USAGE}))
    assert [frame["usage"] for frame in frames[:-1]] == [None] * (len(frames) - 1)
    assert (frames[-1]["choices"], frames[-1]["usage"]["completion_tokens"] > 0) == ([], True)


def test_a_call_by_rule(http: httpx.Client) -> None:
    reply = http.post(CHAT, json={**GOODBYE, "stream": False}).json()
    conforms(REPLY, reply)
    assert reply["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "endCall"


def test_a_call_by_rule_in_a_stream(http: httpx.Client) -> None:
    frames = chunks(http.post(CHAT, json={**GOODBYE, **USAGE}))
    assert [call["function"]["name"] for call in calls_in(frames)] == ["endCall"]


def test_a_models_text_and_calls(nova: httpx.Client, wire: BedrockWire) -> None:
    wire.script({"text": "Let me look.", "tool_calls": CALLS})
    reply = nova.post(CHAT, json={**WEATHER, "stream": False}, headers=KEY).json()
    conforms(REPLY, reply)
    assert [call["function"]["name"] for call in reply["choices"][0]["message"]["tool_calls"]] == [
        "get_weather",
        "get_time",
    ]


def test_a_models_text_and_calls_in_a_stream(nova: httpx.Client, wire: BedrockWire) -> None:
    wire.script({"text": "Let me look.", "tool_calls": CALLS, "every": 3})
    frames = chunks(nova.post(CHAT, json={**WEATHER, **USAGE}, headers=KEY))
    named = [call for call in calls_in(frames) if "id" in call]
    assert [call["function"]["name"] for call in named] == ["get_weather", "get_time"]
    assert frames[-2]["choices"][0]["finish_reason"] == "tool_calls"


def test_a_models_calls_are_numbered_from_0_after_words_too(nova: httpx.Client, wire: BedrockWire) -> None:
    wire.script({"text": "Let me look.", "tool_calls": CALLS})
    frames = chunks(nova.post(CHAT, json=WEATHER, headers=KEY))
    assert [call["index"] for call in calls_in(frames) if "id" in call] == [0, 1]


def test_a_filtered_answer(nova: httpx.Client, wire: BedrockWire) -> None:
    wire.script({"text": "", "stop_reason": "guardrail_intervened"})
    frames = chunks(nova.post(CHAT, json=LOANS, headers=KEY))
    assert frames[-1]["choices"][0]["finish_reason"] == "content_filter"


@pytest.mark.parametrize(
    ("status", "path", "change", "headers"),
    [
        (400, CHAT, {"messages": []}, KEY),
        (400, CHAT, {"temperature": 3}, KEY),
        (401, CHAT, {}, {}),
        (401, CHAT, {}, {"authorization": "Bearer wrong"}),
        (404, "/nowhere", {}, KEY),
        (413, CHAT, {"user": "x" * 1_000_000}, KEY),
    ],
)
def test_a_refusal(nova: httpx.Client, status: int, path: str, change: dict[str, Any], headers: dict[str, str]) -> None:
    refused = nova.post(path, json={**LOANS, **change}, headers=headers)
    assert refused.status_code == status
    conforms(ERROR, refused.json())


@pytest.mark.parametrize("stream", [False, True])
def test_a_model_that_is_down(nova: httpx.Client, wire: BedrockWire, stream: bool) -> None:
    wire.script({"fault": "ThrottlingException", "times": 6})
    refused = nova.post(CHAT, json={**LOANS, "stream": stream}, headers=KEY)
    assert refused.status_code == 503
    conforms(ERROR, refused.json())
