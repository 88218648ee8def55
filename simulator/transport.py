"""How requests travel: one protocol, with HTTP here and an ASGI app in `in_process.py`."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import httpx

_CONNECT_SECONDS = 5.0
_SILENT_SECONDS = 20.0
"""Vapi's own patience with a server that sends nothing."""

MAX_REPLY_BYTES = 1_000_000
"""The longest reply that is read; the rest is left."""


class TransportError(Exception):
    """No reply came, or it broke off; the message says how, without the body."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply that has begun: its head, and its body as it comes."""

    status: int
    body: AsyncIterator[bytes]
    headers: Mapping[str, str] = field(default_factory=dict)


class Transport(Protocol):
    """One replica of a server.

    Leaving the block of `post` before the body has ended is hanging up: the server sees the connection closed.

    Raises (inside the block too): TransportError.
    """

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> AbstractAsyncContextManager[Reply]:
        """Send a request; the block is entered when the reply's head is there."""
        ...


class Http:
    """A server behind an address, such as `http://localhost:8000`. Close it at the end."""

    def __init__(self, origin: str) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
        timeout = httpx.Timeout(_SILENT_SECONDS, connect=_CONNECT_SECONDS, pool=None)
        self._origin = origin
        self._client = httpx.AsyncClient(base_url=origin, timeout=timeout, limits=limits, trust_env=False)

    @asynccontextmanager
    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> AsyncIterator[Reply]:
        """Send a request."""
        try:
            async with self._client.stream("POST", path, content=body, headers=headers) as response:
                yield Reply(response.status_code, _body(response), response.headers)
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            raise TransportError(f"no answer from {self._origin}: {_why(failure)}") from failure

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()


async def _body(response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.aiter_bytes():
            yield chunk
    except httpx.HTTPError as failure:
        raise TransportError(f"the answer broke off: {_why(failure)}") from failure


def _why(failure: Exception) -> str:
    match failure:
        case httpx.ConnectError() | httpx.ConnectTimeout():
            return "nobody can be reached there"
        case httpx.ReadTimeout():
            return f"nothing came for {_SILENT_SECONDS:.0f} s"
        case httpx.RemoteProtocolError():
            return "the connection was closed, or what came is no HTTP"
        case _:
            return type(failure).__name__


def chat_address(url: str) -> tuple[str, str]:
    """Return origin and path of a chat-completions URL, `/chat/completions` appended where it is a base URL as Vapi's.

    Raises:
        ValueError: it is no http(s) URL.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:  # `port` checks its range
        raise ValueError(f"{url} is no URL of a server, such as http://localhost:8000/api/chat/completions/")
    path = parts.path
    if not path.rstrip("/").endswith("/chat/completions"):
        path = f"{path.rstrip('/')}/chat/completions"
    return urlunsplit((parts.scheme, parts.netloc, "", "", "")), path
