"""The whole program on OpenSearch: it serves from it, takes documents in, and `teller check` explains what is wrong."""

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from aiohttp import web

from teller.knowledge.opensearch.mapping import MAPPING, Nature, index_body
from teller.knowledge.opensearch.profile import Profile
from tests.support.opensearch.front import Front, hangs, refusal, standing
from tests.support.opensearch.node import Node
from tests.support.server import TELLER, Server, environment, free_port, start_server

BGE = "bge-small-en-v1.5"


@pytest.fixture
def alias(opensearch: Node) -> Iterator[str]:
    name = f"test-{uuid4().hex[:8]}"
    yield name
    httpx.delete(f"{opensearch.url}/{name}-*", timeout=30)


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A data folder without an index."""
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def serving(opensearch: Node, alias: str, empty: Path) -> Iterator[Server]:
    settings = {"OPENSEARCH_URL": opensearch.url, "OPENSEARCH_INDEX": alias, "SEARCH_TIMEOUT_SECONDS": "10"}
    server, process = start_server(empty, **settings)
    wait_for_vectors(server)
    yield server
    process.terminate()
    process.communicate(timeout=20)


def wait_for_vectors(server: Server) -> None:
    """Return when all passages have their vector: words come first, and quote is sure of little by words alone."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        said = httpx.get(f"{server.base_url}/api/health/", timeout=30).json()["services"]["search"]["message"]
        passages, with_vector = map(int, re.findall(r"(\d+) (?:passages|with)", said))
        if passages == with_vector:
            return
        time.sleep(0.5)
    pytest.fail(said)


async def run(data_dir: Path, *arguments: str, **settings: str) -> tuple[int, str]:
    """Run a `teller` command and return its status and all it prints, while this loop goes on."""
    env = environment(data_dir, COLUMNS="500", **settings)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(TELLER, *arguments, env=env, stdout=pipe, stderr=pipe)
    async with asyncio.timeout(180):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode() + err.decode()


def chat(server: Server, text: str, **more: object) -> httpx.Response:
    body = {"messages": [{"role": "user", "content": text}], "stream": False, **more}
    return httpx.post(f"{server.base_url}/api/chat/completions/", json=body, timeout=60)


def test_it_takes_in_the_sample_bank_and_answers_from_it(serving: Server, opensearch: Node, alias: str) -> None:
    answer = chat(serving, "What loan options are available?").json()["choices"][0]["message"]["content"]
    assert "personal loans, home loans and auto loans" in answer
    health = httpx.get(f"{serving.base_url}/api/health/", timeout=30).json()
    assert health["status"] == "healthy"
    kept = httpx.get(f"{opensearch.url}/{alias}/_count", timeout=30).json()["count"]
    assert kept > 100
    assert not (serving.data_dir / "knowledge.db").exists()


def test_a_document_is_uploaded_asked_about_and_deleted(serving: Server) -> None:
    upload = f"{serving.base_url}/api/documents/upload/"
    text = b"---\ntitle: Pets in branches\n---\n## Dogs\n\nA Larkfield branch welcomes well-behaved dogs on a leash.\n"
    made = httpx.post(upload, files={"file": ("pets.md", text)}, timeout=60).json()
    listed = httpx.get(f"{serving.base_url}/api/documents/", timeout=30).json()["documents"]
    assert made["document_id"] in {one["document_id"] for one in listed}
    question = "Can I bring my dog into a branch?"
    assert "leash" in chat(serving, question).json()["choices"][0]["message"]["content"]
    deleted = httpx.delete(f"{serving.base_url}/api/documents/{made['document_id']}", timeout=30)
    assert deleted.status_code == 204
    assert "leash" not in chat(serving, question).json()["choices"][0]["message"]["content"]


async def test_the_command_takes_documents_in_and_takes_out_what_is_gone(
    opensearch: Node, alias: str, data_dir: Path, tmp_path: Path
) -> None:
    settings = {"OPENSEARCH_URL": opensearch.url, "OPENSEARCH_INDEX": alias, "SAMPLE_BANK": "off"}
    folder = tmp_path / "documents"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / f"{name}.md").write_text(f"# About {name}\n\nThe fee of {name} is $5.\n")
    told = (await run(data_dir, "ingest", str(folder), **settings))[1]
    assert "2 added, 0 changed, 0 unchanged, 0 removed, 0 refused" in told
    (folder / "two.md").unlink()
    told = (await run(data_dir, "ingest", str(folder), **settings))[1]
    assert "0 added, 0 changed, 1 unchanged, 1 removed, 0 refused" in told


class TestWhenTheClusterIsAway:
    @pytest.mark.parametrize("in_its_place", ["nothing", "a maintenance page"])
    async def test_voice_hears_a_sentence_and_chat_gets_a_503(
        self, opensearch: Node, alias: str, data_dir: Path, in_its_place: str
    ) -> None:
        away = False

        async def sometimes_away(_: web.Request, __: bytes) -> web.StreamResponse | None:
            if not away:
                return None
            if in_its_place == "nothing":
                return refusal(503, "cluster_block_exception")
            return web.Response(text="<title>We'll be back</title>", content_type="text/html")

        async with standing(Front(opensearch.url, sometimes_away)) as front:
            url = f"http://127.0.0.1:{front.port}"
            settings = {"OPENSEARCH_URL": url, "OPENSEARCH_INDEX": alias, "SEARCH_TIMEOUT_SECONDS": "10"}
            server, process = await asyncio.to_thread(start_server, data_dir, **settings)
            try:
                question = "Which zebra loan options are available?"
                assert (await asyncio.to_thread(chat, server, question)).status_code == 200
                away = True
                voice = await asyncio.to_thread(chat, server, question, metadata={"channel": "voice"})
                assert voice.status_code == 200
                assert voice.json()["choices"][0]["message"]["content"]
                silent = await asyncio.to_thread(chat, server, question)
                assert silent.status_code == 503
                assert silent.json()["error"]["type"] == "service_unavailable_error"
                card = await asyncio.to_thread(chat, server, "Block my credit card [phone: +1234567890]")
                assert "I've blocked" in card.json()["choices"][0]["message"]["content"], "cards need no search"
                away = False
                assert (await asyncio.to_thread(chat, server, question)).status_code == 200
            finally:
                process.terminate()
                await asyncio.to_thread(process.communicate, timeout=20)
            assert "zebra" not in (data_dir / "server.log").read_text()

    async def test_a_start_waits_for_it_and_then_takes_the_sample_bank_in(
        self, opensearch: Node, alias: str, data_dir: Path
    ) -> None:
        away = True

        async def away_at_first(_: web.Request, __: bytes) -> web.StreamResponse | None:
            return refusal(503, "cluster_block_exception") if away else None

        async with standing(Front(opensearch.url, away_at_first)) as front:
            settings = {"OPENSEARCH_URL": f"http://127.0.0.1:{front.port}", "OPENSEARCH_INDEX": alias}
            starting = asyncio.create_task(asyncio.to_thread(start_server, data_dir, **settings))
            await asyncio.sleep(5)
            assert not starting.done(), "it is not ready without its index"
            away = False
            server, process = await starting
            process.terminate()
            await asyncio.to_thread(process.communicate, timeout=20)
            assert server.data_dir == data_dir


class TestCheck:
    async def test_a_cluster_and_an_index_that_can_serve(self, opensearch: Node, alias: str, data_dir: Path) -> None:
        settings = {"OPENSEARCH_URL": opensearch.url, "OPENSEARCH_INDEX": alias}
        status, told = await run(data_dir, "check", **settings)
        assert status == 1
        assert f"The index {alias} is missing: `teller migrate` makes it" in told
        assert (await run(data_dir, "migrate", **settings))[0] == 0
        status, told = await run(data_dir, "check", **settings)
        assert status == 0, told
        assert f"OpenSearch 2.19.1, {alias} leads to {alias}-000001, green" in told

    async def test_another_embedders_index(self, opensearch: Node, alias: str, data_dir: Path) -> None:
        body = index_body(Nature("other-embedder", 12), Profile()) | {"aliases": {alias: {}}}
        await put(f"{opensearch.url}/{alias}-000001", body)
        settings = {"OPENSEARCH_URL": opensearch.url, "OPENSEARCH_INDEX": alias}
        status, told = await run(data_dir, "check", **settings)
        assert status == 1
        assert f"other-embedder (12 dimensions), but the embedder is now {BGE}" in told
        assert "run `teller migrate`" in told
        status, told = await run(data_dir, "serve", **settings)
        assert status != 0
        assert "run `teller migrate`" in told
        status, told = await run(data_dir, "migrate", **settings)
        assert status == 0, told
        assert f"{alias} leads to {alias}-000002 now" in told
        assert (await run(data_dir, "check", **settings))[0] == 0

    async def test_an_index_that_is_none_of_ours_is_left_alone(
        self, opensearch: Node, alias: str, data_dir: Path
    ) -> None:
        await put(f"{opensearch.url}/{alias}-000001", {"aliases": {alias: {}}})
        for command in ("check", "migrate", "serve"):
            settings = {"OPENSEARCH_URL": opensearch.url, "OPENSEARCH_INDEX": alias}
            status, told = await run(data_dir, command, **settings)
            assert status != 0
            assert "OPENSEARCH_INDEX" in told
            assert "no index of Teller's" in told

    async def test_a_cluster_that_is_not_there(self, data_dir: Path) -> None:
        url = f"http://me:secret@127.0.0.1:{free_port()}"
        status, told = await run(data_dir, "check", OPENSEARCH_URL=url)
        assert status == 1
        assert "cannot be reached: check OPENSEARCH_URL" in told
        assert "secret" not in told

    async def test_a_cluster_that_hangs(self, data_dir: Path) -> None:
        async with standing(Front("", hangs)) as front:
            status, told = await run(data_dir, "check", OPENSEARCH_URL=f"http://127.0.0.1:{front.port}")
        assert status == 1
        assert "does not answer in time" in told

    async def test_a_cluster_that_does_not_let_us_in(self, data_dir: Path) -> None:
        async def closed(_: web.Request, __: bytes) -> web.StreamResponse | None:
            return refusal(401, "security_exception")

        async with standing(Front("", closed)) as front:
            status, told = await run(data_dir, "check", OPENSEARCH_URL=f"http://127.0.0.1:{front.port}")
        assert status == 1
        assert "check OPENSEARCH_USER and OPENSEARCH_PASSWORD" in told

    async def test_a_web_server_in_a_clusters_place(self, data_dir: Path) -> None:
        async def sign_in(_: web.Request, __: bytes) -> web.StreamResponse | None:
            return web.Response(text="<title>Sign in</title>", content_type="text/html")

        async with standing(Front("", sign_in)) as front:
            url = f"http://127.0.0.1:{front.port}"
            status, told = await run(data_dir, "check", OPENSEARCH_URL=url)
        assert status == 1
        assert f"OpenSearch at {url} answers with something else: check OPENSEARCH_URL" in told
        assert "Traceback" not in told

    @pytest.mark.parametrize(
        ("plugins", "wrong", "serves"),
        [
            ({"opensearch-knn": "2.19.1.0"}, "lacks the plugin opensearch-neural-search", True),
            ({"opensearch-neural-search": "2.19.1.0"}, "lacks the plugin opensearch-knn", False),
            (
                {"opensearch-knn": "2.17.0.0", "opensearch-neural-search": "2.17.0.0"},
                "has the plugin opensearch-neural-search 2.17 on one of its nodes",
                True,
            ),
        ],
    )
    async def test_a_plugin_that_is_missing_or_too_old(
        self, opensearch: Node, alias: str, data_dir: Path, plugins: dict[str, str], wrong: str, serves: bool
    ) -> None:
        """The cluster says so of a node; where it is said of hybrid queries, none is sent."""

        async def without(request: web.Request, body: bytes) -> web.StreamResponse | None:
            if request.path == "/_cat/plugins":
                rows = [{"name": "n1", "component": name, "version": plugins[name]} for name in plugins]
                return web.json_response(rows)
            return refusal(400, "unknown_query") if b'"hybrid"' in body else None

        async with standing(Front(opensearch.url, without)) as front:
            settings = {"OPENSEARCH_URL": f"http://127.0.0.1:{front.port}", "OPENSEARCH_INDEX": alias}
            settings["SEARCH_TIMEOUT_SECONDS"] = "10"
            status, told = await run(data_dir, "check", **settings)
            assert status == 1
            assert wrong in told
            status, told = await run(data_dir, "ask", "What loan options are available?", **settings)
            assert (status == 0) is serves, told
            assert ("personal loans" in told) is serves

    async def test_an_index_of_a_newer_version(self, opensearch: Node, alias: str, data_dir: Path) -> None:
        body = index_body(Nature(BGE, 384, MAPPING + 1), Profile()) | {"aliases": {alias: {}}}
        await put(f"{opensearch.url}/{alias}-000001", body)
        status, told = await run(data_dir, "check", OPENSEARCH_URL=opensearch.url, OPENSEARCH_INDEX=alias)
        assert status == 1
        assert "newer Teller" in told


async def put(url: str, body: dict[str, object]) -> None:
    async with httpx.AsyncClient(timeout=30) as client:
        (await client.put(url, json=body)).raise_for_status()
