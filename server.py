"""The FastAPI app: settings -> services -> graph -> doors. One lifespan opens and closes everything."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import time
from typing import Any

from fastapi import FastAPI

from doors import documents, health, vapi
from doors.admission import Admission
from doors.body_limit import BodyLimit
from doors.cors import Cors
from doors.disconnect import CancelOnDisconnect
from doors.docs import docs_routes
from doors.documents import MAX_UPLOAD_BYTES, UPLOAD_PATH
from doors.errors import install_error_handlers
from doors.langserve import agent_routes
from doors.openai import routes as openai
from doors.pulse import keep_pulse
from doors.rates import Rates
from doors.refusal import RefuseAtOnce
from doors.request_log import RequestLog
from graph.workflow import build_workflow
from teller.services import Clock, Services, utc_now
from teller.settings import Settings

_DESCRIPTION = (
    "A bank's assistant for the phone and for chat: one graph behind OpenAI's chat completions and LangServe."
)
_MULTIPART_OVERHEAD = 10_000
_TURNS = ("/api/chat/", "/v1/chat/", "/api/agent/", "/agent/", UPLOAD_PATH)


def create_app(settings: Settings | None = None, clock: Clock = utc_now) -> FastAPI:
    """Return the app. Its parts are opened when it starts and closed when it stops; `clock` gives every time of day."""
    settings = settings or Settings.load()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Services.opened(settings, clock) as services:
            app.state.services = services
            app.state.graph = await build_workflow(services)
            app.state.started = int(time())
            services.index_sample_bank_in_background()
            services.forget_in_background()
            _settle_garbage_collector()
            app.state.admission.most_turns = services.quote.cross_encoder.cores.most_turns
            pulse = asyncio.create_task(keep_pulse(app.state.admission.adapt))
            yield
            pulse.cancel()

    app = FastAPI(title="Teller", description=_DESCRIPTION, lifespan=lifespan, docs_url=None, openapi_url=None)
    app.state.settings = settings
    app.state.rates = Rates(settings)
    app.state.admission = Admission(settings.max_concurrent_turns)
    app.include_router(openai.router)
    app.include_router(agent_routes(lambda: app.state.graph))
    app.include_router(vapi.router)
    app.include_router(documents.router)
    app.include_router(health.router)
    app.include_router(docs_routes(app))
    _describe_chat(app)
    install_error_handlers(app)
    _wrap(app, settings)
    return app


def _wrap(app: FastAPI, settings: Settings) -> None:
    """Put the middleware around the app; the last one added is the outermost."""
    uploads = MAX_UPLOAD_BYTES + _MULTIPART_OVERHEAD
    app.add_middleware(CancelOnDisconnect, paths=("/agent/invoke", "/agent/batch"))
    app.add_middleware(BodyLimit, default=settings.max_body_bytes, uploads=uploads, upload_path=UPLOAD_PATH)
    app.add_middleware(RefuseAtOnce, refuses=app.state.admission.refuses, paths=_TURNS)
    if settings.cors_allowed_origins:
        origins = list(settings.cors_allowed_origins)
        app.add_middleware(Cors, allow_origins=origins, allow_methods=["*"], allow_headers=["*"])
    app.add_middleware(RequestLog)


def _describe_chat(app: FastAPI) -> None:
    """Put the chat request, which the door parses by itself, into the OpenAPI document."""
    made_by_fastapi = app.openapi

    def with_chat_request() -> dict[str, Any]:
        document = made_by_fastapi()
        document["components"]["schemas"].update(openai.request_schemas())
        return document

    app.openapi = with_chat_request  # type: ignore[method-assign]


def _settle_garbage_collector() -> None:
    """Keep what start-up made out of every later collection: measured as a third more turns a second."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
