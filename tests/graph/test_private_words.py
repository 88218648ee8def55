"""What may not be kept of what was said does not enter the graph, wherever in a message it stands."""

import sys
import threading
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, InvalidToolCall, ToolCall, ToolMessage

from graph import turn
from graph.private_words import PrivateWords, set_apart
from graph.state import InputState
from graph.workflow import Teller
from tests.support.conversation import Conversation

CARD, PHONE = "4111111111111111", "+1234567890"


@pytest.mark.parametrize(
    "args",
    [
        {"card": CARD, "phone": PHONE},
        {"card": int(CARD)},
        {"who": {"numbers": [f"call {PHONE}", {"card": "4111 1111 1111 1111"}]}},
    ],
)
def test_a_tool_call_of_the_history_holds_no_card_or_phone_number(args: dict[str, Any]) -> None:
    call = ToolCall(name="lookup", args={**args, "amount": 12, "note": "fees"}, id="call-1")
    wrong = InvalidToolCall(type="invalid_tool_call", name="lookup", args=f'{{"card": {CARD}', id="call-2", error=None)
    as_openai = {"tool_calls": [{"id": "call-1", "function": {"name": "lookup", "arguments": str(args)}}]}
    said = AIMessage("One moment.", tool_calls=[call], invalid_tool_calls=[wrong], additional_kwargs=as_openai)
    given, _ = set_apart({"messages": [HumanMessage("Hello"), said, ToolMessage("found", tool_call_id="call-1")]})
    kept = given["messages"][1]
    assert isinstance(kept, AIMessage)
    for number in (CARD, "4111 1111 1111 1111", PHONE):
        assert number not in repr(kept)
    assert (kept.text, kept.tool_calls[0]["id"], kept.invalid_tool_calls[0]["id"]) == (
        "One moment.",
        "call-1",
        "call-2",
    )
    assert (kept.tool_calls[0]["args"]["amount"], kept.tool_calls[0]["args"]["note"]) == (12, "fees")


async def test_a_long_conversation_is_masked_beside_the_event_loop(
    graph: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    def recorded(given: InputState) -> tuple[InputState, PrivateWords]:
        threads.append(threading.current_thread())
        return set_apart(given)

    monkeypatch.setattr(turn, "set_apart", recorded)
    talk = Conversation(graph, PHONE, messages=[HumanMessage("4242 " * 5_000), AIMessage("Sorry?")])
    assert await talk.say("Hello")
    assert threads
    assert threading.main_thread() not in threads


def test_a_tool_call_that_holds_none_is_kept_as_it_is() -> None:
    said = AIMessage("", tool_calls=[ToolCall(name="transfer", args={"to": "desk", "urgent": True}, id="call-1")])
    assert set_apart({"messages": [said]})[0]["messages"] == [said]


def test_a_tool_call_that_is_nested_too_deeply_keeps_no_arguments() -> None:
    args: dict[str, Any] = {"card": CARD}
    for _ in range(sys.getrecursionlimit()):
        args = {"in": args}
    said = AIMessage("", tool_calls=[ToolCall(name="lookup", args=args, id="call-1")])
    (kept,) = set_apart({"messages": [said]})[0]["messages"]
    assert isinstance(kept, AIMessage)
    assert kept.tool_calls[0]["args"] == {}
