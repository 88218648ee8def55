"""The models there are, and how ids, inference profiles and ARNs name them."""

import re
from dataclasses import dataclass
from typing import Literal

from tests.support.bedrock.faults import bedrock_error, invalid

Kind = Literal["chat", "embedding"]


@dataclass(frozen=True, slots=True)
class Model:
    """A foundation model and its limits in tokens."""

    model_id: str
    kind: Kind
    profiles: frozenset[str]
    max_output: int
    context: int


def _nova(name: str, profiles: str, max_output: int, context: int) -> Model:
    return Model(f"amazon.{name}-v1:0", "chat", frozenset(profiles.split()), max_output, context)


_ALL = (
    _nova("nova-micro", "us eu apac", 10_000, 128_000),
    _nova("nova-lite", "us eu apac", 10_000, 300_000),
    _nova("nova-pro", "us eu apac", 10_000, 300_000),
    _nova("nova-premier", "us", 32_000, 1_000_000),
    _nova("nova-2-lite", "us eu jp global", 65_535, 1_000_000),
    Model("amazon.titan-embed-text-v2:0", "embedding", frozenset(), 0, 8_192),
)
_BY_ID = {model.model_id: model for model in _ALL}
_BY_PROFILE = {f"{profile}.{model.model_id}": model for model in _ALL for profile in model.profiles}

_ARN = re.compile(r"arn:aws[a-z-]*:bedrock:[a-z0-9-]+:\d*:(?P<resource>[a-z-]+)/(?P<name>.+)")
_OPAQUE = {"application-inference-profile", "provisioned-model", "custom-model-deployment"}
_BEHIND_OPAQUE_ARNS = _BY_ID["amazon.nova-lite-v1:0"]


def resolve(name: str, kind: Kind) -> Model:
    """Return the model that an id, a profile or an ARN names.

    Of an application profile, a provisioned model or a deployment only the account knows what stands behind it: here
    it is Nova Lite, unless its name holds `missing`.

    Raises:
        BedrockError: unknown, or not of this kind.
    """
    arn = _ARN.fullmatch(name)
    model = _by_arn(arn["resource"], arn["name"]) if arn else _BY_ID.get(name) or _BY_PROFILE.get(name)
    if model is None:
        if arn:
            raise bedrock_error("ResourceNotFoundException")
        raise invalid("The provided model identifier is invalid.")
    if model.kind != kind:
        raise invalid(
            "The action doesn't support the model that you provided. Try again with a supported text or chat model."
            if kind == "chat"
            else f"This server's InvokeModel serves embeddings alone: ask {model.model_id} through Converse."
        )
    return model


def _by_arn(resource: str, name: str) -> Model | None:
    if resource == "foundation-model":
        return _BY_ID.get(name)
    if resource == "inference-profile":
        return _BY_PROFILE.get(name)
    return _BEHIND_OPAQUE_ARNS if resource in _OPAQUE and "missing" not in name else None
