"""What the model says when no script tells it: one rule for text, one for tools.

Text, by the last user message:

- it holds tool results: `The tools said: ` and the results, joined by `; `; a failed one begins with `error: `
- it holds a `<passages>` block: the first sentence of the first passage; if it is empty, `There are no passages.`
- it holds text: `You said: ` and the text; else `You said nothing.`

Tools, where the request has some. A text *asks for* a tool if it holds the tool's name as written, or every word of the
name (`block_card`, `blockCard`: block, card; a leading `get` need not be said). Passages ask for nothing.

- toolChoice tool: that tool is called
- toolChoice any: all tools that the text asks for are called, in their order; the first tool if it asks for none
- toolChoice auto or absent: all tools that the text asks for are called; none after tool results

Arguments: `arguments`. `maxTokens` and `stopSequences` cut the text.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import unescape
from itertools import count
from typing import Any

from tests.support.bedrock.arguments import arguments
from tests.support.bedrock.usage import count_tokens, cut_to_tokens

_PASSAGES = re.compile(r"<passages>(.*?)</passages>\s*", re.DOTALL)
_FIRST_PASSAGE = re.compile(r"(?:<passage\b[^>]*>)?\s*(.*?)\s*(?:</passage>|\Z)", re.DOTALL)
_SENTENCE = re.compile(r".+?(?:[.!?](?=\s|$)|$)", re.MULTILINE)
_NAME_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model calls."""

    name: str
    input: Mapping[str, Any]
    tool_use_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says in one turn, in the order of its blocks."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    stop_reason: str = "end_turn"
    reasoning: str = ""

    def tokens(self) -> int:
        """Return how many tokens it has."""
        inputs = (json.dumps(call.input, ensure_ascii=False) for call in self.tool_calls)
        return count_tokens(self.reasoning) + count_tokens(self.text) + sum(map(count_tokens, inputs))


def new_tool_use_id() -> str:
    """Return an id that this process has not used before."""
    return f"tooluse_{next(_numbers):022d}"


def usual_answer(request: Mapping[str, Any]) -> Answer:
    """Return the answer to a valid Converse request."""
    content = next(message["content"] for message in reversed(request["messages"]) if message["role"] == "user")
    results = [block["toolResult"] for block in content if "toolResult" in block]
    said = "\n".join(block["text"] for block in content if "text" in block)
    asking = _PASSAGES.sub("", said)
    called = _called(request.get("toolConfig", {}), asking, after_results=bool(results))
    if called:
        calls = (
            ToolCall(tool["name"], arguments(tool["inputSchema"]["json"], asking), new_tool_use_id()) for tool in called
        )
        return Answer(tool_calls=tuple(calls), stop_reason="tool_use")
    text = f"The tools said: {'; '.join(map(_result, results))}" if results else _reply(said)
    return _cut(Answer(text), request.get("inferenceConfig", {}))


def _called(config: Mapping[str, Any], text: str, *, after_results: bool) -> Sequence[Mapping[str, Any]]:
    tools = [tool["toolSpec"] for tool in config.get("tools", ()) if "toolSpec" in tool]
    match config.get("toolChoice", {"auto": {}}):
        case {"tool": {"name": name}}:
            return [tool for tool in tools if tool["name"] == name][:1]
        case {"any": _}:
            return _asked_for(tools, text) or tools[:1]
        case _:
            return [] if after_results else _asked_for(tools, text)


def _asked_for(tools: Sequence[Mapping[str, Any]], text: str) -> list[Mapping[str, Any]]:
    said = set(re.findall(r"\w+", text.casefold()))
    return [tool for tool in tools if tool["name"].casefold() in said or _name_words(tool["name"]) <= said]


def _name_words(name: str) -> set[str]:
    words = [word.casefold() for word in _NAME_WORD.findall(name)]
    return set(words[1:] if words[:1] == ["get"] and len(words) > 1 else words)


def _result(result: Mapping[str, Any]) -> str:
    parts = (block.get("text") or json.dumps(block.get("json", "…"), ensure_ascii=False) for block in result["content"])
    return f"{'error: ' if result.get('status') == 'error' else ''}{' '.join(parts)}"


def _reply(said: str) -> str:
    if passages := _PASSAGES.search(said):
        return _first_sentence(passages[1])
    return f"You said: {said}" if said.strip() else "You said nothing."


def _first_sentence(passages: str) -> str:
    passage = _FIRST_PASSAGE.match(passages.strip())
    sentence = _SENTENCE.match(unescape(passage[1])) if passage else None
    return sentence[0].strip() if sentence else "There are no passages."


def _cut(whole: Answer, config: Mapping[str, Any]) -> Answer:
    """Cut the text at the first stop sequence, then at the most tokens."""
    stops = [place for stop in config.get("stopSequences", ()) if (place := whole.text.find(stop)) >= 0]
    if stops:
        whole = replace(whole, text=whole.text[: min(stops)].rstrip(), stop_reason="stop_sequence")
    most = config.get("maxTokens")
    if most is not None and count_tokens(whole.text) > most:
        whole = replace(whole, text=cut_to_tokens(whole.text, most), stop_reason="max_tokens")
    return whole
