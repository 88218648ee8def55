"""From any conversation that our doors let in to the only form that Nova takes.

Nova wants the user's turn first, turns that alternate, no blank text, and each tool call answered in the turn behind
it. Phone calls begin with the assistant's greeting, hold turns that were cut to nothing, and bring a tool's result late
or never. Rules: https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html and
https://docs.aws.amazon.com/nova/latest/userguide/tool-use-results.html.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from teller.models.bedrock.parts import Block, as_text, blocks, is_plain, joined, parts
from teller.models.bedrock.tools import lawful

OPENING = "(The conversation begins.)"
"""Stands for the user where the assistant speaks first."""
NO_RESULT = "No result was given."
"""Answers a tool call that nobody answered."""
CACHE_POINT = {"cachePoint": {"type": "default"}}


def normalise(messages: Sequence[BaseMessage], *, tools: bool, cache_prefix: bool) -> list[BaseMessage]:
    """Return a conversation that Nova takes: at most one system message, then turns that alternate.

    Runs of users' turns and tool results are left as they are: langchain-aws makes one turn of them.

    Args:
        messages: the conversation; nothing in it is changed.
        tools: whether tools are declared. Without them Nova takes no tool call and no result: both become text.
        cache_prefix: whether a cache point stands behind the first system message, the fixed part of the prompt.
    """
    system = [message for message in messages if isinstance(message, SystemMessage)]
    said = [part for message in messages if not isinstance(message, SystemMessage) for part in parts(message)]
    turns = _merged(_paired(said) if tools else map(as_text, said))
    if not turns or isinstance(turns[0], AIMessage):
        turns.insert(0, HumanMessage(OPENING))
    return [*_one_system(system, cache_prefix), *turns]


def has_tool_calls(messages: Iterable[BaseMessage]) -> bool:
    """Return whether an assistant called tools in this conversation."""
    return any(isinstance(part, AIMessage) and part.tool_calls for message in messages for part in parts(message))


def within_limits(inference: dict[str, Any]) -> dict[str, Any]:
    """Return an inference configuration within Converse's limits, which are narrower than OpenAI's."""
    limited = dict(inference)
    for name in ("temperature", "topP"):
        if name in limited:
            limited[name] = min(max(limited[name], 0.0), 1.0)
    if "stopSequences" in limited:
        limited["stopSequences"] = list(dict.fromkeys(stop for stop in limited["stopSequences"] if stop))
    return {name: value for name, value in limited.items() if value != []}


def _paired(said: Iterable[BaseMessage]) -> list[BaseMessage]:
    """Return the messages with each call's result right behind it, and the results of no call as text."""
    turns: list[BaseMessage] = []
    taken: set[str] = set()
    missing: dict[str, int] = {}  # the client's id of a call without a result yet, and where that is to stand
    for part in said:
        if isinstance(part, ToolMessage) and part.tool_call_id in missing:
            place = missing.pop(part.tool_call_id)
            turns[place] = turns[place].model_copy(update={"content": part.content, "status": part.status})
        elif isinstance(part, AIMessage) and part.tool_calls:
            calls = lawful(part.tool_calls, taken)
            turns.append(part.model_copy(update={"tool_calls": calls}))
            for theirs, ours in zip(part.tool_calls, calls, strict=True):
                missing[theirs["id"] or ""] = len(turns)
                turns.append(ToolMessage(NO_RESULT, tool_call_id=ours["id"], status="error"))
        else:
            turns.append(as_text(part))
    return turns


def _merged(turns: Iterable[BaseMessage]) -> list[BaseMessage]:
    """Return the turns with each run of the assistant's as one."""
    merged: list[BaseMessage] = []
    for turn in turns:
        before = merged[-1] if merged else None
        if isinstance(turn, AIMessage) and isinstance(before, AIMessage):
            merged[-1] = turn.model_copy(update={"content": joined([*blocks(before), *blocks(turn)])})
        else:
            merged.append(turn)
    return merged


def _one_system(messages: Iterable[SystemMessage], cache_prefix: bool) -> list[SystemMessage]:
    content: list[Block] = []
    for message in messages:
        content += [{"text": block["text"]} if is_plain(block) else block for block in blocks(message)]
        if cache_prefix and content and not any("cachePoint" in block for block in content):
            content.append(CACHE_POINT)
    return [SystemMessage(content)] if content else []
