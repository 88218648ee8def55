"""Nova on Bedrock, natively async: langchain-aws builds requests and reads answers, aiobotocore moves the bytes.

langchain-aws 1.9 holds a thread a call and hops through it for every chunk (langchain-aws issue 663); its requests, its
parsing, its tools and its structured output are kept as they are.
"""

from collections.abc import AsyncGenerator, Iterator, Sequence
from functools import partial
from typing import Any, Self

from langchain_aws import ChatBedrockConverse
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import Field, PrivateAttr, SkipValidation, model_validator

from teller.models.bedrock.answer import read_event, read_message, refuse_malformed
from teller.models.bedrock.blocking import loop_thread
from teller.models.bedrock.call import call_bedrock
from teller.models.bedrock.client import BedrockConnection, Keys
from teller.models.bedrock.request import Request, StandIn, build_request, foundation
from teller.models.bedrock.stream import StreamedAnswer
from teller.models.bedrock.tools import choice


class AsyncChatBedrockConverse(ChatBedrockConverse):
    """`ChatBedrockConverse` whose async calls are async down to the socket, and which takes any conversation.

    It is used as its parent is; `invoke`, `stream` and `batch` run on one background event loop. What differs:

    - Conversations, tool choices and sampling are brought into the form that Nova takes (`normalise`).
    - Failures are the typed ones of `teller.errors`; Bedrock is asked again only while nothing was passed on.
    - Every model id streams. A tool call that no words go before comes whole, at its end.
    - `response_metadata` also holds OpenAI's `finish_reason`, and a cache point follows Nova's first system message.
    - No client is built and no network touched at the start. So of an application profile `base_model_id` and
      `provider` are to be given, and `default_headers` is not taken.

    A stream that is closed or cancelled closes its socket at once, before its first token too.
    """

    connection: SkipValidation[BedrockConnection | None] = Field(None, exclude=True, repr=False)
    """The client that the process's models share; unset, the model has one of its own, by its parent's fields."""
    first_token_seconds: float = Field(15.0, gt=0)
    """Longest wait for a stream's first words, all attempts together."""
    idle_seconds: float = Field(15.0, gt=0)
    """Longest silence in a stream after that."""
    timeout: int | None = Field(60, gt=0)
    """Longest wait, in seconds, for an answer that is not streamed, all attempts together."""
    max_retries: int | None = Field(2, ge=0, le=2)
    """How often a call is tried again where that can help; expired credentials are read anew once besides."""
    _shared: BedrockConnection = PrivateAttr()

    @model_validator(mode="before")
    @classmethod
    def _start_without_clients(cls, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("default_headers"):
            raise ValueError("default_headers: models that share a connection have no headers of their own")
        known = foundation(values.get("model_id") or values.get("model") or "")
        return {"client": StandIn(), "bedrock_client": StandIn(), **known, **values}

    @model_validator(mode="after")
    def _connect(self) -> Self:
        self._shared = self.connection = self.connection or _own_connection(self)
        return self

    @classmethod
    def _resolve_disable_streaming(cls, *_: Any, **__: Any) -> bool:
        return False  # the parent lets only ids stream that it knows

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Return False: LangChain loads back only classes that are on a list of its own."""
        return False

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: Any = None, strict: bool | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools; `tool_choice` also takes OpenAI's forms: `required`, `none`, or an object that names one."""
        wanted = choice(tool_choice)
        if wanted == "none":
            return super().bind_tools(tools, strict=strict, **kwargs).bind(tool_choice=wanted)
        return super().bind_tools(tools, tool_choice=wanted, strict=strict, **kwargs)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        request = self._request(messages, stop, kwargs)
        call = partial(_converse, request=request)
        response = await call_bedrock(self._shared, call, self.timeout, self.max_retries)
        message = read_message(response, self._names(request), self._inline_reasoning_tags_for_model())
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncGenerator[ChatGenerationChunk]:
        request = self._request(messages, stop, kwargs)
        call = partial(StreamedAnswer.opened, request=request, idle_seconds=self.idle_seconds)
        answer = await call_bedrock(self._shared, call, self.first_token_seconds, self.max_retries)
        told_once = {**self._names(request), "ResponseMetadata": answer.metadata}
        try:
            async for event in answer.events():
                chunk = read_event(event, told_once)
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

    def _request(self, messages: Sequence[BaseMessage], stop: list[str] | None, options: dict[str, Any]) -> Request:
        caches = "amazon.nova" in self._get_base_model()
        return build_request(super()._stream, messages, stop, options, cache_prefix=caches)

    def _names(self, request: Request) -> dict[str, str]:
        """Return which model answered, in the words of langchain-aws."""
        asked = request["modelId"]
        profile = {"inference_profile_id": asked} if "application-inference-profile" in asked else {}
        return {"model_name": (self.base_model_id if asked == self.model_id else None) or asked, **profile}


async def _converse(client: Any, _: Any, *, request: Request) -> dict[str, Any]:
    response: dict[str, Any] = await client.converse(**request)
    refuse_malformed(response.get("stopReason"))
    return response


def _own_connection(model: AsyncChatBedrockConverse) -> BedrockConnection:
    """Return a connection by the fields that langchain-aws has for it.

    Keys and tokens that the model only took over from the environment are left there, where AWS's chain finds them.
    """
    given = model.model_fields_set
    keys = None
    if model.aws_access_key_id and model.aws_secret_access_key and "aws_access_key_id" in given:
        token = model.aws_session_token
        keys = Keys(
            model.aws_access_key_id.get_secret_value(),
            model.aws_secret_access_key.get_secret_value(),
            token.get_secret_value() if token else None,
        )
    bearer = model.bedrock_api_key if "bedrock_api_key" in given else None
    return BedrockConnection(
        region_name=model.region_name,
        profile_name=model.credentials_profile_name,
        endpoint_url=model.endpoint_url,
        keys=keys,
        bearer_token=bearer.get_secret_value() if bearer else None,
        config=model.config,
    )
