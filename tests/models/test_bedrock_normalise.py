"""Whatever conversation a door lets in, what is sent is what Nova takes, and nothing that was said is lost."""

import copy
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
)

from teller.errors import ModelRequestError
from teller.models.bedrock.model import AsyncChatBedrockConverse
from teller.models.bedrock.normalise import CACHE_POINT, NO_RESULT, OPENING
from tests.support.bedrock.models import resolve
from tests.support.bedrock.validate import validate

LITE = "amazon.nova-lite-v1:0"
NOVA = AsyncChatBedrockConverse(model_id=LITE, region_name="us-east-1")
END_CALL = {"type": "function", "function": {"name": "endCall"}}
TRANSFER = {
    "type": "function",
    "function": {
        "name": "transferCall",
        "description": "",
        "strict": None,
        "parameters": {"type": "object", "properties": {"destination": {"type": "string"}}, "$defs": {}},
    },
}

blank = st.sampled_from(["", " ", "\n\t"])
words = st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda text: bool(text.strip()))
text = blank | words
content = text | st.lists(st.builds(lambda said: {"type": "text", "text": said}, text), max_size=3)
ids = st.sampled_from(["a", "b", "call ü/1", "", "x" * 80])
names = st.sampled_from(["endCall", "transferCall", "tool.with dots", "n" * 90])
arguments = st.dictionaries(st.sampled_from(["destination", "n"]), text | st.integers() | st.none(), max_size=2)
calls = st.lists(st.builds(ToolCall, name=names, args=arguments, id=ids), max_size=3)
messages = st.one_of(
    st.builds(SystemMessage, content),
    st.builds(HumanMessage, content),
    st.builds(AIMessage, content),
    st.builds(lambda said, called: AIMessage(said, tool_calls=called), text, calls),
    st.builds(lambda said, answered: ToolMessage(said, tool_call_id=answered), content, ids),
    st.builds(lambda said: FunctionMessage(content=said, name="f"), text),
)
histories = st.lists(messages, min_size=1, max_size=12)
choices = st.sampled_from(
    [None, "auto", "none", "required", {"type": "function", "function": {"name": "endCall"}}, "endCall"]
)
options = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.floats(0, 2),
        "top_p": st.floats(0, 1),
        "max_tokens": st.integers(1, 4096),
        "tools": st.sampled_from([[END_CALL], [END_CALL, TRANSFER]]),
        "tool_choice": choices,
        "seed": st.integers(),
        "parallel_tool_calls": st.booleans(),
    },
)
stops = st.none() | st.lists(st.sampled_from(["", "\n", "END", "END"]), min_size=1, max_size=4)


def sent(history: Sequence[BaseMessage], stop: list[str] | None = None, **options: Any) -> dict[str, Any]:
    """What goes to Bedrock."""
    request = NOVA._request(history, stop, options)
    json.dumps(request)  # nothing in it but JSON
    return request


def roles(request: dict[str, Any]) -> list[str]:
    return [message["role"] for message in request["messages"]]


@settings(max_examples=400, deadline=None)
@given(histories, options, stops)
def test_nova_takes_what_is_sent(history: list[BaseMessage], options: dict[str, Any], stop: list[str] | None) -> None:
    before = copy.deepcopy((history, options))
    request = sent(history, stop, **options)
    validate({**request, "modelId": None}, resolve(LITE, "chat"))
    assert (history, options) == before


@settings(max_examples=200, deadline=None)
@given(histories, options)
def test_nothing_that_was_said_is_lost(history: list[BaseMessage], options: dict[str, Any]) -> None:
    request = sent(history, **options)
    told = json.dumps(request["messages"], ensure_ascii=False) + json.dumps(request["system"], ensure_ascii=False)
    for message in history:
        parts = [message.content] if isinstance(message.content, str) else message.content
        for part in parts:
            said = part if isinstance(part, str) else part["text"]
            assert json.dumps(said.strip(), ensure_ascii=False)[1:-1] in told


@settings(max_examples=200, deadline=None)
@given(histories)
def test_what_is_in_form_stays_as_it_is(history: list[BaseMessage]) -> None:
    once = sent(history, tools=[END_CALL])
    again = sent(as_messages(once), tools=[END_CALL])
    assert again["messages"] == once["messages"]


def as_messages(request: dict[str, Any]) -> list[BaseMessage]:
    """A request's conversation, read back as messages."""
    read: list[BaseMessage] = []
    for message in request["messages"]:
        texts = [block["text"] for block in message["content"] if "text" in block]
        if message["role"] == "assistant":
            uses = [block["toolUse"] for block in message["content"] if "toolUse" in block]
            called = [ToolCall(name=use["name"], args=use["input"], id=use["toolUseId"]) for use in uses]
            read.append(AIMessage("\n".join(texts), tool_calls=called))
            continue
        for result in (block["toolResult"] for block in message["content"] if "toolResult" in block):
            said: list[Any] = [{"type": "text", "text": block["text"]} for block in result["content"]]
            read.append(ToolMessage(said, tool_call_id=result["toolUseId"], status=result["status"]))
        read += [HumanMessage(said) for said in texts]
    return read


def test_a_phone_call_begins_with_the_greeting() -> None:
    request = sent([SystemMessage("Be kind."), AIMessage("Hello."), HumanMessage("what fees")])
    assert request["messages"][0] == {"role": "user", "content": [{"text": OPENING}]}
    assert roles(request) == ["user", "assistant", "user"]


def test_turns_that_were_cut_to_nothing_leave_no_trace() -> None:
    request = sent([HumanMessage("Hi."), AIMessage(" "), HumanMessage("Are you there?"), HumanMessage("\n")])
    assert request["messages"] == [{"role": "user", "content": [{"text": "Hi.\nAre you there?"}]}]


def test_results_that_come_late_stand_behind_their_calls_and_missing_ones_are_made() -> None:
    called = AIMessage("", tool_calls=[ToolCall(name="a", args={}, id="1"), ToolCall(name="b", args={}, id="2")])
    late = [HumanMessage("Hm?"), AIMessage("Wait."), ToolMessage("done", tool_call_id="2")]
    request = sent([HumanMessage("Go."), called, *late], tools=[END_CALL])
    assert [block["toolUse"]["toolUseId"] for block in request["messages"][1]["content"]] == ["1", "2"]
    results = [block["toolResult"] for block in request["messages"][2]["content"] if "toolResult" in block]
    assert [(one["toolUseId"], one["content"], one["status"]) for one in results] == [
        ("1", [{"text": NO_RESULT}], "error"),
        ("2", [{"text": "done"}], "success"),
    ]
    assert roles(request) == ["user", "assistant", "user", "assistant"]


def test_a_result_of_no_call_is_told_in_words() -> None:
    request = sent([HumanMessage("Hi."), ToolMessage("42", tool_call_id="lost")], tools=[END_CALL])
    assert request["messages"] == [{"role": "user", "content": [{"text": "Hi.\n[Result of a tool: 42]"}]}]


def test_without_tools_calls_are_told_in_words() -> None:
    called = AIMessage("", tool_calls=[ToolCall(name="a", args={"x": 1}, id="1")])
    request = sent([HumanMessage("Go."), called, ToolMessage("done", tool_call_id="1")])
    assert "toolConfig" not in request
    assert [message["content"][0]["text"] for message in request["messages"]] == [
        "Go.",
        '[Called a with {"x": 1}]',
        "[Result of a tool: done]",
    ]


def test_no_choice_takes_the_tools_away_unless_the_conversation_needs_them() -> None:
    called = AIMessage("", tool_calls=[ToolCall(name="endCall", args={}, id="1")])
    assert "toolConfig" not in sent([HumanMessage("Hi.")], tools=[END_CALL], tool_choice="none")
    kept = sent([HumanMessage("Hi."), called], tools=[END_CALL], tool_choice="none")["toolConfig"]
    assert ([tool["toolSpec"]["name"] for tool in kept["tools"]], kept.get("toolChoice")) == (["endCall"], None)


@pytest.mark.parametrize(
    ("asked", "formed"),
    [
        ("required", {"any": {}}),
        ("auto", {"auto": {}}),
        ("endCall", {"tool": {"name": "endCall"}}),
        ({"type": "function", "function": {"name": "endCall"}}, {"tool": {"name": "endCall"}}),
    ],
)
def test_a_tool_choice_has_bedrocks_form(asked: Any, formed: Any) -> None:
    assert sent([HumanMessage("Hi.")], tools=[END_CALL], tool_choice=asked)["toolConfig"]["toolChoice"] == formed
    bound = NOVA.bind_tools([END_CALL], tool_choice=asked)
    assert sent([HumanMessage("Hi.")], **bound.kwargs)["toolConfig"]["toolChoice"] == formed  # type: ignore[attr-defined]


def test_sampling_stays_within_converses_limits() -> None:
    request = sent([HumanMessage("Hi.")], ["", "END", "END", "\n"], temperature=1.7, top_p=1.0, max_tokens=9)
    assert request["inferenceConfig"] == {
        "temperature": 1.0,
        "topP": 1.0,
        "maxTokens": 9,
        "stopSequences": ["END", "\n"],
    }


def test_the_fixed_prompt_is_cached_and_the_clients_is_a_block_of_its_own() -> None:
    request = sent([SystemMessage("Ours."), HumanMessage("Hi."), SystemMessage("The client's.")])
    assert request["system"] == [{"text": "Ours."}, CACHE_POINT, {"text": "The client's."}]
    by_hand: list[Any] = [{"type": "text", "text": "Ours."}, {"type": "text", "text": "More."}, CACHE_POINT]
    request = sent([SystemMessage(by_hand), HumanMessage("Hi.")])
    assert request["system"] == [{"text": "Ours."}, {"text": "More."}, CACHE_POINT]


def test_what_bedrock_has_no_form_for_is_the_callers_error() -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}}
    with pytest.raises(ModelRequestError):
        sent([HumanMessage([picture])])


def test_an_answer_in_langchains_newer_form_is_read_back() -> None:
    plain = AIMessage([{"type": "text", "text": "Hello."}], response_metadata={"output_version": "v1"})
    thought = [{"type": "reasoning", "reasoning": "Hm."}, {"type": "text", "text": "Well."}]
    mixed = AIMessage(thought, response_metadata={"output_version": "v1", "model_provider": "bedrock_converse"})  # type: ignore[arg-type]
    request = sent([HumanMessage("Hi."), plain, HumanMessage("So?"), mixed, HumanMessage("Yes?")])
    assert [one["content"] for one in request["messages"][1::2]] == [[{"text": "Hello."}], [{"text": "Well."}]]
