"""The bank's documents over HTTP."""

import asyncio
import select
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from starlette.types import Message

from teller.knowledge import ingest
from teller.knowledge.converter import Converter
from teller.knowledge.formats import Converted, Kind
from teller.models.embedder import OnnxEmbedder
from tests.support.documents import archive_of, blank_pages, pdf, protected
from tests.support.in_process import in_process
from tests.support.server import Server

PETS = b"---\ntitle: Pets\ncollection: service\n---\n## Dogs\n\nA Larkfield branch welcomes calm dogs on a leash.\n"
UPLOAD_SCOPE = {
    "type": "http",
    "http_version": "1.1",
    "method": "POST",
    "path": "/api/documents/upload/",
    "query_string": b"",
    "headers": [(b"content-type", b"multipart/form-data; boundary=b")],
    "client": ("127.0.0.1", 1),
}


def multipart(filename: str, data: bytes) -> bytes:
    head = f'--b\r\ncontent-disposition: form-data; name="file"; filename="{filename}"\r\n\r\n'
    return head.encode() + data + b"\r\n--b--\r\n"


def ask(http: httpx.Client, question: str) -> str:
    body = {"messages": [{"role": "user", "content": question}], "stream": False}
    content: str = http.post("/api/chat/completions/", json=body).json()["choices"][0]["message"]["content"]
    return content


def upload(http: httpx.Client, filename: str, data: bytes) -> httpx.Response:
    return http.post("/api/documents/upload/", files={"file": (filename, data, "application/octet-stream")})


def test_an_uploaded_document_is_answered_from_listed_read_and_deleted(http: httpx.Client) -> None:
    uploaded = upload(http, "pets.md", PETS).json()
    assert uploaded["status"] == "success"
    assert (uploaded["filename"], uploaded["chunks_created"]) == ("pets.md", 1)
    assert "leash" in ask(http, "May I bring my dog into a branch?")

    listed = {document["filename"]: document for document in http.get("/api/documents/").json()["documents"]}
    assert listed["pets.md"]["collection"] == "service"
    assert len(listed) == 19

    path = f"/api/documents/{uploaded['document_id']}"
    assert "calm dogs" in http.get(path).json()["passages"][0]
    assert http.delete(path).status_code == 204
    assert http.delete(path).status_code == 404
    assert http.get(path).status_code == 404
    assert "leash" not in ask(http, "May I bring my dog into a branch?")


@pytest.mark.parametrize(
    ("filename", "data", "status", "told"),
    [
        ("empty.md", b"", 400, "empty"),
        ("blank.txt", b"  \n", 400, "empty"),
        ("broken.txt", b"caf\xe9", 400, "save it as UTF-8"),
        ("wide.txt", "text".encode("utf-16"), 400, "save it as UTF-8"),
        ("dated.md", b"---\neffective: 31.12.2026\n---\nText.", 400, "2026-01-31"),
        ("secret.pdf", protected(pdf(["Text."])), 400, "save it without one"),
        ("scan.pdf", pdf([]), 400, "run OCR"),
        ("torn.docx", b"PK\x03\x04", 400, "save it again"),
        ("...", b"Text.", 400, "no name"),
        ("photo.png", b"\x89PNG\r\n\x1a\n\x00\x00", 415, "send Markdown"),
        ("rates.xlsx", archive_of("xl/workbook.xml"), 415, "send Markdown"),
        ("photo.txt", b"\x89PNG\r\n\x1a\n\x00\x00", 415, "send Markdown"),
        ("pages.pdf", blank_pages(2_001), 413, "split it"),
        ("large.txt", b"word " * 2_000_001, 413, "split it"),
    ],
)
def test_a_document_that_cannot_be_read_is_refused_with_what_to_do_and_leaves_nothing(
    http: httpx.Client, filename: str, data: bytes, status: int, told: str
) -> None:
    before = http.get("/api/documents/").json()
    refused = upload(http, filename, data)
    assert refused.status_code == status
    error = refused.json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", "file")
    assert told in error["message"]
    assert http.get("/api/documents/").json() == before


def test_what_a_document_is_tells_its_content_and_not_its_name(http: httpx.Client) -> None:
    uploaded = upload(http, "../../rates.md", pdf(["The rate for boats is 9.25%."])).json()
    assert uploaded["filename"] == "rates.md"
    path = f"/api/documents/{uploaded['document_id']}"
    assert http.get(path).json()["passages"] == ["The rate for boats is 9.25%."]
    http.delete(path)


@pytest.mark.parametrize("declared", [True, False])
def test_fifty_megabytes_are_refused_before_they_are_read(server: Server, declared: bool) -> None:
    """Declared, no byte is taken; undeclared, it ends soon after ten megabytes."""
    head = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    blocks, sent = [head, *[b"words of a text " * 4_096] * 800, b"\r\n--b--\r\n"], 0
    length = f"content-length: {sum(map(len, blocks))}" if declared else "transfer-encoding: chunked"
    host, port = server.base_url.removeprefix("http://").split(":")
    request = "POST /api/documents/upload/ HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=b\r\n"
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(f"{request}{length}\r\n\r\n".encode())
        with suppress(ConnectionError):  # it closes while we send
            for block in blocks:
                if select.select([connection], [], [], 0)[0]:
                    break
                connection.sendall(block if declared else f"{len(block):x}\r\n".encode() + block + b"\r\n")
                sent += len(block)
        reply = ""
        while not reply.endswith("}}") and (more := connection.recv(10_000)):
            reply += more.decode()
    assert reply.startswith("HTTP/1.1 413")
    assert '"param":"file"' in reply
    assert "split it" in reply
    assert sent < 30_000_000


async def test_a_chat_turn_is_answered_while_an_upload_waits_for_its_vectors(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedding, go_on = threading.Event(), threading.Event()

    def slow(embedder: OnnxEmbedder, texts: list[str]) -> list[list[float]]:
        embedding.set()
        assert go_on.wait(60), "whoever waits for it was held up"
        return [[1.0] * embedder.dimension for _ in texts]

    monkeypatch.setattr(OnnxEmbedder, "embed_documents", slow)
    async with in_process(data_dir) as (_, http):
        file = {"file": ("pets.md", PETS, "text/markdown")}
        uploading = asyncio.create_task(http.post("/api/documents/upload/", files=file))
        assert await asyncio.to_thread(embedding.wait, 60)
        body = {"messages": [{"role": "user", "content": "What loan options are available?"}], "stream": False}
        answer = (await http.post("/api/chat/completions/", json=body)).json()
        assert "personal loans" in answer["choices"][0]["message"]["content"].lower()
        assert not uploading.done()
        go_on.set()
        assert (await uploading).json()["status"] == "success"


async def test_an_upload_that_would_wait_for_long_is_asked_to_come_again(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, go_on = threading.Event(), threading.Event()
    read = Converter.convert

    def slow(converter: Converter, kind: Kind, data: bytes) -> Converted:
        reading.set()
        assert go_on.wait(60), "the one that waited was not refused"
        return read(converter, kind, data)

    monkeypatch.setattr(Converter, "convert", slow)
    monkeypatch.setattr(ingest, "_LONGEST_WAIT_SECONDS", 0.05)
    async with in_process(data_dir) as (_, http):
        file = {"file": ("pets.html", b"<p>Pets are insured.</p>", "text/html")}
        first = asyncio.create_task(http.post("/api/documents/upload/", files=file))
        assert await asyncio.to_thread(reading.wait, 60)
        refused = await http.post("/api/documents/upload/", files=file)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert "again in a moment" in refused.json()["error"]["message"]
        go_on.set()
        assert (await first).json()["status"] == "success"
        assert (await http.post("/api/documents/upload/", files=file)).json()["status"] == "success"


async def test_an_upload_that_is_hung_up_on_leaves_nothing(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embedding = asyncio.Event()

    async def endless(embedder: OnnxEmbedder, texts: list[str]) -> list[list[float]]:
        embedding.set()
        return await asyncio.Future()

    async def body() -> AsyncIterator[Message]:
        yield {"type": "http.request", "body": multipart("pets.md", PETS)}
        await embedding.wait()
        yield {"type": "http.disconnect"}

    monkeypatch.setattr(OnnxEmbedder, "aembed_documents", endless)
    async with in_process(data_dir) as (app, http):
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async with asyncio.timeout(60):
            await app(UPLOAD_SCOPE, aiter(body()).__anext__, send)
        assert sent[0]["status"] == 499
        listed = (await http.get("/api/documents/")).json()["documents"]
        assert "pets.md" not in {document["filename"] for document in listed}


def test_a_request_without_a_file_is_told_so(http: httpx.Client) -> None:
    refused = http.post("/api/documents/upload/")
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "file"
