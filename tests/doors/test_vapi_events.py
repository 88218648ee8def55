"""Vapi's server messages."""

import httpx
import pytest

CHAT, EVENTS = "/api/chat/completions/", "/api/vapi/events"
BLOCK = {"role": "user", "content": "block my card"}
CALL = {"call": {"id": "call-9"}, "customer": {"number": "+1234567890"}, "stream": False}


def say(http: httpx.Client, *messages: dict[str, str]) -> str:
    content: str = http.post(CHAT, json={**CALL, "messages": messages}).json()["choices"][0]["message"]["content"]
    return content


@pytest.mark.parametrize("ended", [{"type": "end-of-call-report"}, {"type": "status-update", "status": "ended"}])
def test_the_end_of_a_call_ends_what_is_open_in_it(http: httpx.Client, ended: dict[str, str]) -> None:
    question = say(http, BLOCK)
    done = http.post(EVENTS, json={"message": {**ended, "call": {"id": "call-9"}}})
    assert (done.status_code, done.json()) == (200, {})
    answer = say(http, BLOCK, {"role": "assistant", "content": question}, {"role": "user", "content": "yes"})
    assert "blocked" not in answer


def test_another_calls_end_changes_nothing(http: httpx.Client) -> None:
    question = say(http, BLOCK)
    http.post(EVENTS, json={"message": {"type": "end-of-call-report", "call": {"id": "call-10"}}})
    answer = say(http, BLOCK, {"role": "assistant", "content": question}, {"role": "user", "content": "yes"})
    assert "I've blocked" in answer


@pytest.mark.parametrize(
    "body", [b"", b"{bad", b"[]", b"{}", b'{"message":7}', b'{"message":{"type":"hang","call":null}}', b"[" * 99_999]
)
def test_any_other_message_is_accepted(http: httpx.Client, body: bytes) -> None:
    done = http.post(EVENTS, content=body)
    assert (done.status_code, done.json()) == (200, {})
