"""One message at a time: what of it is not blank, and how a tool's call and result are told in words."""

import json
from collections.abc import Iterator
from typing import Any, Literal

from langchain_core.messages import AIMessage, BaseMessage, FunctionMessage, HumanMessage, ToolCall, ToolMessage

NO_OUTPUT = "(No output.)"

Block = Any
"""A part of a message's content: a dict in one of LangChain's, Anthropic's or Bedrock's forms."""

_CALL_BLOCKS = {"tool_use", "tool_call", "invalid_tool_call"}  # langchain-aws makes them anew, of `tool_calls`


def parts(message: BaseMessage) -> Iterator[BaseMessage]:
    """Yield what of a message is not blank: nothing, itself, or the tool results in it and then the rest."""
    content = blocks(message)
    match message:
        case AIMessage():
            words = [block for block in content if _kind(block) not in _CALL_BLOCKS]
            calls = message.tool_calls or [_call(block) for block in content if _kind(block) == "tool_use"]
            if words or calls:
                said = joined(words)
                # What wrote the blocks, and in which form: nothing that a text needs, and wrong for it.
                origin = {} if isinstance(said, str) else message.response_metadata
                yield AIMessage(said, tool_calls=calls, response_metadata=origin)
        case HumanMessage():
            yield from (_result(block) for block in content if _kind(block) == "tool_result")
            if words := [block for block in content if _kind(block) != "tool_result"]:
                yield HumanMessage(joined(words))
        case ToolMessage():
            yield message.model_copy(update={"content": joined(content) or NO_OUTPUT})
        case FunctionMessage():
            if content:
                yield HumanMessage(f"[Result of {message.name}: {message.text}]")
        case _:
            yield message


def blocks(message: BaseMessage) -> list[Block]:
    """Return the content of a message in blocks, without blank text."""
    content = [message.content] if isinstance(message.content, str) else message.content
    formed = [{"type": "text", "text": block} if isinstance(block, str) else block for block in content]
    return [block for block in formed if _kind(block) != "text" or (block.get("text") or "").strip()]


def joined(content: list[Block]) -> str | list[Block]:
    """Return blocks as one text, if they are nothing else.

    Of a block langchain-aws 1.9.1 looks up the type hints each time, 0.15 ms a turn; of a text it does not.
    """
    return "\n".join(block["text"] for block in content) if all(map(is_plain, content)) else content


def is_plain(block: Block) -> bool:
    """Return whether a block is a text and nothing else, such as its sources."""
    return _kind(block) == "text" and not block.keys() & {"citations", "annotations"}


def as_text(part: BaseMessage) -> BaseMessage:
    """Return a message in which a tool's call or result is told in words."""
    if isinstance(part, ToolMessage):
        return HumanMessage(f"[Result of a tool: {part.text.strip() or NO_OUTPUT}]")
    if isinstance(part, AIMessage) and part.tool_calls:
        told = [f"[Called {call['name']} with {json.dumps(call['args'])}]" for call in part.tool_calls]
        words = joined([*blocks(part), {"type": "text", "text": "\n".join(told)}])
        return part.model_copy(update={"content": words, "tool_calls": []})
    return part


def _kind(block: Block) -> str:
    kind: str = block.get("type", "text" if "text" in block else "")
    return kind


def _call(block: Block) -> ToolCall:
    """Return the call in a block of Anthropic's form."""
    arguments = block.get("input") or {}
    return ToolCall(name=block["name"], args=arguments if isinstance(arguments, dict) else {}, id=block["id"])


def _result(block: Block) -> ToolMessage:
    """Return the result in a block of Anthropic's form, which stands in a user's turn."""
    status: Literal["error", "success"] = "error" if block.get("is_error") else "success"
    return ToolMessage(block.get("content") or NO_OUTPUT, tool_call_id=block["tool_use_id"], status=status)
