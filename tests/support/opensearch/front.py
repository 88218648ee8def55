"""What stands before a cluster in the tests: TLS, a password, Serverless, or a fault; and a record of what came."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import ClientSession, web

Interferes = Callable[[web.Request, bytes], Awaitable[web.StreamResponse | None]]


@dataclass
class Front:
    """Passes requests on to the cluster, unless `interfere` answers in its place; keeps what came."""

    target: str
    interfere: Interferes | None = None
    requests: list[tuple[web.Request, bytes]] = field(default_factory=list)
    port: int = 0

    @property
    def paths(self) -> list[str]:
        return [request.path for request, _ in self.requests]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.requests.append((request, body))
        if self.interfere and (answer := await self.interfere(request, body)) is not None:
            return answer
        kept = {"content-type": request.headers.get("content-type", "application/json")}
        async with (
            ClientSession() as client,
            client.request(request.method, f"{self.target}{request.path_qs}", data=body, headers=kept) as reply,
        ):
            return web.Response(
                status=reply.status,
                body=await reply.read(),
                headers={"content-type": reply.headers.get("content-type", "application/json")},
            )


@asynccontextmanager
async def standing(front: Front, tls: ssl.SSLContext | None = None) -> AsyncIterator[Front]:
    """Let it stand for the length of the block, on a port of its own."""
    app = web.Application(client_max_size=50_000_000)
    app.router.add_route("*", "/{path:.*}", front.handle)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    front.port = runner.addresses[0][1]
    try:
        yield front
    finally:
        await runner.cleanup()


def refusal(status: int, kind: str) -> web.Response:
    """An error as OpenSearch words it."""
    return web.json_response(
        {"error": {"type": kind, "reason": kind, "root_cause": []}, "status": status}, status=status
    )


async def hangs(_: web.Request, __: bytes) -> web.StreamResponse | None:
    await asyncio.sleep(60)
    return None


async def as_serverless(request: web.Request, body: bytes) -> web.StreamResponse | None:
    """Refuse what OpenSearch Serverless refuses of a vector collection, by its documentation."""
    action = request.path.rpartition("/")[2]
    if action in ("_refresh", "plugins", "_delete_by_query", "_update_by_query", "_reindex"):
        return refusal(404, "not_found")
    text = body.decode()
    if action == "_bulk":
        actions = [json.loads(line) for line in text.splitlines() if line.startswith(('{"index"', '{"update"'))]
        if any("update" in one or "_id" in one.get("index", {}) for one in actions):
            return refusal(400, "illegal_argument_exception")
    if '"hybrid"' in text or "search_pipeline" in text or '"lucene"' in text or "number_of_shards" in text:
        return refusal(400, "illegal_argument_exception")
    return None
