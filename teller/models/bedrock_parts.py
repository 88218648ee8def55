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
                yield AIMessage(joined(words), tool_calls=calls, response_metadata=message.response_metadata)
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
    """Return the content of a message in blocks, without blank text; plain text in Bedrock's form.

    A block in LangChain's form costs langchain-aws 1.9.1 0.15 ms, as it looks up type hints for each.
    """
    content = [message.content] if isinstance(message.content, str) else message.content
    formed = [_plain(block) for block in content]
    return [block for block in formed if _kind(block) != "text" or block["text"].strip()]


def joined(content: list[Block]) -> str | list[Block]:
    """Return blocks as one text, if they are nothing else."""
    return content if any(block.keys() != {"text"} for block in content) else "\n".join(b["text"] for b in content)


def as_text(part: BaseMessage) -> BaseMessage:
    """Return a message in which a tool's call or result is told in words."""
    if isinstance(part, ToolMessage):
        return HumanMessage(f"[Result of a tool: {part.text.strip() or NO_OUTPUT}]")
    if isinstance(part, AIMessage) and part.tool_calls:
        told = [f"[Called {call['name']} with {json.dumps(call['args'])}]" for call in part.tool_calls]
        return AIMessage(joined([*blocks(part), {"text": "\n".join(told)}]))
    return part


def _plain(block: Block) -> Block:
    if isinstance(block, str):
        return {"text": block}
    return {"text": block["text"]} if block.get("type") == "text" and not block.get("citations") else block


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
