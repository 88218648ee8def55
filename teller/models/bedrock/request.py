"""What is sent to Bedrock: langchain-aws' own request, of a conversation and options brought into Nova's form."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

from langchain_aws.utils import MODEL_ID_GEO_PREFIXES
from langchain_core.messages import BaseMessage

from teller.errors import ConfigurationError, ModelRequestError
from teller.models.bedrock.errors import REFUSED
from teller.models.bedrock.normalise import has_tool_calls, normalise, within_limits
from teller.models.bedrock.tools import choice, declared

Request = dict[str, Any]
Options = Mapping[str, Any]

_WITHOUT_A_PLACE = {"seed", "parallel_tool_calls"}  # OpenAI's: Converse has nothing for them, and langchain-aws raises
_GEOGRAPHIES = MODEL_ID_GEO_PREFIXES | {"ca"}  # langchain-aws 1.9.1 does not know Canada's profiles


class StandIn:
    """Stands where langchain-aws has its two synchronous clients, which cost a start a second and the network."""

    def converse_stream(self, **request: Any) -> NoReturn:
        """Hand the request back instead of sending it."""
        raise _BuiltError(request)

    def get_inference_profile(self, **_: Any) -> NoReturn:
        """Refuse to look an application profile up: no start waits for a network."""
        raise ConfigurationError(
            "An application inference profile does not tell its model: give base_model_id and provider, "
            "such as amazon.nova-lite-v1:0 and amazon."
        )


def build_request(
    parent_stream: Callable[..., Iterator[Any]],
    messages: Sequence[BaseMessage],
    stop: list[str] | None,
    options: Options,
    *,
    cache_prefix: bool,
) -> Request:
    """Return the request that `ChatBedrockConverse._stream` builds, and would send if its client were one.

    Raises:
        ModelRequestError: a message holds what Bedrock has no form for.
    """
    offered = _with_lawful_tools(options, messages)
    if "model" in offered:  # LangChain's word for another model in this one call
        offered["model_id"] = offered.pop("model")
    has_tools = bool(offered.get("tools") or offered.get("toolConfig"))
    try:
        next(parent_stream(normalise(messages, tools=has_tools, cache_prefix=cache_prefix), stop, None, **offered))
    except _BuiltError as built:
        inference = within_limits(built.request.get("inferenceConfig", {}))
        return built.request | {"inferenceConfig": inference}
    except ValueError as wrong:
        raise ModelRequestError(REFUSED.message) from wrong
    raise AssertionError("langchain-aws streamed without calling its client")


def foundation(model_id: str) -> dict[str, str]:
    """Return what langchain-aws cannot tell of an id: base model and provider behind an ARN or a geography.

    Empty where it can, and where nobody can: behind the ARN of an application profile or of bought throughput.
    """
    resource, _, name = model_id.rpartition("/")
    geography, _, rest = name.partition(".")
    base = rest if geography in _GEOGRAPHIES else name
    opaque = not resource.endswith((":foundation-model", ":inference-profile"))
    if opaque and geography != "ca":
        return {}
    return {"base_model_id": base, "provider": base.partition(".")[0]}


def _with_lawful_tools(options: Options, messages: Sequence[BaseMessage]) -> dict[str, Any]:
    """Return options whose tools may be sent.

    `none` takes the tools away, but where the conversation holds calls: Bedrock refuses those without tools, and as
    text they would teach the model to write calls as text.
    """
    offered = {name: value for name, value in options.items() if name not in _WITHOUT_A_PLACE}
    tools, wanted = declared(offered.pop("tools", None) or []), choice(offered.pop("tool_choice", None))
    if tools and not (wanted == "none" and not has_tool_calls(messages)):
        offered["tools"] = tools
        if wanted not in (None, "none"):
            offered["tool_choice"] = wanted
    return offered


class _BuiltError(Exception):
    """Carries the request out of langchain-aws; no failure."""

    def __init__(self, request: Request) -> None:
        super().__init__()
        self.request = request
