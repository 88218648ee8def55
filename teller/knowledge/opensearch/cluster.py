"""The way to the cluster: every request has a limit, is tried again on another node, and fails in our own terms."""

import logging
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from typing import Any, Self

from opensearchpy import AIOHttpConnection, AsyncOpenSearch
from opensearchpy.exceptions import OpenSearchException, TransportError

from teller.errors import ConfigurationError
from teller.knowledge.opensearch.address import Address
from teller.knowledge.opensearch.bulk import Change, Json, bounded, lines, to_send_again
from teller.knowledge.opensearch.failures import BusyError, explained, may_pass, raise_for, something_else
from teller.knowledge.opensearch.patience import Patience
from teller.knowledge.opensearch.signing import NumpyJson, SignedConnection, Signer

_WRITE_SECONDS = 30.0
_TRIES_TO_READ = 5  # a caller waits; a write may outlast the restart of a node
_SOCKETS = 50
_NODE_RESTS_SECONDS = 5

# The library logs whole requests: what callers ask is not for a log. What went wrong is told by our own errors.
for _name in ("opensearch", "opensearchpy.trace", "opensearch.trace"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


class Cluster:
    """A client of the cluster for one event loop. Close it."""

    def __init__(self, address: Address, search_seconds: float) -> None:
        self._where = str(address)
        self._search_seconds = search_seconds
        self._is_patient = False
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

    @property
    def patient(self) -> Self:
        """The same cluster for what is read in order to write: it may take as long as the write."""
        patient = copy(self)
        patient._is_patient = True
        return patient

    async def read(self, method: str, path: str, body: Any = None, **params: object) -> Any:
        """Ask for something within the time of a search. A node that hangs leaves time to ask another.

        Raises:
            SearchUnavailableError: one of `failures`.
        """
        return await self._ask(method, path, body, params, self._patience_to_read(), again=True)

    async def write(self, method: str, path: str, body: Any = None, *, again: bool = True, **params: object) -> Any:
        """Change something. `again`: doing it twice is as doing it once.

        Raises:
            SearchUnavailableError: one of `failures`; it is not known whether the change was made.
        """
        return await self._ask(method, path, body, params, _patience_to_write(), again=again)

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
        asked = lines(part for body in bodies for part in (header, body))
        patience = self._patience_to_read()
        while True:
            answer = await self._ask("POST", "/_msearch", asked, {}, patience, again=True)
            try:
                with self.reading():
                    for one in answer["responses"]:
                        raise_for(one)
                    return [one["hits"]["hits"] for one in answer["responses"]]
            except BusyError:
                if not await patience.pause():
                    raise

    async def bulk(self, index: str, actions: Sequence[Change], *, again: bool) -> None:
        """Make changes, in the given order, in requests of bounded size; what is to be deleted may be gone already.

        What the cluster has no room for is sent again, without the others, so it comes after them.

        Raises:
            SearchUnavailableError: one of them was not made; others may have been.
        """
        for changes in bounded(actions):
            patience = _patience_to_write()
            while changes:
                answer = await self._ask("POST", f"/{index}/_bulk", b"".join(changes), {}, patience, again=again)
                with self.reading():
                    changes = to_send_again(changes, answer, again=again)
                if changes and not await patience.pause():
                    raise BusyError

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

    async def _ask(self, method: str, path: str, body: Any, params: Json, patience: Patience, *, again: bool) -> Any:
        headers = {"content-type": "application/x-ndjson"} if isinstance(body, bytes) else None
        while True:
            try:
                answer = await self._client.transport.perform_request(
                    method, path, params=dict(params), body=body, headers=headers, timeout=patience.timeout
                )
                if isinstance(answer, dict | list):
                    return answer
                raise something_else(self._where)
            except TransportError as failure:
                if not may_pass(failure, again=again) or not await patience.pause():
                    raise explained(failure, self._where) from None
            except (OpenSearchException, ValueError, AttributeError):  # the library takes every error to be an object
                raise something_else(self._where) from None

    def _patience_to_read(self) -> Patience:
        each = self._search_seconds / 2
        if self._is_patient:
            return Patience(2 * _WRITE_SECONDS, each)
        return Patience(self._search_seconds, each, _TRIES_TO_READ)


def _patience_to_write() -> Patience:
    return Patience(2 * _WRITE_SECONDS, _WRITE_SECONDS)


def _trust(address: Address) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=address.ca)
    except (ssl.SSLError, OSError) as wrong:
        raise ConfigurationError(f"OPENSEARCH_CA: {address.ca} holds no certificate that can be read") from wrong
