"""The way to the cluster: every request has a limit, is tried again on another node, and fails in our own terms."""

import asyncio
import logging
import random
import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
from opensearchpy import AIOHttpConnection, AsyncOpenSearch
from opensearchpy.exceptions import OpenSearchException, TransportError

from teller.errors import ConfigurationError
from teller.knowledge.opensearch.address import Address
from teller.knowledge.opensearch.failures import RefusedError, explained, may_pass, raise_for, something_else
from teller.knowledge.opensearch.signing import NumpyJson, SignedConnection, Signer

Json = dict[str, Any]

_WRITE_SECONDS = 30.0
_TRIES = 5
_FIRST_PAUSE_SECONDS = 0.05
_SOCKETS = 50
_BULK_BYTES = 1_000_000
_NODE_RESTS_SECONDS = 5

# The library logs whole requests: what callers ask is not for a log. What went wrong is told by our own errors.
for _name in ("opensearch", "opensearchpy.trace", "opensearch.trace"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


class Cluster:
    """A client of the cluster for one event loop. Close it."""

    def __init__(self, address: Address, search_seconds: float) -> None:
        self._where = str(address)
        self._search_seconds = search_seconds
        options: Json = {"http_auth": (address.user, address.password)} if address.user else {}
        if any(node.tls for node in address.nodes):
            options["ssl_context"] = _trust(address)
        connection: type[AIOHttpConnection] = AIOHttpConnection
        if address.service:
            connection = SignedConnection
            options = {**options, "signer": Signer(address.service, address.region)}
            options.pop("http_auth", None)
        self._client = AsyncOpenSearch(
            [
                {"host": node.host, "port": node.port, "use_ssl": node.tls, "url_prefix": node.prefix}
                for node in address.nodes
            ],
            connection_class=connection,
            serializer=NumpyJson(),
            maxsize=_SOCKETS,
            max_retries=0,  # the library tries again without a pause; `_ask` does it with one
            retry_on_timeout=True,
            retry_on_status=(429, 502, 503, 504),
            dead_timeout=_NODE_RESTS_SECONDS,
            **options,
        )

    async def read(self, method: str, path: str, body: Any = None, **params: object) -> Any:
        """Ask for something within the time of a search. A node that hangs leaves time to ask another.

        Raises:
            SearchUnavailableError: one of `failures`.
        """
        return await self._ask(method, path, body, params, self._search_seconds, self._search_seconds / 2, again=True)

    async def write(self, method: str, path: str, body: Any = None, *, again: bool = True, **params: object) -> Any:
        """Change something. `again`: doing it twice is as doing it once.

        Raises:
            SearchUnavailableError: one of `failures`; it is not known whether the change was made.
        """
        return await self._ask(method, path, body, params, 2 * _WRITE_SECONDS, _WRITE_SECONDS, again=again)

    async def search(self, index: str, body: Json, **params: object) -> list[Json]:
        """Return the hits of one search. Raises SearchUnavailableError also where a shard is silent."""
        answer = await self.read("POST", f"/{index}/_search", body, **params)
        with self.reading():
            raise_for(answer)
            hits: list[Json] = answer["hits"]["hits"]
            return hits

    async def searches(self, index: str, bodies: Sequence[Json], preference: str = "") -> list[list[Json]]:
        """Return the hits of several searches, asked together. Raises SearchUnavailableError if one of them fails."""
        header = {"index": index} | ({"preference": preference} if preference else {})
        answer = await self.read("POST", "/_msearch", _lines(part for body in bodies for part in (header, body)))
        with self.reading():
            for one in answer["responses"]:
                raise_for(one)
            return [one["hits"]["hits"] for one in answer["responses"]]

    async def bulk(self, index: str, actions: Sequence[tuple[Json, Json | None]], *, again: bool) -> None:
        """Make changes, in the given order, in requests of bounded size; what is to be deleted may be gone already.

        Raises:
            SearchUnavailableError: one of them was not made; those before it were.
        """
        for lines in _bounded(actions):
            answer = await self.write("POST", f"/{index}/_bulk", lines, again=again)
            with self.reading():
                for item in answer["items"] if answer["errors"] else ():
                    (action, result), *_ = item.items()
                    gone = (
                        result["status"] == 404
                        and action in ("delete", "update")
                        and "index_not_found" not in str(result)
                    )
                    if "error" in result and not gone:
                        raise RefusedError(result["status"], result["error"]["type"], _cause(result["error"]))

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read an answer: JSON without what every OpenSearch's has is not OpenSearch's.

        Raises:
            SearchUnavailableError: it is not.
        """
        try:
            yield
        except (LookupError, TypeError, ValueError, AttributeError):
            raise something_else(self._where) from None

    async def close(self) -> None:
        """Let go of the connections, also of those to nodes that are down."""
        pool = self._client.transport.connection_pool
        for connection in getattr(pool, "orig_connections", pool.connections):
            await connection.close()

    async def _ask(
        self, method: str, path: str, body: Any, params: Json, seconds: float, each: float, *, again: bool
    ) -> Any:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        headers = {"content-type": "application/x-ndjson"} if isinstance(body, bytes) else None
        for attempt in range(1, _TRIES + 1):
            left = max(0.05, deadline - loop.time())
            try:
                answer = await self._client.transport.perform_request(
                    method, path, params=dict(params), body=body, headers=headers, timeout=min(each, left)
                )
                if isinstance(answer, dict | list):
                    return answer
                raise something_else(self._where)
            except TransportError as failure:
                pause = _FIRST_PAUSE_SECONDS * 2 ** (attempt - 1) * (0.5 + random.random())  # noqa: S311
                over = attempt == _TRIES or loop.time() + pause >= deadline
                if over or not again or not may_pass(failure):
                    raise explained(failure, self._where) from None
            except (OpenSearchException, ValueError, AttributeError):  # the library takes every error to be an object
                raise something_else(self._where) from None
            await asyncio.sleep(pause)
        raise AssertionError


def _trust(address: Address) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=address.ca)
    except (ssl.SSLError, OSError) as wrong:
        raise ConfigurationError(f"OPENSEARCH_CA: {address.ca} holds no certificate that can be read") from wrong


def _lines(parts: Iterable[Json]) -> bytes:
    return b"".join(orjson.dumps(part, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE) for part in parts)


def _bounded(actions: Sequence[tuple[Json, Json | None]]) -> list[bytes]:
    """Return the bodies of bulk requests, none larger than 1 MB but for a single large change."""
    bodies: list[bytes] = []
    parts: list[bytes] = []
    size = 0
    for action, source in actions:
        part = _lines(one for one in (action, source) if one is not None)
        if parts and size + len(part) > _BULK_BYTES:
            bodies.append(b"".join(parts))
            parts, size = [], 0
        parts.append(part)
        size += len(part)
    return [*bodies, b"".join(parts)] if parts else bodies


def _cause(error: Json) -> str:
    cause = error.get("caused_by")
    return str(cause.get("reason", "")) if isinstance(cause, dict) else ""
