"""One call to Bedrock: within its time, tried again where that can help, its failures ours by name."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog
from botocore.exceptions import ClientError

from teller.models.bedrock.client import BedrockConnection
from teller.models.bedrock.errors import SILENT, Retry, meaning

_log = structlog.get_logger(__name__)

_FIRST_PAUSE = 0.2  # seconds, about; the second is twice as long

T = TypeVar("T")
Call = Callable[[Any, asyncio.Timeout], Awaitable[T]]
"""Takes the client and the limit that it is under, which it may move once Bedrock has begun to answer."""


async def call_bedrock(connection: BedrockConnection, call: Call[T], seconds: float | None, retries: int | None) -> T:
    """Return what a call returns; all attempts and pauses together have so many seconds (None: no limit).

    A call can be tried again because nothing of its answer has reached anybody: pass on the first piece only when
    this function has returned. An attempt that would begin too late is not waited for.

    Raises:
        TellerError: of the kind that `errors` tells.
    """
    try:
        async with asyncio.timeout(seconds) as limit:
            return await _call(connection, call, limit, retries or 0)
    except TimeoutError as late:
        raise SILENT.error(SILENT.message) from late


async def _call(connection: BedrockConnection, call: Call[T], limit: asyncio.Timeout, retries: int) -> T:
    opened = await connection.open()
    tries, renewed = 0, False
    while True:
        generation = opened.credentials.generation
        try:
            return await call(opened.client, limit)
        except Exception as failure:
            means = meaning(failure)
            if means is None:
                raise
            again = False
            if means.retry is Retry.FRESH_CREDENTIALS and not renewed:
                opened.credentials.forget(generation)
                again = renewed = True
            elif tries < retries and await _paused(means.retry, tries, limit):
                tries, again = tries + 1, True
            _log.warning("Bedrock failed", error=means.error.__name__, cause=_cause(failure), again=again)
            if not again:
                raise means.error(means.message) from failure


async def _paused(retry: Retry, tries: int, limit: asyncio.Timeout) -> bool:
    """Return whether to try again, after the pause that goes before it."""
    if retry is Retry.ONCE:
        return tries == 0
    pause = _FIRST_PAUSE * 2**tries * random.uniform(0.5, 1.5)  # noqa: S311  (spreads callers; guards nothing)
    ends = limit.when()
    if retry is not Retry.A_PAUSE or (ends is not None and asyncio.get_running_loop().time() + pause >= ends):
        return False
    await asyncio.sleep(pause)
    return True


def _cause(failure: Exception) -> str:
    """Return what an operator can look up: AWS's code, or the name of the exception. No text: it may quote a caller."""
    if isinstance(failure, ClientError):
        return str(failure.response.get("Error", {}).get("Code"))
    return type(failure).__name__
