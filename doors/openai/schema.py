"""The request, as real clients send it: OpenAI's parameters, Vapi's additions, unknown fields ignored."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

Role = Literal["system", "developer", "user", "assistant", "tool", "function"]
ToolChoiceWord = Literal["auto", "none", "required"]

_WORD = TypeAdapter[ToolChoiceWord](ToolChoiceWord)


def _text_of(content: object) -> object:
    """Return a list of content parts as one text; leave the rest to the field's own check."""
    if not isinstance(content, list):
        return content
    texts: list[str] = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        text = part.get(kind) if isinstance(part, dict) and kind in ("text", "refusal") else None
        if not isinstance(text, str):
            raise ValueError(
                f"only text parts can be read here, not {kind if isinstance(kind, str) else 'other'} parts"
            )
        texts.append(text)
    return "\n".join(texts)


def _known_choice(value: object) -> object:
    """Return a tool choice; what is wrong with one is told in one sentence, not once for each form it could have."""
    try:
        return NamedTool.model_validate(value, strict=True) if isinstance(value, dict) else _WORD.validate_python(value)
    except ValidationError:
        raise ValueError("is auto, none, required, or an object that names a tool") from None


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


Text = Annotated[str | None, BeforeValidator(_text_of, json_schema_input_type=str | list[dict[str, Any]] | None)]


ToolName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class DeclaredFunction(BaseModel):
    """What a tool is called and takes; `parameters` is a JSON schema."""

    model_config = ConfigDict(strict=True, extra="allow")

    name: ToolName
    parameters: dict[str, Any] | None = None


class DeclaredTool(BaseModel):
    """One of the client's own tools; platforms have types of their own besides `function`."""

    model_config = ConfigDict(strict=True, extra="allow")

    type: ToolName = "function"
    function: DeclaredFunction | None = None

    @model_validator(mode="after")
    def _a_function_is_described(self) -> Self:
        if self.type == "function" and self.function is None:
            raise ValueError("function is needed in a tool of type function")
        return self


class CalledFunction(BaseModel):
    """What the assistant called; `arguments` is JSON in a string."""

    model_config = ConfigDict(strict=True, extra="allow")

    name: str
    arguments: str = "{}"


class CalledTool(BaseModel):
    """A call in the history."""

    model_config = ConfigDict(strict=True, extra="allow")

    id: str | None = None
    function: CalledFunction


class NamedFunction(BaseModel):
    """A name alone."""

    name: ToolName


class NamedTool(BaseModel):
    """A tool choice that names a tool."""

    type: Literal["function"] = "function"
    function: NamedFunction


class ChatMessage(BaseModel):
    """One message. The content is a string or a list of text parts; null is for the assistant (and what it called)."""

    model_config = ConfigDict(strict=True)

    role: Role
    content: Text = Field(None, description="What was said; of an assistant, what was *heard*.", examples=["Hello"])
    name: str | None = None
    tool_call_id: str | None = None
    tool_calls: list[CalledTool] | None = None

    @model_validator(mode="after")
    def _only_an_assistant_is_silent(self) -> Self:
        if self.content is None and self.role != "assistant":
            raise ValueError(f"content is needed in a {self.role} message")
        return self


class StreamOptions(BaseModel):
    """What a stream carries besides the answer."""

    include_usage: bool | None = Field(False, description="One more frame with the token counts.")


class ChatCompletionRequest(BaseModel):
    """A chat completion. `null` is the same as absent; fields that are not here are accepted and ignored."""

    model_config = ConfigDict(strict=True)

    messages: Annotated[list[ChatMessage], FailFast()] = Field(
        min_length=1, description="The conversation, oldest first."
    )
    model: str | None = Field(None, description="A configured model; any other name means the default.")
    temperature: float = Field(0.7, ge=0.0, le=2.0)
    top_p: float | None = Field(None, ge=0.0, le=1.0)
    max_tokens: int = Field(2048, ge=1, le=4096, description="Most tokens of model text.")
    max_completion_tokens: int | None = Field(None, ge=1, description="Wins over max_tokens; above 4096 it is 4096.")
    stop: Annotated[list[str], BeforeValidator(_one_or_more)] = Field([], max_length=4)
    stream: bool | None = Field(None, description="Absent: SSE, unless Accept asks for application/json alone.")
    stream_options: StreamOptions = StreamOptions()
    n: Annotated[int, Field(ge=1, le=1, description="Only one answer is made.")] = 1
    logprobs: Literal[False] = False
    response_format: dict[str, Any] | None = None
    modalities: list[str] | None = None
    tools: list[DeclaredTool] = Field([], max_length=128, description="The client's own tools.")
    tool_choice: Annotated[ToolChoiceWord | NamedTool | None, BeforeValidator(_known_choice)] = Field(
        None, description="auto, none, required, or a named tool."
    )
    metadata: Any = Field(None, description="phone, conversation_id and channel are read; the rest is ignored.")
    call: Any = Field(None, description="Vapi's call; its presence makes the channel voice.")
    customer: Any = Field(None, description="Vapi's customer; its number is the caller's.")
    timestamp: Any = Field(None, description="When Vapi asked, in ms since 1970; of two guesses the later one counts.")

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, body: object) -> object:
        return {name: value for name, value in body.items() if value is not None} if isinstance(body, dict) else body

    @property
    def token_limit(self) -> int:
        """The most tokens of model text, at most 4096."""
        return min(self.max_completion_tokens or self.max_tokens, 4096)
