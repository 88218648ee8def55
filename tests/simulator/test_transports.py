"""Both transports: replies stream as they are made, and a hang-up reaches the server at once."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn

from simulator.in_process import InProcess, started
from simulator.replies import Heard, frames
from simulator.transport import Http, Reply, Transport, TransportError, chat_address
from tests.simulator.scripted_app import Answer, ScriptedApp

BODY = json.dumps({"messages": [{"role": "user", "content": "hello"}]}).encode()
PATH = "/v1/chat/completions"


@asynccontextmanager
async def over_http(app: ScriptedApp) -> AsyncIterator[Transport]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    serving = asyncio.create_task(server.serve([listening]))
    http = Http(f"http://127.0.0.1:{listening.getsockname()[1]}")
    try:
        yield http
    finally:
        await http.close()
        server.should_exit = True
        await serving


@asynccontextmanager
async def in_process(app: ScriptedApp) -> AsyncIterator[Transport]:
    async with started(app) as transport:
        yield transport


BOTH = pytest.mark.parametrize("reach", [over_http, in_process])


async def read(transport: Transport, at_first_word: Callable[[], Awaitable[None]] | None = None) -> str:
    words = ""
    async with transport.post(PATH, BODY, {}) as reply:
        async for frame in frames(reply):
            words += frame["choices"][0]["delta"].get("content", "")
            if at_first_word:
                await at_first_word()
    return words


async def hung_up(app: ScriptedApp) -> None:
    async with asyncio.timeout(10):
        while not app.seen or app.seen[0].hung_up_at is None:  # noqa: ASYNC110  (the server has no event for it)
            await asyncio.sleep(0.01)


@BOTH
async def test_words_come_as_they_are_made(reach: type) -> None:
    app = ScriptedApp(Answer("one two three", every=0.05))
    async with reach(app) as transport, transport.post(PATH, BODY, {}) as reply:
        words, sent = "", []
        async for frame in frames(reply):
            words += frame["choices"][0]["delta"].get("content", "")
            sent.append(len(app.seen[0].sent))
    assert words == "one two three "
    assert sent[0] < 3  # the first was here before the last was made


@BOTH
async def test_leaving_before_the_first_word_closes_the_connection(reach: type) -> None:
    app = ScriptedApp(Answer(first=3600))
    async with reach(app) as transport:

        async def ask() -> None:
            async with transport.post(PATH, BODY, {}):
                pass

        asking = asyncio.create_task(ask())
        while not app.seen:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.wait({asking})
        await hung_up(app)


@BOTH
async def test_leaving_in_the_middle_closes_the_connection(reach: type) -> None:
    app = ScriptedApp(Answer("one two three", every=3600))
    async with reach(app) as transport:
        async with transport.post(PATH, BODY, {}) as reply:
            await anext(aiter(frames(reply)))
        await hung_up(app)
    assert app.seen[0].sent == ["one"]


@BOTH
async def test_a_stream_without_its_end_is_no_answer(reach: type) -> None:
    app = ScriptedApp(Answer(finish=None))
    async with reach(app) as transport:
        with pytest.raises(TransportError):
            await read(transport)


async def test_nobody_there_is_a_transport_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    http = Http(f"http://127.0.0.1:{port}")
    with pytest.raises(TransportError, match=f"no answer from http://127.0.0.1:{port}: nobody can be reached there"):
        async with http.post(PATH, BODY, {}):
            pass
    await http.close()


async def test_a_crash_breaks_every_connection_and_the_next_request_is_served() -> None:
    app = ScriptedApp(Answer("one two", every=3600), Answer("back again"))
    async with started(app) as transport:
        with pytest.raises(TransportError, match="broke off"):
            await read(transport, at_first_word=transport.crash)
        assert await read(transport) == "back again "


async def test_an_app_that_fails_is_a_transport_error() -> None:
    async def failing(scope: object, receive: object, send: object) -> None:
        raise ValueError("broken")

    with pytest.raises(TransportError, match="no answer"):
        async with InProcess(failing).post(PATH, BODY, {}):
            pass


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://h:1/api/chat/completions/", ("http://h:1", "/api/chat/completions/")),
        ("https://h/v1", ("https://h", "/v1/chat/completions")),
        ("http://h:8000", ("http://h:8000", "/chat/completions")),
        ("https://h/v1/chat/completions", ("https://h", "/v1/chat/completions")),
    ],
)
def test_a_base_url_gets_the_path_that_vapi_appends(url: str, address: tuple[str, str]) -> None:
    assert chat_address(url) == address


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://h/x", "", "http://"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is no URL of a server"):
        chat_address(url)


async def chunks(body: bytes) -> AsyncIterator[bytes]:
    yield body


@pytest.mark.parametrize(
    "body",
    [
        "",
        "hello",
        "[1]",
        '{"hello": 1}',
        '{"choices": 5}',
        '{"choices": [1]}',
        '{"choices": [{"message": "hello", "finish_reason": "stop"}]}',
        '{"choices": [{"message": {"content": ["hello"]}, "finish_reason": "stop"}]}',
        '{"choices": [{"message": {"tool_calls": [7]}, "finish_reason": "stop"}]}',
        '{"choices": [{"message": {"tool_calls": [{"function": {"name": 7}}]}, "finish_reason": "stop"}]}',
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_whatever_a_server_says_that_is_no_chat_completion_is_told(body: str, *, streamed: bool) -> None:
    """Any server may stand behind a URL: what it says must neither pass for an answer nor break the call."""
    if streamed:
        body = f"data: {body.replace('message', 'delta')}\n\ndata: [DONE]\n\n"
    reply = Reply(200, chunks(body.encode()), {"content-type": "text/event-stream" if streamed else "application/json"})
    heard = Heard()
    with suppress(TransportError):
        async for frame in frames(reply):
            heard.take(frame)
    assert not heard.whole
    assert heard.text == ""
