"""An answer while it is made: the events of ConverseStream, and the proof that they are all there."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Self

import structlog

from teller.models.bedrock.answer import refuse_malformed
from teller.models.bedrock.errors import BROKEN_OFF, SILENT, UnusableAnswerError, meaning
from teller.models.bedrock.silence import Silence

_log = structlog.get_logger(__name__)

Event = dict[str, Any]


class StreamedAnswer:
    """The events of one answer, and what came with them. Close it: that closes its socket, unless it is at its end."""

    def __init__(self, response: Mapping[str, Any], idle_seconds: float) -> None:
        self.metadata: dict[str, Any] = response["ResponseMetadata"]
        self._idle_seconds = idle_seconds
        self._stream = response["stream"]
        self._held: list[Event] = []
        self._arriving = self._whole()

    @classmethod
    async def opened(
        cls, client: Any, limit: asyncio.Timeout, *, request: Mapping[str, Any], idle_seconds: float
    ) -> Self:
        """Return an answer whose first words have come.

        A tool call that no words go before is read to its end: Nova spoils one now and then, and as long as nothing is
        passed on it can be asked again. `limit` is for the first sign of an answer; after that silence is limited.
        """
        answer = cls(await client.converse_stream(**request), idle_seconds)
        try:
            async for event in answer._arriving:
                answer._held.append(event)
                if _has_words(event):
                    break
                if "contentBlockDelta" in event:
                    limit.reschedule(asyncio.get_running_loop().time() + idle_seconds)
        except BaseException:
            answer.close()
            raise
        return answer

    async def events(self) -> AsyncGenerator[Event]:
        """Yield every event, up to the end of a whole answer.

        Raises:
            TellerError: of the kind that `errors` tells; it broke off, failed, or fell silent.
        """
        for event in self._held:
            yield event
        silence = Silence(self._idle_seconds, self.close)
        try:
            async for event in self._arriving:
                silence.end()
                yield event
                silence.begin()
        except Exception as failure:
            if means := SILENT if silence.broken else meaning(failure):
                raise means.error(means.message) from failure
            raise
        finally:
            silence.cancel()

    def close(self) -> None:
        """Close the socket at once, unless the answer has been read to its end and gave it back."""
        self._stream.close()

    async def _whole(self) -> AsyncGenerator[Event]:
        """Yield the events that we know, and raise at the end of an answer that is not whole.

        After its stop reason an answer is whole: if its usage is lost, nobody is told that the answer failed.
        """
        complete = False
        try:
            async for event in self._stream:
                if "messageStop" in event:
                    refuse_malformed(event["messageStop"].get("stopReason"))
                    complete = True
                if "SDK_UNKNOWN_MEMBER" not in event:  # botocore's name for an event that is newer than it
                    yield event
        except Exception as failure:
            if not complete:
                raise
            _log.warning("Bedrock's usage was lost", cause=type(failure).__name__)
        if not complete:
            raise UnusableAnswerError(BROKEN_OFF)


def _has_words(event: Event) -> bool:
    delta = event.get("contentBlockDelta", {}).get("delta", {})
    return bool(delta.get("text") or delta.get("reasoningContent"))
