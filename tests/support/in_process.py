"""The app in the test's own event loop: whatever holds the loop up holds everything up, and its parts are at hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI

from server import create_app
from teller.settings import Settings


@asynccontextmanager
async def in_process(data_dir: Path, **settings: str) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    """Open the app with these settings, and a client of it."""
    app = create_app(Settings.model_validate({"data_dir": data_dir, "_env_file": None, **settings}))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", timeout=60) as http,
    ):
        yield app, http
