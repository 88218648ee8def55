"""The bank's documents over HTTP: upload, list, get, delete."""

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel
from starlette.datastructures import UploadFile

from doors.access import require
from doors.admission import one_place
from doors.disconnect import ClientGoneError, unless_gone
from doors.errors import ErrorEnvelope, invalid
from teller.knowledge.loading import MAX_FILE_BYTES
from teller.services import Services

UPLOAD_PATH = "/api/documents/upload"
MAX_UPLOAD_BYTES = MAX_FILE_BYTES

router = APIRouter(prefix="/api/documents", tags=["documents"])

_REFUSALS: dict[int | str, dict[str, object]] = {status: {"model": ErrorEnvelope} for status in (400, 413, 415)}

_FILE_SCHEMA = {"type": "string", "contentMediaType": "application/octet-stream"}
_FORM_SCHEMA = {"type": "object", "properties": {"file": _FILE_SCHEMA}, "required": ["file"]}
_FORM_DOCS: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM_SCHEMA}}}
}

_admin = Depends(require("admin"))
_chat = Depends(require("chat"))


class Uploaded(BaseModel):
    """A document that is now searchable, by its words and by its meaning."""

    status: str = "success"
    document_id: str
    chunks_created: int
    filename: str
    message: str


class DocumentSummary(BaseModel):
    """One document in the index."""

    document_id: str
    filename: str
    title: str
    collection: str
    chunks: int
    effective: date | None
    expires: date | None
    uploaded_at: datetime


class DocumentList(BaseModel):
    """All documents, by file name."""

    documents: list[DocumentSummary]


class DocumentText(DocumentSummary):
    """A document with its passages in reading order."""

    passages: list[str]


async def _file(request: Request) -> AsyncIterator[UploadFile]:
    """Read the form, for callers whose key is known to reach: declared to FastAPI, it would be read of anybody."""
    async with request.form(max_files=1) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise invalid("file: send the document as the file of this name in a multipart form.", "file")
        yield file


@router.post("/upload/", dependencies=[_admin], responses=_REFUSALS, openapi_extra=_FORM_DOCS)
@router.post("/upload", dependencies=[_admin], include_in_schema=False)
async def upload(
    request: Request,
    file: Annotated[UploadFile, Depends(_file)],
    _: Annotated[None, Depends(one_place)],
    collection: str | None = None,
) -> Uploaded:
    """Take in one document (PDF, text, Markdown, HTML, DOCX; 10 MB): all of it, or none where the client hangs up."""
    data = await file.read(MAX_UPLOAD_BYTES + 1)  # a larger body never comes here: one byte more is enough to refuse
    work = _services(request).ingester.ingest_bytes(file.filename or "document", data, collection)
    try:
        document = await unless_gone(request, work)
    except ClientGoneError:
        raise invalid("The client hung up before the document was taken in.", status=499) from None
    return Uploaded(
        document_id=document.document_id,
        chunks_created=document.chunks,
        filename=document.filename,
        message=f"{document.filename} can be asked about now.",
    )


@router.get("/", dependencies=[_chat])
@router.get("", dependencies=[_chat], include_in_schema=False)
async def documents(request: Request) -> DocumentList:
    """List what is in the index."""
    found = await _services(request).index.documents()
    return DocumentList(documents=[DocumentSummary.model_validate(one, from_attributes=True) for one in found])


@router.get("/{document_id}", dependencies=[_chat], responses={404: {"model": ErrorEnvelope}})
async def document(request: Request, document_id: str) -> DocumentText:
    """Return a document and its passages."""
    index = _services(request).index
    found = next((one for one in await index.documents() if one.document_id == document_id), None)
    if found is None:
        raise invalid("There is no document of that id.", "document_id", status=404)
    summary = DocumentSummary.model_validate(found, from_attributes=True)
    passages = [passage.text for passage in await index.passages_of(document_id)]
    return DocumentText(**summary.model_dump(), passages=passages)


@router.delete("/{document_id}", dependencies=[_admin], status_code=204, responses={404: {"model": ErrorEnvelope}})
async def delete(request: Request, document_id: str) -> Response:
    """Remove a document from the index; a deleted sample document stays deleted."""
    if not await _services(request).index.delete(document_id):
        raise invalid("There is no document of that id.", "document_id", status=404)
    return Response(status_code=204)


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services
