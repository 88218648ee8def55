"""HTTP/1.1 on a connection that can be cut: a response may end as it should, or anywhere and anyhow.

A web framework hides the socket; here the answerer may reset it, close it in the middle of a chunk, or leave it silent,
and is cancelled as soon as the client goes.
"""

import asyncio
import socket
import struct
import traceback
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import count
from time import monotonic

import httptools

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, for 0 seconds
_MOST_BODY = 32 * 1024 * 1024
_KEEP_ALIVE, _CLOSE = ("Connection", "keep-alive"), ("Connection", "close")
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_ids = count(1)

Header = tuple[str, str]
Handler = Callable[["Exchange"], Awaitable[None]]


@dataclass(slots=True)
class Request:
    """A request; its path as it was sent, the names of its headers in lower case."""

    method: str = ""
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    keep_alive: bool = True


class Exchange:
    """A request, and the ways to answer it."""

    def __init__(self, request: Request, connection: "Connection") -> None:
        self.request = request
        self.connection = connection

    def respond(self, status: int, headers: Iterable[Header], body: bytes) -> None:
        """Answer whole."""
        self.promise(status, headers, body, sent=len(body))

    def promise(self, status: int, headers: Iterable[Header], body: bytes, sent: int) -> None:
        """Answer with the head of a whole body, but only the beginning of it."""
        self._head(status, [*headers, ("Content-Length", str(len(body)))])
        self.connection.write(body[:sent])

    def begin(self, headers: Iterable[Header]) -> None:
        """Begin an answer in chunks."""
        self._head(200, [*headers, ("Transfer-Encoding", "chunked")])

    def send(self, data: bytes) -> None:
        """Send one chunk."""
        self.connection.write(b"%x\r\n%b\r\n" % (len(data), data))

    def send_half(self, data: bytes) -> None:
        """Send the first half of a chunk."""
        self.connection.write(b"%x\r\n%b" % (len(data), data[: len(data) // 2]))

    def end(self) -> None:
        """End an answer in chunks."""
        self.connection.write(b"0\r\n\r\n")

    def _head(self, status: int, headers: Iterable[Header]) -> None:
        lines = [f"HTTP/1.1 {status} {_PHRASES.get(status, 'Unknown')}"]
        kept = _KEEP_ALIVE if self.request.keep_alive else _CLOSE
        lines += [f"{name}: {value}" for name, value in (*headers, kept)]
        self.connection.write("\r\n".join((*lines, "", "")).encode("latin-1"))


class Connection(asyncio.Protocol):
    """One client's connection, among those that are open; its requests are answered one after the other."""

    def __init__(self, handler: Handler, among: set["Connection"]) -> None:
        self.connection_id = next(_ids)
        self.opened_at = 0.0
        self.when_client_closes: list[Callable[[float], None]] = []
        self._handler = handler
        self._among = among
        self._parser = httptools.HttpRequestParser(self)
        self._incoming = Request()
        self._waiting: deque[Request] = deque()
        self._answering: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport
        self._cut = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport = transport
        self.opened_at = monotonic()
        self._among.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop answering at once; if it was the client who left, say so to those who asked."""
        self._among.discard(self)
        if not self._cut:
            for told in self.when_client_closes:
                told(monotonic())
        if self._answering:
            self._answering.cancel()

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            self.close()

    def on_url(self, url: bytes) -> None:
        """Take a piece of the path (called by the parser, as all that follow)."""
        self._incoming.path += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._incoming.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._incoming.body += body
        if len(self._incoming.body) > _MOST_BODY:
            self.reset()

    def on_message_complete(self) -> None:
        """Answer the request when those before it are answered."""
        self._incoming.method = self._parser.get_method().decode()
        self._incoming.keep_alive = self._parser.should_keep_alive()
        self._waiting.append(self._incoming)
        self._incoming = Request()
        if self._answering is None:
            self._answering = asyncio.get_running_loop().create_task(self._answer_all())

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._transport.write(data)

    def reset(self) -> None:
        """Cut: the client gets a TCP reset."""
        self._cut = True
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()

    def close(self) -> None:
        """Close when all that was written is sent, whatever was promised."""
        self._cut = True
        self._transport.close()

    async def _answer_all(self) -> None:
        while self._waiting:
            request = self._waiting.popleft()
            try:
                await self._handler(Exchange(request, self))
            except Exception:  # a fault of the server's own is shown, and ends the connection
                traceback.print_exc()
                self.reset()
            if not request.keep_alive:
                self.close()
        self._answering = None
