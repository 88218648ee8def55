"""What Nova refuses of a Converse request, in Bedrock's words.

`validate(request, model)` is pure: a property test may call it on what it would send.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from tests.support.bedrock.checks import (
    by_the_model,
    constraint,
    extraneous_cache_point,
    kind_of,
    not_one_of,
    typed,
    within,
)
from tests.support.bedrock.faults import invalid
from tests.support.bedrock.models import Model
from tests.support.bedrock.usage import prompt_tokens
from tests.support.bedrock.validate_tools import tool_config, tool_result, tool_results, tool_use

_ROLES = ("user", "assistant")
_MOST_CACHE_POINTS = 4
_BLOCKS = {
    "user": {"text", "image", "document", "video", "audio", "toolResult", "guardContent", "cachePoint"},
    "assistant": {"text", "toolUse", "cachePoint"},
}
_ENUMS = {
    "performanceConfig.latency": ("standard", "optimized"),
    "serviceTier.type": ("priority", "default", "flex", "reserved"),
}

Block = Mapping[str, Any]
Message = Mapping[str, Any]


def validate(request: Mapping[str, Any], model: Model) -> None:
    """Return if Nova would take the request.

    Raises:
        BedrockError: it would not; a ValidationException, or a SerializationException where a type is wrong.
    """
    messages = [typed(message, dict, "messages") for message in typed(request.get("messages", []), list, "messages")]
    _system(request)
    _turns(messages)
    for place, message in enumerate(messages):
        _content(message, f"messages.{place}")
    _inference(request, model)
    tool_config(request, messages)
    tool_results(messages)
    _cache_points(request, messages)
    _enumerated(request)
    if prompt_tokens(request) > model.context:
        raise by_the_model(
            "Input Tokens Exceeded: Number of input tokens exceeds maximum length. Please update the input to try "
            "again."
        )


def _turns(messages: Sequence[Message]) -> None:
    """The user begins, and the roles alternate."""
    roles = [message.get("role") for message in messages]
    for place, role in enumerate(roles):
        if role not in _ROLES:
            raise not_one_of(role, f"messages.{place}.role", _ROLES)
    if roles[:1] != ["user"]:
        raise invalid(
            "A conversation must start with a user message. Try again with a conversation that starts with a user "
            "message."
        )
    if any(role == before for before, role in pairwise(roles)):
        raise invalid(
            "A conversation must alternate between user and assistant roles. Make sure the conversation alternates "
            "between user and assistant roles and try again."
        )


def _system(request: Mapping[str, Any]) -> None:
    for place, block in enumerate(typed(request.get("system", []), list, "system")):
        kind = kind_of(block, f"SystemContentBlock object at system.{place}", {"text", "guardContent", "cachePoint"})
        if kind == "text":
            _text(block, f"SystemContentBlock object at system.{place}")


def _content(message: Message, at: str) -> None:
    content = typed(message.get("content", []), list, f"{at}.content")
    if not content:
        raise invalid(
            f"The content field in the Message object at {at} is empty. Add a ContentBlock object to the content field "
            "and try again."
        )
    for place, block in enumerate(content):
        where = f"{at}.content.{place}"
        if isinstance(block, dict) and "reasoningContent" in block:
            raise invalid(
                "User messages cannot contain reasoning content. Please remove the reasoning content and try again."
            )
        match kind_of(block, f"ContentBlock object at {where}", _BLOCKS[message["role"]]):
            case "text":
                _text(block, f"ContentBlock object at {where}")
            case "toolUse":
                tool_use(block["toolUse"], f"{where}.toolUse")
            case "toolResult":
                tool_result(block["toolResult"], f"{where}.toolResult")


def _text(block: Block, name: str) -> None:
    if not typed(block["text"], str, name).strip():
        raise invalid(f"The text field in the {name} is blank. Add text to the text field, and try again.")


def _inference(request: Mapping[str, Any], model: Model) -> None:
    config = typed(request.get("inferenceConfig", {}), dict, "inferenceConfig")
    for name in ("temperature", "topP"):
        within(config.get(name), f"inferenceConfig.{name}", lowest=0, highest=1)
    most = config.get("maxTokens")
    within(most, "inferenceConfig.maxTokens", lowest=1)
    if most is not None and most > model.max_output:
        raise invalid(
            f"The maximum tokens you requested exceeds the model limit of {model.max_output}. Try again with a maximum "
            f"tokens value that is lower than {model.max_output}."
        )
    for place, text in enumerate(typed(config.get("stopSequences", []), list, "inferenceConfig.stopSequences")):
        if not typed(text, str, "inferenceConfig.stopSequences"):
            raise constraint(
                text,
                f"inferenceConfig.stopSequences.{place}",
                "Member must have length greater than or equal to 1",
            )


def _cache_points(request: Mapping[str, Any], messages: Sequence[Message]) -> None:
    """Nova caches after a block of the system or of a message, but not after a tool's block."""
    sections = [("system", request.get("system", []))]
    sections += [(f"messages/{place}/content", message["content"]) for place, message in enumerate(messages)]
    points = 0
    for at, blocks in sections:
        for place, (before, block) in enumerate(pairwise([{}, *blocks])):
            if "cachePoint" in block:
                points += 1
                if not before or before.keys() & {"toolUse", "toolResult"}:
                    raise extraneous_cache_point(f"{at}/{place}")
    if points > _MOST_CACHE_POINTS:
        raise invalid(f"The number of cachePoint blocks exceeds the maximum of {_MOST_CACHE_POINTS}.")


def _enumerated(request: Mapping[str, Any]) -> None:
    for at, allowed in _ENUMS.items():
        section, _, name = at.partition(".")
        value = typed(request.get(section, {}), dict, section).get(name, allowed[0])
        if value not in allowed:
            raise not_one_of(value, at, allowed)
