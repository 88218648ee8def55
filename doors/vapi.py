"""POST /api/vapi/events: what Vapi tells its server about a call. The end of a call ends what is open in it."""

import json
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Request

from doors.access import require
from teller.caller import conversation_of
from teller.errors import LedgerUnavailableError
from teller.keys import ApiKey

router = APIRouter(tags=["vapi"])

_log = structlog.get_logger(__name__)


@router.post("/api/vapi/events")
@router.post("/api/vapi/events/", include_in_schema=False)
async def events(request: Request, key: Annotated[ApiKey, Depends(require("chat", rated=False))]) -> dict[str, str]:
    """Take a server message; whatever it is, the answer is `{}`, since Vapi would send a refused one again."""
    call_id = _ended_call(await request.body())
    if call_id and (conversation := conversation_of(key.name, call_id)):
        try:
            await request.app.state.services.ledger.end_conversation(conversation)
        except LedgerUnavailableError:
            _log.error("the end of a call could not be noted: its open question expires by itself")
    return {}


def _ended_call(body: bytes) -> str | None:
    """Return the id of the call that a message says has ended; None for every other message."""
    try:
        content: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    message = content.get("message") if isinstance(content, dict) else None
    if not isinstance(message, dict):
        return None
    ended = message.get("type") == "end-of-call-report" or (
        message.get("type") == "status-update" and message.get("status") == "ended"
    )
    call = message.get("call")
    call_id = call.get("id") if ended and isinstance(call, dict) else None
    return call_id if isinstance(call_id, str) and call_id else None
