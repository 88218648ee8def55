"""What stands in examples/ and deploy/vapi/ works as it stands there."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from graph.lines import all_lines
from tests.support.server import ROOT, Server, environment

REQUESTS = ROOT / "examples" / "requests"

SAID = {
    "minimal": "business day",
    "non_streaming": "Gold",
    "full": "personal loans, home loans and auto loans",
    "multi_turn": "personal loan",
    "block_card": "I've blocked your Everyday Visa ending 1881",
    "two_wishes": "I've blocked your Student Mastercard ending 0077",
    "vapi_call": "Shall I block your Everyday Visa ending one eight eight one?",
    "not_in_documents": "I don't have anything on that",
}
"""What each request is answered with, among other words."""


def words(reply: httpx.Response) -> str:
    """The answer's text, of a stream or of a plain reply."""
    assert reply.status_code == 200, reply.text
    if reply.headers["content-type"] == "application/json":
        content: str = reply.json()["choices"][0]["message"]["content"]
        return content
    *frames, done = [line.removeprefix("data: ") for line in reply.text.splitlines() if line]
    assert done == "[DONE]"
    choices = [choice for frame in frames for choice in json.loads(frame)["choices"]]
    return "".join(choice["delta"].get("content", "") for choice in choices)


def test_every_request_is_expected_to_say_something() -> None:
    assert {file.stem for file in REQUESTS.glob("*.json")} == set(SAID)


@pytest.mark.parametrize("name", sorted(SAID))
def test_a_request_is_answered(http: httpx.Client, name: str) -> None:
    reply = http.post("/api/chat/completions/", content=(REQUESTS / f"{name}.json").read_bytes())
    assert SAID[name].lower() in words(reply).lower()


def run(script: str, server: Server, tmp_path: Path, *arguments: str) -> str:
    env = environment(tmp_path, BASE_URL=server.base_url)
    command = [sys.executable, str(ROOT / "examples" / script), *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_openai_client_prints_the_answer(server: Server, tmp_path: Path) -> None:
    assert "loan" in run("openai_python.py", server, tmp_path, "What loan options are available?").lower()


def test_the_langserve_client_has_a_conversation(server: Server, tmp_path: Path) -> None:
    printed = run("langserve_client.py", server, tmp_path)
    assert "Your Everyday Visa ending 1881 is active." in printed


@pytest.fixture
def assistant() -> dict[str, Any]:
    """The assistant for Vapi, read."""
    read: dict[str, Any] = json.loads((ROOT / "deploy" / "vapi" / "assistant.json").read_text("utf-8"))
    return read


def test_vapi_says_our_goodbye_when_it_hangs_up(assistant: dict[str, Any]) -> None:
    assert {"type": "endCall"} in assistant["model"]["tools"]
    assert assistant["endCallMessage"] in all_lines("goodbye")


def test_the_vapi_assistant_reaches_the_endpoint(http: httpx.Client, assistant: dict[str, Any]) -> None:
    """As Vapi calls it: the url of the assistant, and /chat/completions behind it."""
    model = assistant["model"]
    said = {"role": "assistant", "content": assistant["firstMessage"]}
    asked = {"role": "user", "content": "what loans do you have"}
    body = {
        "model": model["model"],
        "messages": [*model["messages"], said, asked],
        "temperature": model["temperature"],
        "max_tokens": model["maxTokens"],
        "stream": True,
        "call": {"id": "assistant-json"},
        "customer": {"number": "+1234567890"},
    }
    reply = http.post(f"{urlsplit(model['url']).path.rstrip('/')}/chat/completions", json=body)
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert "loan" in words(reply).lower()
