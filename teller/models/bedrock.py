"""Nova on Bedrock, natively async: langchain-aws builds the requests and reads the answers, aiobotocore moves the bytes.

langchain-aws 1.9 holds a thread a call and hops through it for every chunk (langchain-aws issue 663); its requests, its
parsing, its tools and structured output are kept as they are.
"""

from collections.abc import AsyncGenerator, Iterator, Sequence
from functools import partial
from typing import Any, NoReturn, Self

from langchain_aws import ChatBedrockConverse
from langchain_aws.chat_models.bedrock_converse import _parse_response, _parse_stream_event
from langchain_aws.utils import MODEL_ID_GEO_PREFIXES
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import Field, SkipValidation, model_validator

from teller.errors import ConfigurationError, ModelRequestError, UpstreamModelError
from teller.models.bedrock_blocking import loop_thread
from teller.models.bedrock_call import call_bedrock
from teller.models.bedrock_client import BedrockConnection, Keys
from teller.models.bedrock_errors import FAILED, REFUSED, UnusableAnswerError
from teller.models.bedrock_normalise import has_tool_calls, normalise, within_limits
from teller.models.bedrock_stream import Event, StreamedAnswer, refuse_malformed
from teller.models.bedrock_tools import choice, declared

FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
}
"""OpenAI's word for each of Bedrock's stop reasons; the malformed ones are errors."""

_NOT_BEDROCKS = {"seed", "parallel_tool_calls"}  # OpenAI's, which Converse has no place for: langchain-aws raises
_GEOGRAPHIES = MODEL_ID_GEO_PREFIXES | {"ca"}


class AsyncChatBedrockConverse(ChatBedrockConverse):
    """`ChatBedrockConverse` whose async calls are async down to the socket, and which takes any conversation.

    It is used as its parent is; `invoke`, `stream` and `batch` run on one background event loop. What differs:

    - Conversations, tool choices and sampling are brought into the form that Nova takes (`bedrock_normalise`).
    - Failures are the typed ones of `teller.errors`; Bedrock is asked again only while nothing was passed on.
    - Every model id streams. A tool call that no words go before comes whole, at its end.
    - `response_metadata` also holds OpenAI's `finish_reason`, and a cache point follows Nova's first system message.
    - No client is built and no network touched at the start: the base model of an application profile is to be given
      (`base_model_id`, `provider`), and `default_headers` is not taken.

    A stream that is closed or cancelled closes its socket at once, before its first token too.
    """

    connection: SkipValidation[BedrockConnection | None] = Field(None, exclude=True)
    """The client that the process's models share; unset, the model has one of its own, by its parent's fields."""
    first_token_seconds: float = Field(15.0, gt=0)
    """Longest wait for a stream's first words, all attempts together."""
    idle_seconds: float = Field(15.0, gt=0)
    """Longest silence in a stream after that."""
    timeout: int | None = Field(60, gt=0)
    """Longest wait, in seconds, for an answer that is not streamed, all attempts together."""
    max_retries: int | None = Field(2, ge=0, le=2)
    """How often a call is tried again where that can help; expired credentials are read anew once besides."""

    @model_validator(mode="before")
    @classmethod
    def _prepare(cls, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("default_headers"):
            raise ValueError("default_headers: requests of models that share a connection have no headers of their own")
        known = _foundation(values.get("model_id") or values.get("model") or "")
        return {"client": _Builder(), "bedrock_client": _Builder(), **known, **values}

    @model_validator(mode="after")
    def _connect(self) -> Self:
        if self.connection is None:
            self.connection = self._own_connection()
        return self

    @classmethod
    def _resolve_disable_streaming(cls, *_: Any, **__: Any) -> bool:
        return False  # the parent lets only ids stream that it knows

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Return False: LangChain could not load it back, as its namespace is not LangChain's."""
        return False

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: Any = None, strict: bool | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools; `tool_choice` also takes OpenAI's forms: `required`, `none`, or an object that names one."""
        wanted = choice(tool_choice)
        if wanted == "none":
            return super().bind_tools(tools, strict=strict, **kwargs).bind(tool_choice="none")
        return super().bind_tools(tools, tool_choice=wanted, strict=strict, **kwargs)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        request = self._request(messages, stop, kwargs)

        async def converse(client: Any, _: Any) -> dict[str, Any]:
            response: dict[str, Any] = await client.converse(**request)
            refuse_malformed(response.get("stopReason"))
            if "output" not in response:
                raise UnusableAnswerError(FAILED)
            return response

        response = await call_bedrock(
            self._shared, converse, seconds=self.timeout, retries=self.max_retries or 0
        )
        finish = FINISH_REASONS.get(response.get("stopReason", ""), "stop")
        message = _parse_response(response, inline_reasoning_tags=self._inline_reasoning_tags_for_model())
        message.response_metadata |= {"finish_reason": finish, "model_provider": "bedrock_converse", **self._names()}
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncGenerator[ChatGenerationChunk]:
        opening = partial(StreamedAnswer.opened, self._request(messages, stop, kwargs), self.idle_seconds)
        answer = await call_bedrock(
            self._shared, opening, seconds=self.first_token_seconds, retries=self.max_retries or 0
        )
        try:
            async for event in answer.events():
                chunk = self._chunk(event, answer.metadata)
                if run_manager:
                    await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk
        finally:
            answer.close()

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return loop_thread().run(self._agenerate(messages, stop, None, **kwargs), self._shared)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for chunk in loop_thread().iterate(self._astream(messages, stop, None, **kwargs), self._shared):
            if run_manager:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    def _request(self, messages: Sequence[BaseMessage], stop: list[str] | None, options: dict[str, Any]) -> Event:
        """Return what langchain-aws would send, in the form that Nova takes.

        Raises:
            ModelRequestError: a message holds what Bedrock has no form for.
        """
        offered = _offered(options, messages)
        has_tools = bool(offered.get("tools") or offered.get("toolConfig"))
        caches = "amazon.nova" in self._get_base_model()
        try:
            next(super()._stream(normalise(messages, tools=has_tools, cache_prefix=caches), stop, None, **offered))
        except _Built as built:
            built.request["inferenceConfig"] = within_limits(built.request.get("inferenceConfig", {}))
            return built.request
        except ValueError as wrong:
            raise ModelRequestError(REFUSED.message) from wrong
        raise AssertionError("langchain-aws streamed without a client")
