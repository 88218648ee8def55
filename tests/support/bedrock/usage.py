"""Tokens: how many a request and an answer have, and which of them a prompt cache spares."""

import json
import re
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

_TOKEN = re.compile(r"\w+|[^\w\s]")
_MOST_PREFIXES = 10_000

Usage = dict[str, int]


def count_tokens(text: str) -> int:
    """Return how many tokens a text has: each word is one, and each mark."""
    return len(_TOKEN.findall(text))


def cut_to_tokens(text: str, most: int) -> str:
    """Return the beginning of a text that has at most so many tokens."""
    for place, token in enumerate(_TOKEN.finditer(text), start=1):
        if place > most:
            return text[: token.start()].rstrip()
    return text


def prompt_tokens(request: Mapping[str, Any]) -> int:
    """Return how many tokens a Converse request has."""
    return sum(count_tokens(piece) for piece in _pieces(request) if piece is not None)


class PromptCache:
    """The prefixes of prompts that were seen before, by model; they are never too short and never grow stale."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, bytes], None] = {}

    def usage(self, model: str, request: Mapping[str, Any], output_tokens: int) -> Usage:
        """Return the usage of a request, and remember its prefixes: what stands before each cache point.

        The longest prefix that was seen before is read from the cache, the rest up to the last cache point is
        written to it. Without cache points the usage has no cache counts.
        """
        everything = prompt_tokens(request)
        prefixes = list(_prefixes(request))
        usage = {"inputTokens": everything, "outputTokens": output_tokens, "totalTokens": everything + output_tokens}
        if prefixes:
            read = max((tokens for digest, tokens in prefixes if (model, digest) in self._seen), default=0)
            written = prefixes[-1][1] - read
            usage |= {"inputTokens": everything - read - written}
            usage |= {"cacheReadInputTokens": read, "cacheWriteInputTokens": written}
            self._remember((model, digest) for digest, _ in prefixes)
        return usage

    def forget(self) -> None:
        """Forget every prefix."""
        self._seen.clear()

    def _remember(self, prefixes: Iterator[tuple[str, bytes]]) -> None:
        self._seen.update(dict.fromkeys(prefixes))
        while len(self._seen) > _MOST_PREFIXES:
            del self._seen[next(iter(self._seen))]


def _prefixes(request: Mapping[str, Any]) -> Iterator[tuple[bytes, int]]:
    digest, tokens = blake2b(digest_size=16), 0
    for piece in _pieces(request):
        if piece is None:
            yield digest.digest(), tokens
        else:
            digest.update(piece.encode() + b"\0")
            tokens += count_tokens(piece)


def _pieces(request: Mapping[str, Any]) -> Iterator[str | None]:
    """Yield a prompt piece by piece in the model's order: tools, system, messages. A cache point is None."""
    for tool in request.get("toolConfig", {}).get("tools", ()):
        yield json.dumps(tool.get("toolSpec", {}))
    for block in request.get("system", ()):
        yield _piece(block)
    for message in request["messages"]:
        yield message["role"]
        for block in message["content"]:
            yield _piece(block)


def _piece(block: Mapping[str, Any]) -> str | None:
    """Return a block as text; pictures and documents are free of charge."""
    if "cachePoint" in block:
        return None
    if "text" in block:
        return str(block["text"])
    return json.dumps({kind: block[kind] for kind in ("toolUse", "toolResult", "guardContent") if kind in block})
