"""Files made to hurt: each is refused with what to do, nothing of it is kept, and it costs only itself."""

import asyncio
import io
import os
import subprocess
import threading
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from teller.errors import DocumentRejectedError, DocumentTooLargeError
from teller.knowledge.converter import Converter
from teller.knowledge.embedded import EmbeddedIndex
from teller.knowledge.index import IndexStatus
from teller.knowledge.ingest import Ingester
from tests.support.documents import blank_pages, pdf, pdf_of, protected, word_of, word_with

ALIASES = "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(20))
ENTITIES = '<!ENTITY l0 "lol">' + "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 12))
PAGE = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << >> >>"


def unpacking(size: int, inside: bytes = b"") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", inside or bytes(size))
    return made.getvalue()


def lying_about_its_size() -> bytes:
    """A bomb of 80 MB that declares a size of a thousand bytes, in both of its directories."""
    return unpacking(80_000_000).replace((80_000_000).to_bytes(4, "little"), (1_000).to_bytes(4, "little"))


def laughing(entity: str) -> bytes:
    body = f"<w:body><w:p><w:r><w:t>{entity}</w:t></w:r></w:p></w:body>"
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    xml = f'<?xml version="1.0"?><!DOCTYPE x [{ENTITIES}]><w:document xmlns:w="{space}">{body}</w:document>'
    return word_with({"word/document.xml": xml})


def page_of(content: bytes) -> bytes:
    """A PDF of one page whose content unpacks from very little."""
    packed = zlib.compress(content, 9)
    stream = f"<< /Filter /FlateDecode /Length {len(packed)} >>\nstream\n".encode() + packed + b"\nendstream"
    return pdf_of(b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>", PAGE, stream)


def slow() -> bytes:
    """A Word document of 200 kB that takes its parser a minute or more."""
    return word_of("<w:p><w:r><w:t>a</w:t></w:r></w:p>" * 1_500_000)


@pytest.mark.parametrize(
    ("filename", "make", "told"),
    [
        ("bomb.docx", lambda: unpacking(80_000_000), "unpacks to more than 60 MB"),
        ("nested.docx", lambda: unpacking(0, unpacking(80_000_000)), "damaged"),
        ("liar.docx", lying_about_its_size, "damaged"),
        ("laughs.docx", lambda: laughing("&l11;"), "damaged"),
        ("tables.docx", lambda: word_of("<w:tbl><w:tr><w:tc>" * 5_000), "damaged"),
        ("secret.pdf", lambda: protected(pdf(["Text."])), "password"),
        ("pages.pdf", lambda: blank_pages(10_000), "more than 2,000 pages"),
        ("empty.pdf", lambda: blank_pages(50), "OCR"),
        ("loop.pdf", lambda: pdf_of("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [2 0 R] /Count 1 >>"),
         "damaged|no text"),
        ("inflated.pdf", lambda: page_of(b" " * 150_000_000), "no text|damaged"),
        ("deep.html", lambda: b"<html>" + b"<div>" * 20_000 + b"text", "nested too deeply"),
        ("aliases.md", lambda: f"---\na: &a [x]\n{ALIASES}effective: *u\n---\ntext".encode(), "effective date"),
        ("large.md", lambda: b"word " * 10_000_000, "larger than 10 MB"),
    ],
)  # fmt: skip
async def test_it_is_refused_and_leaves_nothing(
    ingester: Ingester, index: EmbeddedIndex, filename: str, make: Callable[[], bytes], told: str
) -> None:
    with pytest.raises(DocumentRejectedError, match=told):
        await ingester.ingest_bytes(filename, make())
    assert await index.status() == IndexStatus(passages=0, with_vector=0)


async def test_a_reference_to_a_file_of_ours_is_not_followed(ingester: Ingester, index: EmbeddedIndex) -> None:
    file = Path(__file__)
    xml = f"""<!DOCTYPE x [<!ENTITY f SYSTEM "file://{file}">]><w:document xmlns:w=
        "http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>Before</w:t></w:r><w:r>
        <w:t>&f;</w:t></w:r></w:p></w:body></w:document>"""
    info = await ingester.ingest_bytes("a.docx", word_with({"word/document.xml": xml}))
    assert [passage.text for passage in await index.passages_of(info.document_id)] == ["Before"]


async def test_what_takes_too_long_is_stopped_and_the_next_document_is_read() -> None:
    async with Converter(longest_seconds=5) as converter:
        with pytest.raises(DocumentTooLargeError, match="too long"):
            converter.convert("docx", slow())
        assert "Text." in converter.convert("html", b"<p>Text.</p>").markdown


async def test_an_upload_that_is_given_up_stops_the_reading(
    ingester: Ingester, children: Callable[[], set[str]]
) -> None:
    upload = asyncio.create_task(ingester.ingest_bytes("slow.docx", slow()))
    while not children():  # noqa: ASYNC110  (what is waited for is another process)
        await asyncio.sleep(0.01)
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert children() == set()
    assert (await ingester.ingest_bytes("next.html", b"<p>Text.</p>")).chunks == 1


async def test_a_process_that_will_not_end_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []

    def never(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        threads.append(threading.current_thread())
        assert timeout is not None, "it was waited for without limit"
        raise subprocess.TimeoutExpired(process.args, timeout)

    async with Converter() as converter:
        converter.convert("html", b"<p>Text.</p>")
        process = converter._process
        assert process is not None
        monkeypatch.setattr(subprocess.Popen, "wait", never)
    monkeypatch.undo()
    await asyncio.to_thread(process.wait, 60)
    assert threads
    assert threading.main_thread() not in threads


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="no /proc here: limits were not looked at")
async def test_who_reads_has_a_bound_on_memory_and_knows_no_secret(children: Callable[[], set[str]]) -> None:
    async with Converter() as converter:
        converter.convert("html", b"<p>Text.</p>")
        (child,) = children()
        limits = told_of(child, "limits")
        environment = told_of(child, "environ")
    assert "unlimited" not in next(line for line in limits.splitlines() if line.startswith("Max address space"))
    assert "PYTHONPATH" in environment
    assert environment.count("=") == 1


@pytest.fixture
def children() -> Callable[[], set[str]]:
    """Tells the ids of this process' children that were born since; the run's servers were there before."""
    before = running()
    return lambda: running() - before


def told_of(child: str, name: str) -> str:
    return (Path("/proc") / child / name).read_text()


def running() -> set[str]:
    files = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {child for file in files for child in file.read_text().split()}
