"""Real clients, unchanged, against a real server process: each of them streaming and not."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients import langchain_python, openai_python
from tests.clients.node_clients import NODE, NodeClient
from tests.clients.scene import END_CALL, TIME, WEATHER, Ask, Called, Client
from tests.support.bedrock.client import BedrockWire
from tests.support.server import Server

LOANS = "What loan options are available?"
IN_ROME = "What is the weather like in Rome?"

CLIENTS: dict[str, Client] = {
    "openai-python": openai_python.blocking,
    "openai-python-asyncio": openai_python.with_asyncio,
    "langchain-openai": langchain_python.chat_openai,
    "openai-node-4.87.3": NodeClient("openai.mjs", "openai-vapi"),
    "openai-node-6": NodeClient("openai.mjs", "openai-6"),
    "openai-node": NodeClient("openai.mjs", "openai"),
    "ai-sdk-6": NodeClient("ai.mjs", "ai-6", "openai-compatible-6"),
    "ai-sdk": NodeClient("ai.mjs", "ai", "@ai-sdk/openai-compatible"),
}
HELPERS: dict[str, Client] = {
    "openai-python": openai_python.by_stream_helper,
    "openai-node-4.87.3": NodeClient("openai.mjs", "openai-vapi", "helper"),
    "openai-node-6": NodeClient("openai.mjs", "openai-6", "helper"),
    "openai-node": NodeClient("openai.mjs", "openai", "helper"),
}

every_client = pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
both_ways = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
every_client_both_ways = pytest.mark.parametrize(
    ("client", "stream"),
    [
        pytest.param(client, stream, id=f"{name}-{way}")
        for way, stream in (("stream", True), ("whole", False))
        for name, client in CLIENTS.items()
    ],
)


@pytest.fixture(scope="module", autouse=True)
def node_processes_end() -> Iterator[None]:
    yield
    for client in (*CLIENTS.values(), *HELPERS.values()):
        if isinstance(client, NodeClient):
            client.close()


def base(server: Server) -> str:
    """The base URL as Vapi has it: the client appends `/chat/completions`."""
    return f"{server.base_url}/api"


@every_client_both_ways
def test_a_question_is_answered_where_nothing_is_set_up(server: Server, client: Client, stream: bool) -> None:
    heard = client(Ask(base(server), LOANS, stream))
    assert "personal loans" in heard.text
    assert heard.finish == "stop"
    assert heard.pieces > 5 or not stream  # word by word, not one piece


@every_client_both_ways
def test_a_goodbye_hangs_up_by_rule(server: Server, client: Client, stream: bool) -> None:
    heard = client(Ask(base(server), "Okay thanks, goodbye!", stream, tools=[END_CALL]))
    assert (heard.text, heard.finish, heard.calls) == ("", "tool_calls", [Called("endCall", {})])


@every_client
def test_the_whole_endpoint_as_base_url_works_too(server: Server, client: Client) -> None:
    heard = client(Ask(f"{server.base_url}/api/chat/completions", "Hello", stream=True))
    assert "Teller" in heard.text


@every_client_both_ways
def test_a_model_calls_a_tool_and_goes_on_with_its_result(
    nova: Server, wire: BedrockWire, client: Client, stream: bool
) -> None:
    wire.script(
        {"tool_calls": [{"name": "get_weather", "input": {"city": "Rome"}}], "every": 3},
        {"text": "It is sunny in Rome.", "every": 4},
    )
    heard = client(Ask(base(nova), IN_ROME, stream, tools=[WEATHER], results={"get_weather": "Sunny, 20 degrees."}))
    assert (heard.text, heard.finish) == ("It is sunny in Rome.", "stop")
    last = wire.requests()[-1].body["messages"]
    assert last[-2]["content"][-1]["toolUse"]["input"] == {"city": "Rome"}
    assert "Sunny, 20 degrees." in json.dumps(last[-1]["content"])


@every_client_both_ways
def test_calls_side_by_side_and_words_before_them_are_told_apart(
    nova: Server, wire: BedrockWire, client: Client, stream: bool
) -> None:
    calls = [{"name": name, "input": {"city": "Rome"}} for name in ("get_weather", "get_time")]
    wire.script({"text": "Let me look.", "tool_calls": calls, "every": 3})
    heard = client(Ask(base(nova), IN_ROME, stream, tools=[WEATHER, TIME]))
    assert (heard.text, heard.finish) == ("Let me look.", "tool_calls")
    assert heard.calls == [Called("get_weather", {"city": "Rome"}), Called("get_time", {"city": "Rome"})]


@pytest.mark.parametrize("client", HELPERS.values(), ids=HELPERS)
@pytest.mark.parametrize("text", ["", pytest.param("Let me look.")], ids=["silent", "after-words"])
def test_the_stream_helpers_put_calls_together(nova: Server, wire: BedrockWire, client: Client, text: str) -> None:
    calls = [{"name": name, "input": {"city": "Rome"}} for name in ("get_weather", "get_time")]
    wire.script({"tool_calls": calls, "every": 3, **({"text": text} if text else {})})
    heard = client(Ask(base(nova), IN_ROME, stream=True, tools=[WEATHER, TIME]))
    assert (heard.text, heard.finish) == (text, "tool_calls")
    assert heard.calls == [Called("get_weather", {"city": "Rome"}), Called("get_time", {"city": "Rome"})]


@every_client
def test_usage_comes_with_a_stream_when_it_is_asked_for(nova: Server, wire: BedrockWire, client: Client) -> None:
    usage = {"inputTokens": 10, "cacheReadInputTokens": 30, "cacheWriteInputTokens": 0, "outputTokens": 3}
    wire.script({"text": "Three kinds.", "usage": usage})
    assert client(Ask(base(nova), LOANS, stream=True, include_usage=True)).tokens == (40, 3)


@every_client
@both_ways
def test_a_wrong_parameter_is_named(nova: Server, client: Client, stream: bool) -> None:
    failed = client(Ask(base(nova), LOANS, stream, temperature=3)).failed
    assert failed is not None
    assert (failed.status, failed.type, failed.param) == (400, "invalid_request_error", "temperature")
    assert "temperature" in failed.message


@every_client
@both_ways
def test_a_wrong_key_is_refused(nova: Server, client: Client, stream: bool) -> None:
    failed = client(Ask(base(nova), LOANS, stream, api_key="wrong")).failed
    assert failed is not None
    assert (failed.status, failed.type) == (401, "authentication_error")


@every_client
@both_ways
def test_a_model_that_cannot_be_used_is_a_503(nova: Server, wire: BedrockWire, client: Client, stream: bool) -> None:
    wire.script({"fault": "AccessDeniedException", "times": "forever"})
    failed = client(Ask(base(nova), LOANS, stream)).failed
    assert failed is not None
    assert (failed.status, failed.type) == (503, "service_unavailable_error")


@every_client
def test_an_answer_that_breaks_off_is_an_error_and_not_an_answer(
    nova: Server, wire: BedrockWire, client: Client
) -> None:
    wire.script({"text": "We offer three kinds of loans to you.", "every": 4, "cut": "reset", "after": 3})
    failed = client(Ask(base(nova), LOANS, stream=True)).failed
    assert failed is not None
    assert re.search(r"broke off|error", failed.message)


@every_client
def test_a_client_that_stops_reading_stops_the_model(nova: Server, wire: BedrockWire, client: Client) -> None:
    wire.script({"chunks": 1000, "chunk_ms": 20})
    heard = client(Ask(base(nova), LOANS, stream=True, stop_after=3))
    assert heard.gave_up
    stopped(wire)


@every_client
@both_ways
def test_a_client_that_gives_up_waiting_stops_the_model(
    nova: Server, wire: BedrockWire, client: Client, stream: bool
) -> None:
    wire.script({"stall_before_first": True})
    heard = client(Ask(base(nova), LOANS, stream, patience=0.5))
    assert heard.gave_up
    stopped(wire)


def stopped(wire: BedrockWire) -> None:
    """Fail unless the model was hung up on within two seconds, and no connection with an answer under way is left."""
    wire.wait_for(lambda seen: seen[0].hung_up, seconds=2)
    [asked] = wire.requests()
    assert asked.connection not in wire.connections()


def test_the_lock_of_the_node_clients_names_no_mirror() -> None:
    lock: dict[str, Any] = json.loads((NODE / "package-lock.json").read_text("utf-8"))
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
