"""Titan text embeddings v2: vectors made of a text's words, so that texts that share words are near each other.

Each word and each of its three-letter parts adds to one place of the vector, chosen with its sign by a hash; a word
counts by its length, so that *the* weighs less than *mortgage*. The same text always has the same vector.
"""

import math
import re
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

from tests.support.bedrock.faults import BedrockError, invalid
from tests.support.bedrock.models import Model
from tests.support.bedrock.usage import count_tokens

_DIMENSIONS = (1024, 512, 256)
_MOST_CHARACTERS = 50_000
_KEYS = {"inputText", "dimensions", "normalize", "embeddingTypes"}
_TYPES = ("float", "binary")
_LONGEST_WORD = 8
_PART = 3


def embed(request: Mapping[str, Any], model: Model) -> dict[str, Any]:
    """Return Titan's answer to an InvokeModel body.

    Raises:
        BedrockError: Titan would not take it.
    """
    text = _valid_text(request, model)
    dimensions = request.get("dimensions", _DIMENSIONS[0])
    floats = vector(text, dimensions, normalize=request.get("normalize", True))
    by_type = {"float": floats, "binary": [int(number > 0) for number in floats]}
    answer: dict[str, Any] = {"embeddingsByType": {name: by_type[name] for name in _types(request)}}
    if "float" in answer["embeddingsByType"]:
        answer["embedding"] = floats
    return answer | {"inputTextTokenCount": count_tokens(text)}


def vector(text: str, dimensions: int, *, normalize: bool = True) -> list[float]:
    """Return the vector of a text."""
    sums = [0.0] * dimensions
    for feature, weight in _features(text):
        number = int.from_bytes(blake2b(feature.encode(), digest_size=8).digest())
        sums[(number >> 1) % dimensions] += weight if number & 1 else -weight
    length = math.hypot(*sums) or 1.0
    return [number / length for number in sums] if normalize else sums


def _features(text: str) -> Iterator[tuple[str, float]]:
    """Yield each word, then its parts; a text without words is its own only feature."""
    words = re.findall(r"\w+", text.casefold()) or [text]
    for word in words:
        weight = min(len(word), _LONGEST_WORD) / _LONGEST_WORD
        yield word, weight
        for start in range(len(word) - _PART + 1):
            yield f"~{word[start : start + _PART]}", weight / _PART


def _valid_text(request: Mapping[str, Any], model: Model) -> str:
    for key in request:
        if key not in _KEYS:
            raise _malformed(f"#: extraneous key [{key}] is not permitted")
    text = request.get("inputText")
    if text is None:
        raise _malformed("#: required key [inputText] not found")
    if not isinstance(text, str):
        raise _malformed(f"#/inputText: expected type: String, found: {type(text).__name__}")
    if not text.strip():
        raise _malformed(f"#/inputText: expected minLength: 1, actual: {len(text.strip())}")
    if len(text) > _MOST_CHARACTERS:
        raise _malformed(f"#/inputText: expected maxLength: {_MOST_CHARACTERS}, actual: {len(text)}")
    if request.get("dimensions", _DIMENSIONS[0]) not in _DIMENSIONS:
        raise _malformed(f"#/dimensions: {request['dimensions']} is not a valid enum value")
    if not isinstance(request.get("normalize", True), bool):
        raise _malformed("#/normalize: expected type: Boolean")
    if (tokens := count_tokens(text)) > model.context:
        raise invalid(
            f"400 Bad Request: Too many input tokens. Max input tokens: {model.context}, request input token count: "
            f"{tokens} "
        )
    return text


def _types(request: Mapping[str, Any]) -> list[str]:
    types = request.get("embeddingTypes", ["float"])
    if not isinstance(types, list) or not types or any(name not in _TYPES for name in types):
        raise _malformed(f"#/embeddingTypes: {types} is not a list of {', '.join(_TYPES)}")
    return types


def _malformed(what: str) -> BedrockError:
    return invalid(f"Malformed input request: {what}, please reformat your input and try again.")
