"""openai, the Python package: blocking, with asyncio, and by its stream helper."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import openai
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.clients.scene import Ask, Called, Failed, Heard


def blocking(ask: Ask) -> Heard:
    """Ask with `OpenAI`."""
    with openai.OpenAI(**_settings(ask)) as client:
        return _told(ask, lambda messages: _blocking(client, ask, messages))


def with_asyncio(ask: Ask) -> Heard:
    """Ask with `AsyncOpenAI`."""

    async def turn(messages: list[Any]) -> Heard:
        async with openai.AsyncOpenAI(**_settings(ask)) as client:
            if not ask.stream:
                return _whole(await client.chat.completions.create(**_request(ask, messages)))
            chunks: list[ChatCompletionChunk] = []
            async with await client.chat.completions.create(**_request(ask, messages)) as stream:
                async for chunk in stream:
                    chunks.append(chunk)  # what came before a failure or a stop counts
                    if _enough(ask, chunks):
                        return Heard(pieces=_pieces(chunks), gave_up=True)
            return _put_together(chunks)

    return _told(ask, lambda messages: asyncio.run(turn(messages)))


def by_stream_helper(ask: Ask) -> Heard:
    """Ask with `client.chat.completions.stream(…)`, which puts the chunks together by itself."""

    def turn(messages: list[Any]) -> Heard:
        request = {name: value for name, value in _request(ask, messages).items() if name != "stream"}
        with openai.OpenAI(**_settings(ask)) as client, client.chat.completions.stream(**request) as stream:
            return _whole(stream.get_final_completion())

    return _told(ask, turn)


def failed(failure: openai.APIError) -> Failed:
    """Return what an error of the package tells."""
    status = failure.status_code if isinstance(failure, openai.APIStatusError) else None
    return Failed(status, failure.type, failure.param, str(failure))


def _blocking(client: openai.OpenAI, ask: Ask, messages: list[Any]) -> Heard:
    if not ask.stream:
        return _whole(client.chat.completions.create(**_request(ask, messages)))
    chunks: list[ChatCompletionChunk] = []
    with client.chat.completions.create(**_request(ask, messages)) as stream:
        for chunk in stream:
            chunks.append(chunk)
            if _enough(ask, chunks):
                return Heard(pieces=_pieces(chunks), gave_up=True)
    return _put_together(chunks)


def _told(ask: Ask, turn: Any) -> Heard:
    """Play the turn, and a second one with the tools' results where there are any to give back."""
    messages: list[Any] = [{"role": "user", "content": ask.said}]
    try:
        heard: Heard = turn(messages)
        if ask.results is None or not heard.calls:
            return heard
        made = [(f"call_{place}", call) for place, call in enumerate(heard.calls)]
        calls = [
            {"id": name, "type": "function", "function": {"name": c.name, "arguments": json.dumps(c.arguments)}}
            for name, c in made
        ]
        messages.append({"role": "assistant", "content": heard.text or None, "tool_calls": calls})
        messages += [{"role": "tool", "tool_call_id": name, "content": ask.results[c.name]} for name, c in made]
        again: Heard = turn(messages)
    except openai.APITimeoutError:
        return Heard(gave_up=True)
    except openai.APIError as failure:
        return Heard(failed=failed(failure))
    return again


def _settings(ask: Ask) -> dict[str, Any]:
    return {"base_url": ask.base_url, "api_key": ask.api_key, "max_retries": ask.retries, "timeout": ask.patience}


def _request(ask: Ask, messages: list[Any]) -> dict[str, Any]:
    request: dict[str, Any] = {"model": "teller", "messages": messages, "temperature": ask.temperature}
    if ask.tools:
        request["tools"] = ask.tools
    if ask.stream:
        request["stream"] = True
        if ask.include_usage:
            request["stream_options"] = {"include_usage": True}
    return request


def _whole(reply: ChatCompletion) -> Heard:
    choice = reply.choices[0]
    calls = [call.function for call in choice.message.tool_calls or () if call.type == "function"]
    usage = reply.usage
    return Heard(
        text=choice.message.content or "",
        pieces=1 if choice.message.content else 0,
        finish=choice.finish_reason,
        calls=[Called(call.name, json.loads(call.arguments)) for call in calls],
        tokens=(usage.prompt_tokens, usage.completion_tokens) if usage else None,
    )


def _put_together(chunks: Iterable[ChatCompletionChunk]) -> Heard:
    """Put a stream together as OpenAI's guide does: pieces of calls by their index."""
    texts: list[str] = []
    calls: dict[int, tuple[str, list[str]]] = {}
    finish: str | None = None
    tokens: tuple[int, int] | None = None
    for chunk in chunks:
        if chunk.usage:
            tokens = (chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
        for choice in chunk.choices:
            finish = choice.finish_reason or finish
            texts += [choice.delta.content] if choice.delta.content else []
            for call in choice.delta.tool_calls or ():
                if call.function:
                    _, arguments = calls.setdefault(call.index, (call.function.name or "", []))
                    arguments.append(call.function.arguments or "")
    made = [Called(name, json.loads("".join(arguments))) for name, arguments in calls.values()]
    return Heard("".join(texts), len(texts), finish, made, tokens)


def _pieces(chunks: Iterable[ChatCompletionChunk]) -> int:
    return sum(bool(choice.delta.content) for chunk in chunks for choice in chunk.choices)


def _enough(ask: Ask, chunks: Iterable[ChatCompletionChunk]) -> bool:
    return ask.stop_after is not None and _pieces(chunks) >= ask.stop_after
