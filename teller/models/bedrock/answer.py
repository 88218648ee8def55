"""What comes from Bedrock, read by langchain-aws, with OpenAI's finish reason beside Bedrock's stop reason."""

from collections.abc import Mapping
from typing import Any

from langchain_aws.chat_models.bedrock_converse import _parse_response, _parse_stream_event
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

from teller.errors import UpstreamModelError
from teller.models.bedrock.errors import FAILED, UnusableAnswerError

FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
}
"""OpenAI's word for each of Bedrock's stop reasons. The two that are missing, the malformed ones, are errors."""

_PROVIDER = {"model_provider": "bedrock_converse"}


def read_message(response: dict[str, Any], names: Mapping[str, str], tags: tuple[str, str] | None) -> AIMessage:
    """Return a whole answer as a message.

    Args:
        response: of Converse; it is used up.
        names: what the message says of the model that answered.
        tags: what frames reasoning that this model writes into its text, such as `<thinking>`.
    """
    finish = _finish(response.get("stopReason"))
    response.setdefault("usage", {})
    try:
        message = _parse_response(response, inline_reasoning_tags=tags)
    except (KeyError, TypeError, ValueError) as unreadable:
        raise UpstreamModelError(FAILED.message) from unreadable
    message.response_metadata |= {**_PROVIDER, **finish, **names}
    return message


def read_event(event: dict[str, Any], told_once: Mapping[str, Any]) -> ChatGenerationChunk:
    """Return an event as a chunk.

    Args:
        event: of ConverseStream; it is used up.
        told_once: what the chunk that holds the usage says besides, as the chunks' metadata are added up.
    """
    if "metadata" in event:
        event["metadata"].setdefault("usage", {})
    try:
        message = _text_delta(event) or _parse_stream_event(event)
    except (KeyError, TypeError, ValueError) as unreadable:
        raise UpstreamModelError(FAILED.message) from unreadable
    if message is None:
        raise UpstreamModelError(FAILED.message)
    message.response_metadata.update(_PROVIDER)
    if "messageStop" in event:
        message.response_metadata.update(_finish(event["messageStop"].get("stopReason")))
    if "metadata" in event:
        message.response_metadata.update(told_once)
    return ChatGenerationChunk(message=message)


def _text_delta(event: Mapping[str, Any]) -> AIMessageChunk | None:
    """Return what langchain-aws makes of a piece of text, which nearly all events are, at half of its cost."""
    arrived = event.get("contentBlockDelta", {})
    text = arrived.get("delta", {}).get("text")
    if text is None:
        return None
    return AIMessageChunk(content=[{"type": "text", "text": text, "index": arrived["contentBlockIndex"]}])


def refuse_malformed(stop_reason: str | None) -> None:
    """Raise if the model itself says that its answer is malformed.

    Raises:
        UnusableAnswerError: it does.
    """
    if stop_reason in ("malformed_tool_use", "malformed_model_output"):
        raise UnusableAnswerError(FAILED)


def _finish(stop_reason: str | None) -> dict[str, str]:
    return {"finish_reason": FINISH_REASONS.get(stop_reason or "", "stop")}
