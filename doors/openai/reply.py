"""The reply in OpenAI's form: the object that is not a stream, and what its parts share with the frames of one."""

from typing import Literal

from pydantic import BaseModel, Field


class Usage(BaseModel):
    """Tokens of all model calls of the turn; 0 where no model was called."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: dict[str, int] = {"cached_tokens": 0}
    completion_tokens_details: dict[str, int] = {"reasoning_tokens": 0}


class FunctionCall(BaseModel):
    """What a tool is called with; `arguments` is JSON in a string."""

    name: str
    arguments: str


class ToolCall(BaseModel):
    """A call of one of the client's tools."""

    id: str
    type: Literal["function"] = "function"
    function: FunctionCall


class UrlCitation(BaseModel):
    """Where a part of the answer comes from; the offsets count characters of the content."""

    url: str
    title: str
    start_index: int
    end_index: int


class Annotation(BaseModel):
    """A citation, in OpenAI's form."""

    type: Literal["url_citation"] = "url_citation"
    url_citation: UrlCitation


class ReplyMessage(BaseModel):
    """The assistant's turn; the content is null where it calls tools and says nothing."""

    role: Literal["assistant"] = "assistant"
    content: str | None
    refusal: None = None
    annotations: list[Annotation] = []
    tool_calls: list[ToolCall] | None = Field(None, exclude_if=lambda calls: calls is None)


class Choice(BaseModel):
    """The only choice."""

    index: int = 0
    message: ReplyMessage
    logprobs: None = None
    finish_reason: Literal["stop", "length", "content_filter", "tool_calls"]


class ChatCompletion(BaseModel):
    """The reply that is not a stream."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
