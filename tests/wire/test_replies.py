"""The replies: a stream by default, one object when asked, in the forms that real clients read."""

import json
from typing import Any

import httpx
import pytest

CHAT = "/api/chat/completions/"
LOANS = [{"role": "user", "content": "What loan options are available?"}]


def frames(response: httpx.Response) -> list[dict[str, Any]]:
    """Return the frames of a stream, which must end with [DONE]."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    data = [line.removeprefix("data: ") for line in response.text.splitlines() if line]
    assert data[-1] == "[DONE]"
    return [json.loads(frame) for frame in data[:-1]]


def text_of(stream: list[dict[str, Any]]) -> str:
    return "".join(choice["delta"].get("content", "") for frame in stream for choice in frame["choices"])


def test_it_is_a_stream_by_default(http: httpx.Client) -> None:
    response = http.post(CHAT, json={"messages": LOANS})
    stream = frames(response)
    assert stream[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert stream[-1]["choices"][0] == {"index": 0, "delta": {}, "finish_reason": "stop"}
    assert {frame["object"] for frame in stream} == {"chat.completion.chunk"}
    assert len({(frame["id"], frame["created"], frame["model"]) for frame in stream}) == 1
    assert len(stream) > 5  # tokens as they are made, not one chunk
    assert "personal loans" in text_of(stream).lower()
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-accel-buffering"] == "no"
    assert response.headers["x-teller-routes"] == "knowledge"
    assert "classify;dur=" in response.headers["server-timing"]


def test_it_is_one_compact_object_when_asked(http: httpx.Client) -> None:
    response = http.post(CHAT, json={"messages": LOANS, "stream": False})
    reply = response.json()
    assert '"object":"chat.completion"' in response.text
    assert reply["id"].startswith("chatcmpl-")
    choice = reply["choices"][0]
    assert (choice["index"], choice["finish_reason"], choice["logprobs"]) == (0, "stop", None)
    assert choice["message"]["role"] == "assistant"
    usage = reply["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0


def test_stream_and_object_say_the_same(http: httpx.Client) -> None:
    whole = http.post(CHAT, json={"messages": LOANS, "stream": False}).json()
    assert text_of(frames(http.post(CHAT, json={"messages": LOANS}))) == whole["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    ("accept", "streams"),
    [("*/*", True), ("application/json", False), ("text/event-stream, application/json", True)],
)
def test_accept_decides_only_where_stream_is_absent(http: httpx.Client, accept: str, streams: bool) -> None:
    headers = {"accept": accept}
    absent = http.post(CHAT, json={"messages": LOANS}, headers=headers)
    assert absent.headers["content-type"].startswith("text/event-stream") is streams
    given = http.post(CHAT, json={"messages": LOANS, "stream": True}, headers=headers)
    assert given.headers["content-type"].startswith("text/event-stream")


def test_usage_comes_in_one_more_frame_when_asked(http: httpx.Client) -> None:
    stream = frames(http.post(CHAT, json={"messages": LOANS, "stream_options": {"include_usage": True}}))
    assert all(frame["usage"] is None for frame in stream[:-1])
    assert stream[-1]["choices"] == []
    assert stream[-1]["usage"]["completion_tokens"] > 0


@pytest.mark.parametrize(
    "path",
    [
        "/api/chat/completions",
        "/api/chat/completions/",
        "/api/chat/completions/chat/completions",
        "/api/chat/completions/chat/completions/",
        "/v1/chat/completions",
        "/v1/chat/completions/",
        "/api/agent/query/chat/completions",
        "/api/agent/query/chat/completions/",
    ],
)
def test_every_alias_answers_without_a_redirect(http: httpx.Client, path: str) -> None:
    response = http.post(path, json={"messages": LOANS, "stream": False}, follow_redirects=False)
    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/v1/models", "/api/models"])
def test_the_models_are_listed(http: httpx.Client, path: str) -> None:
    listed = http.get(path).json()
    assert listed["object"] == "list"
    assert [model["id"] for model in listed["data"]] == ["quote"]


def test_max_tokens_and_stop_bound_the_models_text(http: httpx.Client) -> None:
    cut = http.post(CHAT, json={"messages": LOANS, "stream": False, "max_tokens": 5}).json()
    assert cut["choices"][0]["finish_reason"] == "length"
    assert cut["usage"]["completion_tokens"] <= 5
    whole = http.post(CHAT, json={"messages": LOANS, "stream": False}).json()["choices"][0]["message"]["content"]
    word = whole.split()[3]
    stopped = http.post(CHAT, json={"messages": LOANS, "stream": False, "stop": word}).json()
    assert word not in stopped["choices"][0]["message"]["content"]


def test_a_rendered_sentence_is_never_cut(http: httpx.Client) -> None:
    body = {"messages": [{"role": "user", "content": "Block my credit card [phone: +1234567890]"}], "stream": False}
    reply = http.post(CHAT, json={**body, "max_tokens": 1, "stop": ["blocked"]}).json()
    assert "I've blocked your Everyday Visa ending 1881." in reply["choices"][0]["message"]["content"]
    assert reply["usage"]["total_tokens"] == 0


def test_without_a_user_message_it_greets(http: httpx.Client) -> None:
    body = {"messages": [{"role": "system", "content": "Be kind."}], "stream": False}
    assert "automated assistant" in http.post(CHAT, json=body).json()["choices"][0]["message"]["content"]


def test_blank_assistant_turns_are_dropped(http: httpx.Client) -> None:
    messages = [{"role": "assistant", "content": ""}, *LOANS, {"role": "assistant", "content": None}, *LOANS]
    assert http.post(CHAT, json={"messages": messages, "stream": False}).status_code == 200


def test_text_parts_are_read(http: httpx.Client) -> None:
    parts = [{"type": "text", "text": "What loan options"}, {"type": "text", "text": "are available?"}]
    body = {"messages": [{"role": "user", "content": parts}], "stream": False}
    assert "personal loans" in http.post(CHAT, json=body).json()["choices"][0]["message"]["content"].lower()


def test_a_vapi_body_is_voice_and_its_customer_the_caller(http: httpx.Client) -> None:
    body = {
        "messages": [{"role": "user", "content": "block my card"}],
        "stream": False,
        "call": {"id": "call-7", "type": "inboundPhoneCall"},
        "customer": {"number": "+1234567890"},
        "metadata": {"numModelRequestInTurn": 1},
        "timestamp": 1790000000000,
    }
    reply = http.post(CHAT, json=body).json()["choices"][0]["message"]["content"]
    assert reply == "Shall I block your Everyday Visa ending one eight eight one?"


def test_what_an_answer_rests_on_is_cited(http: httpx.Client) -> None:
    message = http.post(CHAT, json={"messages": LOANS, "stream": False}).json()["choices"][0]["message"]
    (citation, *_) = [annotation["url_citation"] for annotation in message["annotations"]]
    assert (citation["start_index"], citation["end_index"]) == (0, len(message["content"]))
    assert http.get(citation["url"]).json()["title"] == citation["title"]
    stream = frames(http.post(CHAT, json={"messages": LOANS}))
    assert stream[-2]["choices"][0]["delta"]["annotations"] == message["annotations"]


def test_on_voice_nothing_is_cited(http: httpx.Client) -> None:
    body = {"messages": LOANS, "stream": False, "call": {"id": "call-8"}}
    assert http.post(CHAT, json=body).json()["choices"][0]["message"]["annotations"] == []
