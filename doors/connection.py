"""What a connection may cost before the app sees a request, and while its client does not take the reply."""

import asyncio
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httptools
import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from doors.errors import ApiError, envelope, invalid

MOST_HEAD_BYTES = 65_536
LONGEST_SECONDS = 30.0
_LINGER_SECONDS = 2.0

_OF_AN_UPGRADE = (b"connection", b"upgrade", b"http2-settings")

_log = structlog.get_logger(__name__)


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's connection with the bounds that it lacks; what it refuses is answered in the envelope.

    Headers and trailers of more than 64 KB are answered 431. Where no request has begun to be served for 30 s, the
    connection is closed, with a 408 if something of one is there; and it is closed on a client that takes nothing of
    its reply for 30 s.

    Of requests that are sent without waiting for the replies the first is served, and the connection closed behind its
    reply (RFC 9112, section 9.3.2: their client sends the others again). uvicorn would queue them without bound, and
    miss the hang-up of the one that it serves.

    A wish to go on in another protocol, which Java's clients and curl send with their first request (HTTP/2), is passed
    over (RFC 9110, section 7.8). uvicorn would take such a request's body for the other protocol, and lose it.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._head_bytes = 0
        self._unparsed_bytes = 0  # of a header that is not whole yet: the parser keeps it
        self._begun = self._serving = self._refused = False
        self._idle: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._idle = self.loop.call_later(LONGEST_SECONDS, self._end_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop what still waits."""
        for timer in (self._idle, self._unread):
            if timer:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, within the bounds."""
        if self._refused:
            return
        self._unset_keepalive_if_required()
        self._unparsed_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as asked:
            self._pass_over_upgrade(data[asked.args[0] :])
            return
        except httptools.HttpParserError:
            self._refuse(invalid("This is no HTTP/1.1 request, or its headers contradict each other."))
            return
        if self._head_bytes + self._unparsed_bytes > MOST_HEAD_BYTES:
            self._refuse(invalid(f"The headers are larger than {MOST_HEAD_BYTES:,} bytes.", status=431))

    def on_message_begin(self) -> None:
        """Begin to count."""
        super().on_message_begin()
        self._head_bytes = self._unparsed_bytes = 0
        self._begun, self._serving = True, False

    def on_url(self, url: bytes) -> None:
        """Count a piece of the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header, or a trailer."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to serve a request."""
        if self._is_busy():
            self._refuse(invalid("Send one request after the other."))
            return
        self._serving = not self._refused and self._head_bytes <= MOST_HEAD_BYTES and not self.parser.should_upgrade()
        if self._serving:
            if self._idle:
                self._idle.cancel()
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass on a piece of the body, which has bounds of its own."""
        self._unparsed_bytes = 0
        if self._serving:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Tell that the body is whole."""
        self._unparsed_bytes = 0
        if self._serving:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        super().on_response_complete()
        if not self._is_busy():
            self._idle = self.loop.call_later(LONGEST_SECONDS, self._end_idle)

    def timeout_keep_alive_handler(self) -> None:
        """Close, even where the client has not taken all of its reply."""
        super().timeout_keep_alive_handler()
        self._await_reader()

    def pause_writing(self) -> None:
        """Begin to wait for a client that does not take its reply."""
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        """End that wait."""
        super().resume_writing()
        if self._unread:
            self._unread.cancel()

    def _count(self, size: int) -> None:
        self._head_bytes += size
        self._unparsed_bytes = 0

    def _await_reader(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._unread = self.loop.call_later(LONGEST_SECONDS, self._end_unread, left)

    def _end_unread(self, left: int) -> None:
        if self.transport.get_write_buffer_size() < left:
            self._await_reader()
        else:
            self.transport.abort()

    def _pass_over_upgrade(self, rest: bytes) -> None:
        """Read a request once more, as one that asks for no other protocol; `rest` came behind its head."""
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._refuse(invalid("This is no proxy.", status=405))
            return
        headers = [header for header in self.headers if header[0] not in _OF_AN_UPGRADE]
        head = [b"%b %b HTTP/1.1\r\n" % (method, self.url), *(b"%b: %b\r\n" % header for header in headers)]
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"".join((*head, b"\r\n", rest)))

    def _end_idle(self) -> None:
        if self._begun and not self._serving:
            self._refuse(invalid(f"The headers were not there after {LONGEST_SECONDS:.0f} s.", status=408))
        else:
            self.transport.abort()

    def _refuse(self, error: ApiError) -> None:
        """Answer and close, but where this came behind a whole request: its reply goes out first, and is the last.

        What still comes is read for a moment and forgotten: closed at once, the connection would be reset under the
        answer.
        """
        if self._refused:
            return
        self._refused = True
        _log.info("connection refused", status=error.status)
        if self._is_busy() and not self.cycle.more_body:
            self.cycle.keep_alive = False
        elif self._is_busy() and self.cycle.response_started:
            self.transport.abort()
        else:
            self.transport.write(_reply(error))
            self.transport.write_eof()
            self._unread = self.loop.call_later(_LINGER_SECONDS, self.transport.abort)

    def _is_busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete


def _reply(error: ApiError) -> bytes:
    reply = envelope(error)
    headers = [*reply.raw_headers, (b"x-request-id", uuid4().hex.encode()), (b"connection", b"close")]
    head = b"".join(b"%b: %b\r\n" % header for header in headers)
    status = f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}\r\n".encode()
    return b"".join((status, head, b"\r\n", reply.body))
