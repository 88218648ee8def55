"""An answer while it is made: the events of ConverseStream, and the proof that they are all there."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

from teller.models.bedrock_errors import BROKEN_OFF, FAILED, UnusableAnswerError, meaning

Event = dict[str, Any]

_MALFORMED = {"malformed_tool_use", "malformed_model_output"}


class StreamedAnswer:
    """The events of one answer, and what came with them. Close it: that closes its socket, unless it is at its end."""

    def __init__(self, response: Mapping[str, Any]) -> None:
        self.metadata: dict[str, Any] = response["ResponseMetadata"]
        self._stream = response["stream"]
        self._arriving: AsyncIterator[Event] = aiter(self._stream)
        self._held: list[Event] = []
        self._complete = False

    @classmethod
    async def opened(
        cls, client: Any, request: Mapping[str, Any], limit: asyncio.Timeout, idle_seconds: float
    ) -> "StreamedAnswer":
        """Return an answer whose first words have come.

        A tool call that no words go before is read to its end: Nova may spoil one, and until something is passed on it
        can be asked again. `limit` is for the first sign of an answer; from there on only silence is limited.
        """
        answer = cls(await client.converse_stream(**request))
        try:
            while event := await answer._next():
                answer._held.append(event)
                if _has_words(event):
                    break
                if "contentBlockDelta" in event:
                    limit.reschedule(asyncio.get_running_loop().time() + idle_seconds)
        except BaseException:
            answer.close()
            raise
        return answer

    async def events(self, idle_seconds: float) -> AsyncGenerator[Event]:
        """Yield every event, up to the end of a whole answer.

        Raises:
            TellerError: of the kind that `bedrock_errors` tells; it broke off, failed, or fell silent.
        """
        for event in self._held:
            yield event
        while event := await self._next_in_time(idle_seconds):
            yield event

    def close(self) -> None:
        """Close the socket at once, unless the answer has been read to its end and gave it back."""
        self._stream.close()

    async def _next_in_time(self, idle_seconds: float) -> Event | None:
        try:
            async with asyncio.timeout(idle_seconds):
                return await self._next()
        except Exception as failure:
            if means := meaning(failure):
                raise means.error(means.message) from failure
            raise

    async def _next(self) -> Event | None:
        """Return the next event that we know, or None at the end of a whole answer."""
        event = await anext(self._arriving, None)
        while event is not None and "SDK_UNKNOWN_MEMBER" in event:  # botocore's name for what is newer than it
            event = await anext(self._arriving, None)
        if event is None and not self._complete:
            raise UnusableAnswerError(BROKEN_OFF)
        if event and "messageStop" in event:
            self._complete = True
            refuse_malformed(event["messageStop"].get("stopReason"))
        return event


def refuse_malformed(stop_reason: str | None) -> None:
    """Raise if the model itself says that its answer is malformed.

    Raises:
        UnusableAnswerError: it does.
    """
    if stop_reason in _MALFORMED:
        raise UnusableAnswerError(FAILED)


def _has_words(event: Event) -> bool:
    delta = event.get("contentBlockDelta", {}).get("delta", {})
    return bool(delta.get("text") or delta.get("reasoningContent"))
