"""langchain-openai's ChatOpenAI, with a base URL and nothing else of ours."""

from typing import Any

import openai
from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from tests.clients.openai_python import failed
from tests.clients.scene import Ask, Called, Heard


def chat_openai(ask: Ask) -> Heard:
    """Ask with `invoke` or `stream`."""
    model = ChatOpenAI(
        model="teller",
        base_url=ask.base_url,
        api_key=SecretStr(ask.api_key),
        temperature=ask.temperature,
        max_retries=0,
        timeout=ask.patience,
        stream_usage=ask.include_usage,
    )
    messages: list[AnyMessage] = [HumanMessage(ask.said)]
    speaker = model.bind_tools([dict(tool) for tool in ask.tools]) if ask.tools else model
    try:
        heard, message = _turn(speaker, ask, messages)
        if ask.results is None or not heard.calls:
            return heard
        results = [ToolMessage(ask.results[call["name"]], tool_call_id=call["id"]) for call in message.tool_calls]
        again, _ = _turn(speaker, ask, [*messages, message, *results])
    except openai.APITimeoutError:
        return Heard(gave_up=True)
    except openai.APIError as failure:
        return Heard(failed=failed(failure))
    return again


def _turn(speaker: Any, ask: Ask, messages: list[AnyMessage]) -> tuple[Heard, AIMessage]:
    if not ask.stream:
        message: AIMessage = speaker.invoke(messages)
        return _heard(message, 1 if message.text else 0), message
    whole, pieces = AIMessageChunk(content=""), 0
    stream = speaker.stream(messages)
    for chunk in stream:
        whole = whole + chunk
        pieces += bool(chunk.text)
        if ask.stop_after is not None and pieces >= ask.stop_after:
            stream.close()
            return Heard(pieces=pieces, gave_up=True), whole
    return _heard(whole, pieces), whole


def _heard(message: AIMessage, pieces: int) -> Heard:
    usage = message.usage_metadata
    return Heard(
        text=message.text,
        pieces=pieces,
        finish=message.response_metadata["finish_reason"],
        calls=[Called(call["name"], call["args"]) for call in message.tool_calls],
        tokens=(usage["input_tokens"], usage["output_tokens"]) if usage else None,
    )
