"""What one request may choose. Studio shows these as fields; a door fills them from its own parameters."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Channel = Literal["chat", "voice"]


class TurnOptions(BaseModel):
    """The run-time context of the graph. `max_tokens` and `stop` bound a model's text, never a rendered sentence."""

    model_config = ConfigDict(frozen=True)

    model: str | None = Field(None, description="A configured model's name; anything else means the default.")
    temperature: float = Field(0.7, ge=0.0, le=2.0, description="How freely the model words its answer.")
    max_tokens: int = Field(2048, ge=1, le=4096, description="Most tokens of model text in the answer.")
    top_p: float | None = Field(None, ge=0.0, le=1.0, description="Nucleus sampling, if the model has it.")
    stop: tuple[str, ...] = Field((), max_length=4, description="Strings at which the model's text ends.")
    tools: tuple[dict[str, Any], ...] = Field((), description="The client's own tools, as OpenAI declares them.")
    tool_choice: str | dict[str, Any] | None = Field(None, description="auto, none, required, or a named tool.")
    channel: Channel = Field("chat", description="voice: spoken style, and a card is blocked only after a question.")


DEFAULT_OPTIONS = TurnOptions()
