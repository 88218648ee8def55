"""Typed exceptions, mapped once to the OpenAI error envelope: always JSON, with a message that tells what to do."""

from collections.abc import Mapping
from typing import Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from doors.disconnect import ClientGoneError
from teller.errors import (
    ContextTooLongError,
    DocumentRejectedError,
    DocumentTooLargeError,
    IngestBusyError,
    LedgerUnavailableError,
    ModelAccessDeniedError,
    ModelNotFoundError,
    ModelRequestError,
    ModelTimeoutError,
    ModelUnavailableError,
    SearchUnavailableError,
    TellerError,
    UnsupportedDocumentError,
    UpstreamAuthError,
    UpstreamModelError,
)

ErrorType = Literal[
    "invalid_request_error",
    "authentication_error",
    "permission_error",
    "rate_limit_error",
    "server_error",
    "service_unavailable_error",
]

_RETRY_AFTER_SECONDS = "5"
_WRONG_FORM = "The request does not have the form that this route expects; see /docs."

# The first row that fits counts: status, code, and whether trying again may help.
_UPSTREAM: tuple[tuple[type[TellerError], int, str | None, bool], ...] = (
    (UpstreamAuthError, 503, "upstream_auth", False),
    (ModelAccessDeniedError, 503, "model_access_denied", False),
    (ModelNotFoundError, 503, "model_not_found", False),
    (UpstreamModelError, 503, "upstream_model_error", True),
    (ModelTimeoutError, 504, None, True),
    (ModelUnavailableError, 503, None, True),
    (LedgerUnavailableError, 503, None, True),
    (SearchUnavailableError, 503, None, True),
    (IngestBusyError, 503, None, True),
)


class ErrorBody(BaseModel):
    """What went wrong. `param` names the field at fault, such as `messages.1.role`."""

    message: str
    type: ErrorType
    param: str | None = None
    code: str | None = None


class ErrorEnvelope(BaseModel):
    """OpenAI's form of an error."""

    error: ErrorBody


class ApiError(Exception):
    """An error with its HTTP status, as a door raises it."""

    def __init__(
        self,
        status: int,
        kind: ErrorType,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = ErrorBody(message=message, type=kind, param=param, code=code)
        self.headers = dict(headers or {})


def invalid(message: str, param: str | None = None, status: int = 400) -> ApiError:
    """Return the error of a request that is wrong."""
    return ApiError(status, "invalid_request_error", message, param=param)


def api_error(failure: Exception) -> ApiError:
    """Return what a door answers to a failure. An unknown one is ours, and its text is told to nobody."""
    match failure:
        case ApiError():
            return failure
        case ModelRequestError():
            code = "context_length_exceeded" if isinstance(failure, ContextTooLongError) else None
            return ApiError(400, "invalid_request_error", str(failure), code=code)
        case TellerError() if row := next((row for row in _UPSTREAM if isinstance(failure, row[0])), None):
            _, status, code, retry = row
            headers = {"retry-after": _RETRY_AFTER_SECONDS} if retry else {"x-should-retry": "false"}
            return ApiError(status, "service_unavailable_error", str(failure), code=code, headers=headers)
        case DocumentRejectedError():
            return invalid(str(failure), "file", status=_refusal(failure))
        case RequestValidationError():
            return _validation(failure)
        case HTTPException(__cause__=ApiError() as met):  # FastAPI's word for what it met while it read the body
            return met
        case HTTPException():
            return _http(failure)
        case _:
            return ApiError(500, "server_error", "Something went wrong on our side. Please try again.")


def _refusal(failure: DocumentRejectedError) -> int:
    match failure:
        case DocumentTooLargeError():
            return 413
        case UnsupportedDocumentError():
            return 415
        case _:
            return 400


def envelope(error: ApiError) -> Response:
    """Return the reply that carries an error."""
    content = ErrorEnvelope(error=error.body).model_dump_json()
    return Response(content, error.status, error.headers, "application/json")


def install_error_handlers(app: FastAPI) -> None:
    """Make every known failure of an app, also 404 and 405, answer in the envelope; `RequestLog` catches the rest."""

    async def handle(_: Request, failure: Exception) -> Response:
        return envelope(api_error(failure))

    async def nobody_listens(_: Request, __: Exception) -> Response:
        return Response(status_code=499)

    for kind in (ApiError, TellerError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, handle)
    for gone in (ClientGoneError, ClientDisconnect):  # the second while its body was read
        app.add_exception_handler(gone, nobody_listens)


def _validation(failure: RequestValidationError) -> ApiError:
    first = next(iter(failure.errors()), None)
    if not isinstance(first, Mapping):  # LangServe raises it with plain strings
        return invalid(_WRONG_FORM)
    place = ".".join(str(part) for part in first.get("loc", ()) if part != "body")
    return invalid(f"{place or 'body'}: {first.get('msg', 'is not valid')}", place or None)


def _http(failure: HTTPException) -> ApiError:
    messages = {404: "There is nothing at this address; see /docs.", 405: "This address does not take that method."}
    if failure.status_code in (400, 422):  # FastAPI's, of a form; LangServe's
        return invalid(_WRONG_FORM)
    if failure.status_code in (408, 413):  # ours: body_limit says what is wrong with the body
        messages[failure.status_code] = failure.detail
    message = messages.get(failure.status_code, "The request could not be served.")
    if failure.status_code >= 500:
        return ApiError(failure.status_code, "server_error", message)
    return ApiError(failure.status_code, "invalid_request_error", message, headers=failure.headers)


def place_of(failure: Exception) -> str:
    """Return file and line of a failure: enough to find it, and nothing of what the caller said."""
    trace = failure.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
