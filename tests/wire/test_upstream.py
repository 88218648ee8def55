"""Nova behind the endpoint: what reaches the wire, and what each of its failures is answered with."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.bedrock.client import BedrockWire
from tests.support.server import start_server

CHAT = "/api/chat/completions/"
LOANS = [{"role": "user", "content": "What loan options are available?"}]
CALL: dict[str, Any] = {"call": {"id": "call-1"}, "customer": {"number": "+1234567890"}}


@pytest.fixture(scope="module")
def nova(bank: Path, wire: BedrockWire, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A server whose model is Nova on the wire, with nothing to step in for it."""
    data_dir = shutil.copytree(bank, tmp_path_factory.mktemp("nova") / "data")
    settings = {"CHAT_MODEL": "amazon.nova-lite-v1:0", "MODEL_TIMEOUT_SECONDS": "2", **wire.environment()}
    server, process = start_server(data_dir, **settings)
    with httpx.Client(base_url=server.base_url, timeout=30) as client:
        yield client
    process.terminate()
    process.communicate(timeout=10)


@pytest.fixture(autouse=True)
def fresh(wire: BedrockWire) -> None:
    wire.reset()


def post(http: httpx.Client, stream: bool = False, **more: Any) -> httpx.Response:
    return http.post(CHAT, json={"messages": LOANS, "stream": stream, **more})


def test_the_model_that_answered_is_named_and_its_tokens_are_counted(nova: httpx.Client, wire: BedrockWire) -> None:
    wire.script({"text": "We offer three kinds of loans."})
    reply = post(nova).json()
    assert reply["model"] == "amazon.nova-lite-v1:0"
    assert reply["choices"][0]["message"]["content"] == "We offer three kinds of loans."
    assert reply["usage"]["prompt_tokens"] > 0
    assert reply["usage"]["completion_tokens"] > 0


def test_thoughts_and_markdown_are_not_heard(nova: httpx.Client, wire: BedrockWire) -> None:
    wire.script({"text": "<thinking>Loans, I see.</thinking>\n**Three** kinds of loans.", "every": 3})
    assert post(nova, **CALL).json()["choices"][0]["message"]["content"] == "Three kinds of loans."


def test_what_reaches_the_wire(nova: httpx.Client, wire: BedrockWire) -> None:
    messages = [
        {"role": "system", "content": "Speak like a pirate. [phone: +1234567890]"},
        {"role": "assistant", "content": "Hello."},
        {
            "role": "user",
            "content": "My card 4111 1111 1111 1111 aside: what loan options are available? [phone: +1234567890]",
        },
    ]
    post(nova, messages=messages, temperature=1.7, max_tokens=99, stop=["END"])
    body = wire.requests()[0].body
    sent = json.dumps(body)
    assert "+1234567890" not in sent
    assert "4111 1111 1111 1111" not in sent
    system = " ".join(block.get("text", "") for block in body["system"])
    assert system.startswith("You are Teller")
    assert "<client_instructions>\nSpeak like a pirate." in system
    last = body["messages"][-1]["content"][-1]["text"]
    assert last.startswith('<passages>\n<passage source="')
    assert "loan options are available?" in last.rpartition("</passages>")[2]
    assert body["messages"][0]["role"] == "user"
    assert body["inferenceConfig"]["maxTokens"] == 99
    assert body["inferenceConfig"]["temperature"] <= 1
    assert body["inferenceConfig"]["stopSequences"] == ["END"]


def test_voice_is_told_how_to_speak(nova: httpx.Client, wire: BedrockWire) -> None:
    post(nova, **CALL)
    assert "You are heard, not read" in json.dumps(wire.requests()[0].body["system"])


def test_a_greeting_and_a_card_never_reach_the_model(nova: httpx.Client, wire: BedrockWire) -> None:
    for said in ("Hello", "is my card active? [phone: +1234567890]"):
        post(nova, messages=[{"role": "user", "content": said}])
    assert wire.requests() == []


UPSTREAM = [
    ("ValidationException", 400, None),
    ("UnrecognizedClientException", 503, "upstream_auth"),
    ("ExpiredTokenException", 503, "upstream_auth"),
    ("AccessDeniedException", 503, "model_access_denied"),
    ("ResourceNotFoundException", 503, "model_not_found"),
    ("ThrottlingException", 503, None),
    ("ModelNotReadyException", 503, None),
    ("ServiceQuotaExceededException", 503, None),
    ("ServiceUnavailableException", 503, None),
    ("InternalServerException", 503, None),
    ("ModelErrorException", 503, "upstream_model_error"),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("fault", "status", "code"), UPSTREAM)
def test_each_failure_has_its_answer(
    nova: httpx.Client, wire: BedrockWire, fault: str, status: int, code: str | None, stream: bool
) -> None:
    wire.script({"fault": fault, "times": 6})
    answer = post(nova, stream=stream)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    wanted = "invalid_request_error" if status == 400 else "service_unavailable_error"
    assert error["type"] == wanted
    if status == 503 and code is None:
        assert int(answer.headers["retry-after"]) > 0


def test_a_silent_model_is_a_504(nova: httpx.Client, wire: BedrockWire) -> None:
    wire.script({"stall_before_first": True})
    assert post(nova, stream=True).status_code == 504


def test_a_filtered_answer_is_no_error(nova: httpx.Client, wire: BedrockWire) -> None:
    wire.script({"text": "", "stop_reason": "guardrail_intervened"})
    choice = post(nova).json()["choices"][0]
    assert choice["finish_reason"] == "content_filter"
    assert choice["message"]["content"]
    assert choice["message"]["annotations"] == []


def test_what_nova_used_of_the_passages_is_cited(nova: httpx.Client, wire: BedrockWire) -> None:
    wire.script({"text": "We offer personal loans from 7.49% to 17.99% APR, home loans and auto loans."})
    cited = [one["url_citation"]["title"] for one in post(nova).json()["choices"][0]["message"]["annotations"]]
    assert cited == ["Loan eligibility"]


def test_a_model_that_does_not_know_has_used_nothing(nova: httpx.Client, wire: BedrockWire) -> None:
    wire.script({"text": "I'm sorry, I don't know that. Would you like to speak to a person?"})
    message = post(nova).json()["choices"][0]["message"]
    assert (message["content"][:9], message["annotations"]) == ("I'm sorry", [])


@pytest.mark.parametrize("cut", ["reset", "close", "clean_end"])
def test_a_cut_in_mid_stream_is_told_in_a_frame(nova: httpx.Client, wire: BedrockWire, cut: str) -> None:
    wire.script({"text": "We offer three kinds of loans to you.", "every": 4, "cut": cut, "after": 3})
    lines = [line.removeprefix("data: ") for line in post(nova, stream=True).text.splitlines() if line]
    assert lines[-1] == "[DONE]"
    last = json.loads(lines[-2])
    assert last["choices"][0]["finish_reason"] == "error"
    assert set(last["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("behaviour", [{"fault": "ThrottlingException", "times": 6}, {"cut": "reset", "after": 3}])
def test_on_the_phone_a_failure_is_spoken(nova: httpx.Client, wire: BedrockWire, behaviour: dict[str, Any]) -> None:
    wire.script({**behaviour, **({"text": "We offer loans of three kinds.", "every": 4} if "cut" in behaviour else {})})
    answer = post(nova, **CALL)
    assert answer.status_code == 200
    choice = answer.json()["choices"][0]
    assert choice["finish_reason"] == "stop"
    assert "sorry" in choice["message"]["content"]


def test_health_tells_how_the_model_fared(nova: httpx.Client, wire: BedrockWire) -> None:
    wire.script({"fault": "AccessDeniedException"})
    post(nova)
    assert nova.get("/health/ready").status_code == 503
    assert nova.get("/api/health/").json()["services"]["model"]["status"] == "unhealthy"
    post(nova)
    assert nova.get("/health/ready").status_code == 200


def test_the_clients_tools_are_the_models_to_call(nova: httpx.Client, wire: BedrockWire) -> None:
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}
    wire.script({"tool_calls": [{"name": "get_weather", "input": {"city": "Rome"}}]})
    messages = [{"role": "user", "content": "What is the weather like in Rome?"}]
    choice = post(nova, messages=messages, tools=[tool]).json()["choices"][0]
    call = choice["message"]["tool_calls"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert json.loads(call["function"]["arguments"]) == {"city": "Rome"}
    messages += [choice["message"], {"role": "tool", "tool_call_id": call["id"], "content": "Sunny."}]
    wire.script({"text": "It is sunny in Rome."})
    done = post(nova, messages=messages, tools=[tool]).json()["choices"][0]
    assert done["message"]["content"] == "It is sunny in Rome."


def test_a_fallback_answers_where_the_first_model_fails(bank: Path, wire: BedrockWire, tmp_path: Path) -> None:
    wire.script({"fault": "ThrottlingException", "times": 6})
    data_dir = shutil.copytree(bank, tmp_path / "data")
    server, process = start_server(data_dir, **wire.environment())  # auto: Nova, and quote steps in
    with httpx.Client(base_url=server.base_url, timeout=30) as client:
        reply = post(client).json()
        names = [model["id"] for model in client.get("/v1/models").json()["data"]]
    process.terminate()
    process.communicate(timeout=10)
    assert reply["model"] == "quote"
    assert "personal loans" in reply["choices"][0]["message"]["content"]
    assert names == ["quote", "amazon.nova-lite-v1:0"]
