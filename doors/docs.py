"""The OpenAPI document and a page to read it, with our own copy of its assets: a bank's network reaches no CDN."""

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.staticfiles import StaticFiles

from doors.access import require

_ASSETS = "/docs/assets"


def docs_routes(app: FastAPI) -> APIRouter:
    """Return the routes that describe all the others; they need a key as those do."""
    router = APIRouter(dependencies=[Depends(require("chat"))], include_in_schema=False)
    files = StaticFiles(packages=[("fastapi_swagger", "resources")])

    @router.get("/openapi.json")
    async def document() -> JSONResponse:
        return JSONResponse(app.openapi())

    @router.get("/docs")
    async def page() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title="Teller",
            swagger_js_url=f"{_ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{_ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{_ASSETS}/favicon-32x32.png",
        )

    @router.get(f"{_ASSETS}/{{name}}")
    async def asset(request: Request, name: str) -> Response:
        return await files.get_response(name, request.scope)

    return router
