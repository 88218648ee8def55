"""The messages of a call as Vapi keeps them: what the assistant said is what was heard of it."""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from simulator.replies import ToolCall
from simulator.script import Transcript

Message = dict[str, Any]


class History:
    """Messages, oldest first, without what is being said right now."""

    def __init__(self, transcript: Transcript, messages: list[Message]) -> None:
        self._transcript = transcript
        self._messages = messages

    def copy(self) -> "History":
        """Return the same history, to go on from here twice."""
        return History(self._transcript, deepcopy(self._messages))

    def with_user(self, words: str) -> list[Message]:
        """Return the messages with the caller's words behind them; as they are where there are none."""
        return [*deepcopy(self._messages), *([{"role": "user", "content": words}] if words else [])]

    def said(self, words: str) -> None:
        """Put down what the caller said."""
        if words:
            self._messages.append({"role": "user", "content": words})

    def heard(self, words: str) -> None:
        """Put down what was heard of the assistant; nothing, where it was cut at once, is a blank turn."""
        words = recased(words) if self._transcript.recased else words
        last = self._messages[-1] if self._messages else {}
        if self._transcript.merged and last.get("role") == "assistant" and "tool_calls" not in last:
            last["content"] = f"{last['content']} {words}".strip()
        else:
            self._messages.append({"role": "assistant", "content": words})

    def forged(self, messages: Sequence[Mapping[str, str]]) -> None:
        """Put down what nobody said or heard: texts by their roles."""
        self._messages += [{"role": role, "content": text} for one in messages for role, text in one.items()]

    def called(self, calls: list[ToolCall], words: str) -> None:
        """Put down which tools the assistant called."""
        listed = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in calls
        ]
        self._messages.append({"role": "assistant", "content": words or None, "tool_calls": listed})


def recased(words: str) -> str:
    """Return words as a transcript may have them: small letters, no commas."""
    return re.sub(r"[,;:]", "", words).lower()
