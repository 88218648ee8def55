"""The embedded answerer: a chat model that answers in the documents' own sentences, or says that it can't.

It reads the prompt that a hosted model gets, and nothing else: the passages of the last user message are what it may
quote, the user turns are the question. It writes no sentence of its own, so it cannot invent.
"""

import re
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, NoReturn

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr, SkipValidation

from teller.knowledge import passage_block
from teller.knowledge.index import Passage
from teller.knowledge.question import standalone_question
from teller.models.cross_encoder import CrossEncoder
from teller.models.query_vectors import QueryVectors
from teller.models.quote.answer_choice import Answer, choose
from teller.models.quote.close_reading import read_closely
from teller.models.quote.everyday_words import plainly
from teller.models.quote.evidence import weigh
from teller.models.quote.prepared_passages import PreparedPassages, TextVectors

PASSAGES_TO_QUOTE = 7
"""How many it is best given: more hold more answers, and more that only look like one (bench/RETRIEVAL.md)."""
_LONGEST_TURN = 600  # characters; of a longer turn the end is read, where the question stands
_WORD = re.compile(r"\S+\s*|\s+")


class QuoteChatModel(BaseChatModel):
    """Quotes one to three sentences (or a list, or table rows) of the passages in its prompt, or declines.

    The reply's `response_metadata` holds `{"quoted": [filenames]}` or `{"declined": True}`, and `finish_reason`
    ("stop", or "length" where `max_tokens` cut it). Usage counts the question and the passages as input, in the
    embedder's tokens. Tools and system messages are not for it: the first raise, the second are passed over.
    """

    decline: str
    """What it says when the passages do not answer the question."""
    vectors: SkipValidation[TextVectors]
    """Where the vectors of sentences come from."""
    questions: SkipValidation[QueryVectors]
    """Where the vector of the question comes from; shared with routing and retrieval, it is computed once."""
    cross_encoder: SkipValidation[CrossEncoder]
    """What reads the likeliest sentences together with the question, where there is doubt."""
    count_tokens: SkipValidation[Callable[[str], int]]
    """How many tokens a text is."""
    max_tokens: int | None = None
    model_name: str = "quote"
    _prepared: PreparedPassages = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        """Start with no passage prepared."""
        super().model_post_init(context)
        self._prepared = PreparedPassages(self.vectors)

    @property
    def _llm_type(self) -> str:
        return "quote"

    async def prepare(self, passages: Sequence[Passage]) -> None:
        """Compute what an answer from these passages needs, about 0.1 s each; after an ingest, in the background."""
        await self._prepared.of(passages)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=await self._reply(messages, stop, **kwargs))])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        reply = await self._reply(messages, stop, **kwargs)
        for word in _WORD.findall(reply.text):
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=word))
            if run_manager:
                await run_manager.on_llm_new_token(word, chunk=chunk)
            yield chunk
        last = AIMessageChunk(
            content="",
            usage_metadata=reply.usage_metadata,
            response_metadata=reply.response_metadata,
            chunk_position="last",
        )
        yield ChatGenerationChunk(message=last)

    def _generate(self, *args: Any, **kwargs: Any) -> NoReturn:
        # Vectors are shared with an event loop's other users; a second loop for a blocking call would break them.
        raise NotImplementedError("quote answers asynchronously: use ainvoke or astream")

    async def _reply(self, messages: Sequence[BaseMessage], stop: list[str] | None, **kwargs: Any) -> AIMessage:
        turns = [message.text for message in messages if isinstance(message, HumanMessage)]
        if not turns:
            raise ValueError("quote needs a user message to answer")
        passages, asked = passage_block.parse(turns[-1])
        before = next((message.text for message in reversed(messages) if isinstance(message, AIMessage)), "")
        answer = await self._answer(passages, [*turns[:-1], asked], before)
        whole = answer.text if answer else self.decline
        text, finish = self._cut(whole, stop or [], kwargs.get("max_tokens") or self.max_tokens)
        read = self.count_tokens(asked) + sum(self.count_tokens(passage.text) for passage in passages)
        written = self.count_tokens(text)
        return AIMessage(
            content=text,
            usage_metadata=UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written),
            response_metadata={
                "model_name": self.model_name,
                "finish_reason": finish,
                **({"quoted": list(answer.filenames)} if answer else {"declined": True}),
            },
        )

    async def _answer(self, passages: Sequence[Passage], turns: Sequence[str], told_before: str) -> Answer | None:
        earlier = [passage_block.parse(turn)[1] for turn in turns[:-1]]
        spoken = [" ".join(turn.split())[-_LONGEST_TURN:] for turn in (*earlier, turns[-1])]
        lines = [line for line in plainly(standalone_question(spoken)).splitlines() if line]
        prepared = await self._prepared.of(passages)
        if not spoken[-1] or not prepared:
            return None
        question = "\n".join(lines)
        whole, last = await self.questions.vector(question), await self.questions.vector(lines[-1])
        evidence = await read_closely(weigh(question, whole, last, prepared), question, self.cross_encoder)
        return choose(evidence, told_before=told_before)

    def _cut(self, text: str, stop: Sequence[str], max_tokens: int | None) -> tuple[str, str]:
        """Return the text up to the first stop string and within `max_tokens`, by whole words, and why it ends."""
        text = text[: min((text.find(end) for end in stop if end and end in text), default=len(text))]
        if max_tokens is None or self.count_tokens(text) <= max_tokens:
            return text, "stop"
        kept = ""
        for word in _WORD.findall(text):
            if self.count_tokens(kept + word) > max_tokens:
                break
            kept += word
        return kept.rstrip(), "length"
