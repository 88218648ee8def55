"""Bodies made to hurt: whatever comes, the answer is a reply or an error in the envelope, never a 500 or silence."""

import json
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CHAT = "/api/chat/completions/"
OURS = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
NAMES = (
    "messages model temperature top_p max_tokens max_completion_tokens stop stream stream_options n logprobs tools "
    "tool_choice response_format modalities metadata call customer"
).split()
messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "developer", "user", "assistant", "tool", "function", "boss"])},
        optional={
            "content": st.text(max_size=60) | json_values,
            "tool_calls": json_values,
            "tool_call_id": json_values,
            "name": json_values,
        },
    ),
    max_size=5,
)
bodies = st.dictionaries(st.sampled_from(NAMES), json_values, max_size=5).flatmap(
    lambda body: st.builds(lambda said: {**body, "messages": said}, messages) | st.just(body)
)


def fits(response: httpx.Response) -> None:
    """Hold what must be true of every answer."""
    assert response.status_code in (200, 400, 413, 429), (response.status_code, response.text[:300])
    if response.status_code != 200:
        error: dict[str, Any] = response.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
    elif response.headers["content-type"].startswith("text/event-stream"):
        assert response.text.rstrip().endswith("data: [DONE]")
    else:
        assert response.json()["choices"][0]["message"]["content"] is not None


@OURS
@given(body=bodies)
def test_any_object_is_answered(http: httpx.Client, body: dict[str, Any]) -> None:
    content = json.dumps(body).encode("utf-8", "surrogatepass")
    fits(http.post(CHAT, content=content, headers={"content-type": "application/json"}))


@OURS
@given(body=st.binary(max_size=200))
def test_any_bytes_are_answered(http: httpx.Client, body: bytes) -> None:
    fits(http.post(CHAT, content=body))


@OURS
@given(place=st.integers(0, 10_000), byte=st.binary(min_size=1, max_size=3))
def test_a_good_body_with_a_wound_is_answered(http: httpx.Client, place: int, byte: bytes) -> None:
    good = json.dumps({"messages": [{"role": "user", "content": "What does a wire cost?"}], "stream": False}).encode()
    cut = place % len(good)
    fits(http.post(CHAT, content=good[:cut] + byte + good[cut + 1 :]))
