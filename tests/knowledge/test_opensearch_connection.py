"""The way to the cluster: who asks it, whom it trusts, how long it waits, and where it asks next."""

import asyncio
import base64
import re
import ssl
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from pydantic import SecretStr

from teller.errors import ConfigurationError, SearchUnavailableError
from teller.knowledge.opensearch.adapter import OpenSearchIndex
from teller.knowledge.opensearch.address import Address, Node
from teller.knowledge.opensearch.cluster import Cluster
from teller.knowledge.opensearch.explain import explain
from teller.knowledge.opensearch.mapping import Nature
from teller.knowledge.opensearch.profile import Profile
from teller.settings import Settings
from tests.knowledge.openers import OpenSearchOpener
from tests.support.opensearch import node as real
from tests.support.opensearch.front import Front, Interferes, hangs, refusal, standing
from tests.support.passages import CARDS, TODAY, ids
from tests.support.server import free_port

PASSWORD = "a pass:word@home"


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)


def local(*ports: int, **more: Any) -> Address:
    return Address(tuple(Node("127.0.0.1", port, tls=bool(more.get("ca"))) for port in ports), **more)


async def answers(address: Address, seconds: float = 5) -> Any:
    cluster = Cluster(address, seconds)
    try:
        return await cluster.read("GET", "/")
    finally:
        await cluster.close()


class TestAddress:
    def test_several_nodes_may_be_named(self) -> None:
        address = Address.of(settings(opensearch_url="http://a.example, https://b.example/search"))
        assert address.nodes == (Node("a.example", 9200, tls=False), Node("b.example", 443, tls=True, prefix="/search"))

    def test_a_user_may_stand_in_the_url_and_is_never_shown(self) -> None:
        address = Address.of(settings(opensearch_url="https://me:s%40cret@a.example"))
        assert (address.user, address.password) == ("me", "s@cret")
        assert "cret" not in f"{address} {address!r}"

    @pytest.mark.parametrize(
        ("url", "service", "region"),
        [
            ("https://search-bank-abc.eu-west-1.es.amazonaws.com", "es", "eu-west-1"),
            ("https://abc123.us-east-1.aoss.amazonaws.com", "aoss", "us-east-1"),
            ("https://search.bank.example", "", ""),
        ],
    )
    def test_amazons_addresses_are_signed_for(self, url: str, service: str, region: str) -> None:
        address = Address.of(settings(opensearch_url=url))
        assert address.service == service
        assert region in ("", address.region)
        assert Profile.of(address.service).pipeline is (service != "aoss")

    def test_a_domain_with_a_user_of_its_own_is_not_signed_for(self) -> None:
        url = "https://me:secret@search-bank-abc.eu-west-1.es.amazonaws.com"
        assert Address.of(settings(opensearch_url=url)).service == ""

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ({"opensearch_url": "http://a:secretport"}, "OPENSEARCH_URL is no address"),
            ({"opensearch_url": "http://a", "opensearch_user": "me"}, "OPENSEARCH_PASSWORD"),
            ({"opensearch_url": "https://a", "opensearch_ca": "/no/such/file"}, "OPENSEARCH_CA"),
            ({"opensearch_url": "https://a", "opensearch_service": "aoss"}, "AWS_REGION"),
        ],
    )
    def test_what_is_wrong_is_told_without_the_password(
        self, given: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("AWS_REGION", raising=False)
        monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
        with pytest.raises(ConfigurationError, match=told) as raised:
            Address.of(settings(**given))
        assert "secret" not in str(raised.value)


class TestWhoAsks:
    async def test_a_user_and_a_password_are_sent(self) -> None:
        expected = "Basic " + base64.b64encode(f"me:{PASSWORD}".encode()).decode()

        async def guard(request: web.Request, _: bytes) -> web.StreamResponse:
            known = request.headers.get("authorization") == expected
            return web.json_response({"well": True}) if known else refusal(401, "security_exception")

        async with standing(Front("", guard)) as front:
            url = f"http://127.0.0.1:{front.port}"
            password = SecretStr(PASSWORD)
            address = Address.of(settings(opensearch_url=url, opensearch_user="me", opensearch_password=password))
            assert await answers(address) == {"well": True}
            wrong = local(front.port, user="me", password="wrong")
            with pytest.raises(SearchUnavailableError, match="OPENSEARCH_PASSWORD") as raised:
                await answers(wrong)
            assert "wrong" not in str(raised.value)
            with pytest.raises(ConfigurationError, match="OPENSEARCH_PASSWORD"):
                await OpenSearchIndex.open(wrong, "kb", "any", 3, 5)

    @pytest.mark.parametrize("service", ["es", "aoss"])
    async def test_the_signature_is_botocores_own(self, service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        keys = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}
        for name, value in keys.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        async with standing(Front("", answer_well)) as front:
            cluster = Cluster(local(front.port, service=service, region="eu-west-1"), 5)
            await cluster.search("kb", {"query": {"match_all": {}}}, preference="a b+c/ü")
            await cluster.bulk("kb", [({"index": {}}, {"text": "Grüße"})], again=False)
            await cluster.close()
            assert len(front.requests) == 2
            for request, body in front.requests:
                assert request.headers["authorization"] == signature(request, body, service)
                assert request.headers["x-amz-security-token"] == "token"

    async def test_credentials_that_are_refused_are_read_again(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        file = tmp_path / "credentials"
        file.write_text("[default]\naws_access_key_id = OLD\naws_secret_access_key = secret\n")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))

        async def guard(request: web.Request, _: bytes) -> web.StreamResponse:
            if "Credential=NEW/" in request.headers["authorization"]:
                return web.json_response({"well": True})
            file.write_text("[default]\naws_access_key_id = NEW\naws_secret_access_key = secret\n")
            return refusal(403, "expired_token")

        async with standing(Front("", guard)) as front:
            assert await answers(local(front.port, service="es", region="eu-west-1")) == {"well": True}

    async def test_without_credentials_the_start_stops_and_says_so(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
            monkeypatch.setenv(name, str(tmp_path / "none"))
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        async with standing(Front("", answer_well)) as front:
            with pytest.raises(ConfigurationError, match="this account's credentials"):
                await OpenSearchIndex.open(local(front.port, service="es", region="eu-west-1"), "kb", "any", 3, 5)
            assert front.requests == []


async def answer_well(request: web.Request, _: bytes) -> web.StreamResponse:
    if request.path.endswith("_bulk"):
        return web.json_response({"errors": False, "items": []})
    return web.json_response({"hits": {"hits": []}, "_shards": {"failed": 0}})


def signature(request: web.Request, body: bytes, service: str) -> str:
    """What botocore's own signer says of what arrived."""
    again = AWSRequest(request.method, f"http://{request.host}{request.raw_path}", data=body)
    again.headers["X-Amz-Content-SHA256"] = request.headers["x-amz-content-sha256"]
    again.context["timestamp"] = request.headers["x-amz-date"]
    auth = SigV4Auth(Credentials("AKIDEXAMPLE", "secret", "token"), service, "eu-west-1")
    again.headers["X-Amz-Date"] = request.headers["x-amz-date"]
    again.headers["X-Amz-Security-Token"] = "token"
    text = auth.string_to_sign(again, auth.canonical_request(again))
    signed = f"SignedHeaders={auth.signed_headers(auth.headers_to_sign(again))}"
    scope = f"Credential={auth.scope(again)}"
    return f"AWS4-HMAC-SHA256 {scope}, {signed}, Signature={auth.signature(text, again)}"


class TestTls:
    @pytest.fixture
    def certificate(self, tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
        """An authority of our own: its certificate, and what a server of it serves with."""
        folder = tmp_path
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Our authority",
                "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign",
                "-keyout", "ca.key", "-out", "ca.pem", folder=folder)  # fmt: skip
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=search", "-keyout", "key.pem", "-out", "csr.pem",
                folder=folder)  # fmt: skip
        (folder / "names").write_text("subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier=keyid\n")
        openssl("x509", "-req", "-in", "csr.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", "names", "-out", "cert.pem", folder=folder)  # fmt: skip
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        return folder / "ca.pem", context

    async def test_the_authority_that_is_named_is_trusted(self, certificate: tuple[Path, ssl.SSLContext]) -> None:
        ca, context = certificate
        async with standing(Front("", answer_well), context) as front:
            assert "hits" in await answers(local(front.port, ca=ca))

    async def test_without_it_the_start_stops_and_says_what_to_set(
        self, certificate: tuple[Path, ssl.SSLContext]
    ) -> None:
        async with standing(Front("", answer_well), certificate[1]) as front:
            address = Address((Node("127.0.0.1", front.port, tls=True),))
            with pytest.raises(ConfigurationError, match="OPENSEARCH_CA"):
                await OpenSearchIndex.open(address, "kb", "any", 3, 5)
            assert front.requests == []

    async def test_a_file_without_a_certificate_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "ca.pem").write_text("nothing")
        with pytest.raises(ConfigurationError, match="OPENSEARCH_CA"):
            Cluster(local(1, ca=tmp_path / "ca.pem"), 5)


def openssl(*arguments: str, folder: Path) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


class TestNodes:
    async def test_a_node_that_is_down_is_passed_over(
        self, opensearch: real.Node, opensearch_opener: OpenSearchOpener
    ) -> None:
        opensearch_opener.ports = (free_port(), opensearch.port, free_port())
        index = await opensearch_opener.open()
        await index.upsert(*CARDS, None)
        for _ in range(10):
            assert ids(await index.search("lounge", None, on=TODAY)) == ["cards-2"]

    async def test_a_node_that_hangs_leaves_time_to_ask_another(self) -> None:
        async with standing(Front("", hangs)) as stuck, standing(Front("", answer_well)) as well:
            for _ in range(4):
                assert "hits" in await answers(local(stuck.port, well.port), seconds=4)

    @pytest.mark.parametrize("status", [429, 502, 503, 504])
    async def test_a_cluster_that_is_busy_is_asked_again_after_a_pause(self, status: int) -> None:
        came: list[float] = []

        async def busy(request: web.Request, body: bytes) -> web.StreamResponse:
            came.append(time.monotonic())
            return await answer_well(request, body) if len(came) == 3 else refusal(status, "busy")

        async with standing(Front("", busy)) as front:
            assert "hits" in await answers(local(front.port))
        assert came[1] - came[0] >= 0.02
        assert came[2] - came[1] >= 0.04

    async def test_a_write_outlasts_the_restart_of_a_node_and_a_search_gives_up_before(self) -> None:
        async def restarts(request: web.Request, _: bytes) -> web.StreamResponse:
            if time.monotonic() < back and request.transport is not None:
                request.transport.abort()
            return as_empty(request)

        async with standing(Front("", restarts)) as front:
            back = 0.0
            index = await OpenSearchIndex.open(local(front.port), "kb", "any", 3, 60)
            back = time.monotonic() + 3
            writing = asyncio.create_task(index.upsert(*CARDS, None))
            with pytest.raises(SearchUnavailableError, match="cannot be reached"):
                await index.search("fee", None, on=TODAY)
            assert not writing.done()
            await writing
            await index.close()

    async def test_a_write_that_may_have_been_made_is_not_made_twice(self) -> None:
        async with standing(Front("", lambda *_: answered(refusal(503, "busy")))) as front:
            cluster = Cluster(local(front.port), 5)
            with pytest.raises(SearchUnavailableError, match="503"):
                await cluster.bulk("kb", [({"index": {}}, {})], again=False)
            await cluster.close()
            assert front.paths == ["/kb/_bulk"]

    async def test_a_search_gives_up_in_its_time(self) -> None:
        async with standing(Front("", hangs)) as front:
            async with asyncio.timeout(20):
                with pytest.raises(SearchUnavailableError, match="does not answer in time"):
                    await answers(local(front.port), seconds=0.5)

    async def test_a_caller_who_hangs_up_ends_the_request(self) -> None:
        came, gone = asyncio.Event(), asyncio.Event()

        async def wait(_: web.Request, __: bytes) -> web.StreamResponse | None:
            came.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                gone.set()
                raise
            return None

        async with standing(Front("", wait)) as front:
            asking = asyncio.create_task(answers(local(front.port), seconds=60))
            async with asyncio.timeout(10):
                await came.wait()
                asking.cancel()
                await gone.wait()


REJECTED = {"type": "rejected_execution_exception", "reason": "the queue is full"}
MADE: dict[str, Any] = {"status": 201}
BUSY: dict[str, Any] = {"status": 429, "error": REJECTED}
AWAY: dict[str, Any] = {"status": 503, "error": REJECTED}


def bulk_answers(each: Sequence[Sequence[Any]]) -> Interferes:
    """Answer the bulk requests that come, one after the other, with what became of their writes."""
    left = iter(each)

    async def answer(_: web.Request, __: bytes) -> web.StreamResponse:
        return web.json_response({"errors": True, "items": [{"index": result} for result in next(left)]})

    return answer


async def answered(response: web.Response) -> web.Response:
    return response


class TestFaultsInsideAnAnswer:
    @pytest.mark.parametrize(
        "answer",
        [
            {"error": {"type": "index_not_found_exception", "reason": "no such index"}, "status": 404},
            {"hits": {"hits": []}, "_shards": {"failed": 1}},
            {"hits": {"hits": []}, "_shards": {"failed": 0}, "timed_out": True},
        ],
    )
    async def test_one_search_of_several_that_failed_is_a_failure(self, answer: dict[str, Any]) -> None:
        good = {"hits": {"hits": []}, "_shards": {"failed": 0}}
        reply = web.json_response({"responses": [good, answer]})
        async with standing(Front("", lambda *_: answered(reply))) as front:
            cluster = Cluster(local(front.port), 5)
            with pytest.raises(SearchUnavailableError):
                await cluster.searches("kb", [{}, {}])
            await cluster.close()

    async def test_one_write_of_several_that_failed_is_a_failure(self) -> None:
        failed = {"status": 400, "error": {"type": "mapper_parsing_exception", "caused_by": {"reason": "zero vector"}}}
        reply = web.json_response({"errors": True, "items": [{"index": {"status": 201}}, {"index": failed}]})
        async with standing(Front("", lambda *_: answered(reply))) as front:
            cluster = Cluster(local(front.port), 5)
            with pytest.raises(SearchUnavailableError, match="mapper_parsing_exception: zero vector"):
                await cluster.bulk("kb", [({"index": {}}, {})] * 2, again=True)
            await cluster.close()

    @pytest.mark.parametrize("status", [429, 503])
    async def test_a_search_of_several_that_is_refused_for_now_is_asked_again_after_a_pause(self, status: int) -> None:
        good = {"hits": {"hits": []}, "_shards": {"failed": 0}}
        busy = {"error": REJECTED, "status": status}
        came: list[float] = []

        async def refuses_twice(_: web.Request, __: bytes) -> web.StreamResponse:
            came.append(time.monotonic())
            return web.json_response({"responses": [good, good if len(came) == 3 else busy]})

        async with standing(Front("", refuses_twice)) as front:
            cluster = Cluster(local(front.port), 5)
            assert await cluster.searches("kb", [{}, {}]) == [[], []]
            await cluster.close()
        assert came[1] - came[0] >= 0.02
        assert came[2] - came[1] >= 0.04

    async def test_a_search_that_goes_on_being_refused_fails_within_seconds(self) -> None:
        reply = {"responses": [BUSY]}
        async with standing(Front("", lambda *_: answered(web.json_response(reply)))) as front:
            cluster = Cluster(local(front.port), 60)
            async with asyncio.timeout(5):
                with pytest.raises(SearchUnavailableError, match="look at the cluster's health"):
                    await cluster.searches("kb", [{}])
            await cluster.close()

    async def test_only_the_writes_that_were_refused_for_now_are_made_again(self) -> None:
        async with standing(Front("", bulk_answers([[MADE, BUSY, MADE, AWAY], [BUSY, MADE], [MADE]]))) as front:
            cluster = Cluster(local(front.port), 5)
            await cluster.bulk("kb", [({"index": {"_id": name}}, {}) for name in "abcd"], again=True)
            await cluster.close()
            sent = ["".join(re.findall(r'"_id":"(.)"', body.decode())) for _, body in front.requests]
            assert sent == ["abcd", "bd", "b"]

    async def test_a_write_that_may_not_be_made_twice_is_made_again_only_where_there_was_no_room_for_it(self) -> None:
        async with standing(Front("", bulk_answers([[MADE, BUSY], [AWAY]]))) as front:
            cluster = Cluster(local(front.port), 5)
            with pytest.raises(SearchUnavailableError, match="look at the cluster's health"):
                await cluster.bulk("kb", [({"index": {}}, {"text": name}) for name in "ab"], again=False)
            await cluster.close()
            sent = ["".join(re.findall(r'"text":"(.)"', body.decode())) for _, body in front.requests]
            assert sent == ["ab", "b"]

    async def test_a_write_that_goes_on_being_refused_fails_in_its_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("teller.knowledge.opensearch.cluster._WRITE_SECONDS", 0.5)
        reply = {"errors": True, "items": [{"index": BUSY}]}
        async with standing(Front("", lambda *_: answered(web.json_response(reply)))) as front:
            cluster = Cluster(local(front.port), 5)
            async with asyncio.timeout(5):
                with pytest.raises(SearchUnavailableError, match="look at the cluster's health"):
                    await cluster.bulk("kb", [({"index": {"_id": "a"}}, {})], again=True)
            await cluster.close()

    async def test_bulk_requests_are_bounded(self) -> None:
        async with standing(Front("", answer_well)) as front:
            cluster = Cluster(local(front.port), 5)
            await cluster.bulk("kb", [({"index": {}}, {"text": "ü" * 150_000})] * 10, again=True)
            await cluster.close()
            assert [body.count(b"\n") // 2 for _, body in front.requests] == [3, 3, 3, 1]


SOMETHING_ELSE = [
    (200, "text/html", "<title>Sign in</title>"),
    (200, "text/plain", "It works!"),
    (200, "application/json", "<title>We'll be back</title>"),
    (200, "application/json", '"We\'ll be back"'),
    (200, "application/json", '{"status": "maintenance"}'),
    (404, "text/html", "<title>Not found</title>"),
    (404, "application/json", '["Not found"]'),
    (404, "application/json", '{"statusCode": 404, "error": "Not Found", "message": "Not Found"}'),  # Dashboards
]


@pytest.mark.parametrize(("status", "kind", "text"), SOMETHING_ELSE)
class TestSomethingElseAnswers:
    """A web server, a login page, a proxy's maintenance page: told as a cluster that can't be reached is."""

    TOLD = "answers with something else: check OPENSEARCH_URL"

    async def test_from_the_start(self, status: int, kind: str, text: str) -> None:
        async def other(_: web.Request, __: bytes) -> web.StreamResponse:
            return web.Response(status=status, content_type=kind, text=text)

        async with standing(Front("", other)) as front:
            with pytest.raises(SearchUnavailableError, match=self.TOLD):
                await explain(local(front.port), "kb", Nature("any", 3), 5)
            index = await OpenSearchIndex.open(local(front.port), "kb", "any", 3, 5)
            with pytest.raises(SearchUnavailableError, match=self.TOLD):
                await index.search("fee", None, on=TODAY)
            await index.close()

    async def test_while_it_is_searched_and_written_to(self, status: int, kind: str, text: str) -> None:
        away = False

        async def later(request: web.Request, _: bytes) -> web.StreamResponse:
            return web.Response(status=status, content_type=kind, text=text) if away else as_empty(request)

        async with standing(Front("", later)) as front:
            index = await OpenSearchIndex.open(local(front.port), "kb", "any", 3, 5)
            assert await index.search("fee", None, on=TODAY) == []
            away = True
            for work in (index.search("fee", None, on=TODAY), index.status(), index.upsert(*CARDS, None)):
                with pytest.raises(SearchUnavailableError, match=self.TOLD):
                    await work
            await index.close()


class TestHybridQueries:
    """They name their depth, which came with 2.19: an older cluster refuses them, and the parts are asked."""

    @pytest.mark.parametrize(
        ("versions", "path"),
        [
            (["2.11.0.0"], "/_msearch"),
            (["2.18.0.0"], "/_msearch"),
            (["2.19.0.0"], "/kb/_search"),
            (["3.2.0.0"], "/kb/_search"),
            (["2.19.1.0", "2.18.0.0"], "/_msearch"),  # in the middle of an upgrade
            (["unspecified"], "/_msearch"),
        ],
    )
    async def test_are_sent_where_every_node_knows_them(self, versions: list[str], path: str) -> None:
        async with standing(Front("", lambda request, _: answered(as_empty(request, *versions)))) as front:
            index = await OpenSearchIndex.open(local(front.port), "kb", "any", 3, 5)
            assert await index.search("fee", np.ones(3, np.float32), on=TODAY) == []
            await index.close()
            assert front.paths[-1] == path

    async def test_are_told_of_where_a_node_is_too_old(self) -> None:
        async with standing(Front("", lambda request, _: answered(as_empty(request, "2.11.0.0")))) as front:
            with pytest.raises(ConfigurationError, match=r"neural-search 2\.11.* bring it up to 2\.19"):
                await explain(local(front.port), "kb", Nature("any", 3), 5)


def as_empty(request: web.Request, *versions: str) -> web.Response:
    """What a cluster answers whose index `kb` holds nothing, its nodes with these versions of the plugins."""
    answers = {
        "/": {"version": {"number": "2.11.0"}},
        "/_cat/plugins": [
            {"name": f"n{node}", "component": name, "version": version}
            for node, version in enumerate(versions or ["2.19.1.0"])
            for name in ("opensearch-knn", "opensearch-neural-search")
        ],
        "/kb/_mapping": {"kb-000001": {"mappings": {"_meta": Nature("any", 3).meta}}},
        "/kb/_search": {"hits": {"hits": []}},
        "/_msearch": {"responses": [{"hits": {"hits": []}}] * 3},
        "/kb-000001/_search": {"hits": {"hits": []}},
        "/kb-000001/_bulk": {"errors": False, "items": []},
        "/kb-000001/_refresh": {},
    }
    return web.json_response(answers[request.path])
