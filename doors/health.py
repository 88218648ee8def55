"""Is the process alive, is it ready, and how is each part? Open without a key; messages only with one."""

import asyncio
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from doors.access import presented_key
from teller.errors import TellerError
from teller.services import Services

router = APIRouter(tags=["health"])

_PATIENCE_SECONDS = 2.0


class PartHealth(BaseModel):
    """How one part is; the message says what it is, or what to mend."""

    status: Literal["healthy", "unhealthy"]
    message: str = ""


class Health(BaseModel):
    """How everything is. Unhealthy if any part is."""

    status: Literal["healthy", "unhealthy"]
    services: dict[Literal["ledger", "search", "model"], PartHealth]


@router.get("/api/health/", response_model=Health, responses={503: {"model": Health}})
@router.get("/api/health", include_in_schema=False)
async def health(request: Request) -> Response:
    """Tell how the ledger, the search and the model are; 503 if one of them is not."""
    services: Services = request.app.state.services
    ledger, search = await asyncio.gather(_ledger(services), _search(services))
    parts = {"ledger": ledger, "search": search, "model": _model(services)}
    if presented_key(request) is None:
        parts = {name: PartHealth(status=part.status) for name, part in parts.items()}
    well = all(part.status == "healthy" for part in parts.values())
    report = Health(status="healthy" if well else "unhealthy", services=parts)
    return Response(report.model_dump_json(), 200 if well else 503, media_type="application/json")


@router.get("/health/live")
async def live() -> dict[str, str]:
    """Tell that the process answers."""
    return {"status": "alive"}


@router.get("/health/ready")
async def ready(request: Request) -> Response:
    """Tell whether turns can be answered: schema current, sample bank searchable, a model that answers; else 503."""
    services: Services = request.app.state.services
    ledger, search = await asyncio.gather(_ledger(services), _search(services))
    well = ledger.status == search.status == _model(services).status == "healthy"
    content = '{"status":"ready"}' if well else '{"status":"not ready"}'
    return Response(content, 200 if well else 503, media_type="application/json")


def _model(services: Services) -> PartHealth:
    """Tell how the model fared when it was last used: it costs money to ask it anything."""
    models = services.models
    if not models.answerable:
        return PartHealth(status="unhealthy", message=models.refused[models.default.name])
    stepped_in = f"; {models.fallback.name} steps in for it" if models.fallback else ""
    return PartHealth(status="healthy", message=f"{models.default.name}, {models.why}{stepped_in}")


async def _ledger(services: Services) -> PartHealth:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await services.ledger.ready()
    except (TellerError, TimeoutError) as failure:
        return PartHealth(status="unhealthy", message=str(failure) or "The ledger does not answer.")
    return PartHealth(status="healthy", message="schema current")


async def _search(services: Services) -> PartHealth:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            status = await services.index.status()
            whole = services.settings.sample_bank == "off" or await services.ingester.sample_bank_was_in()
    except (TellerError, TimeoutError) as failure:
        return PartHealth(status="unhealthy", message=str(failure) or "The index does not answer.")
    if not whole:
        return PartHealth(status="unhealthy", message="The sample bank is not in the index yet.")
    message = f"{services.index.name}, {status.passages} passages, {status.with_vector} with their vector"
    return PartHealth(status="healthy", message=message)
