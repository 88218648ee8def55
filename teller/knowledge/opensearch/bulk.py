"""Bulk requests: changes in bodies of bounded size, and what the answer says of each."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from teller.knowledge.opensearch.failures import BusyError, RefusedError, may_pass

Json = dict[str, Any]
Change = tuple[Json, Json | None]

_BULK_BYTES = 1_000_000


def lines(parts: Iterable[Json]) -> bytes:
    """Return JSON line by line."""
    return b"".join(orjson.dumps(part, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE) for part in parts)


def bounded(changes: Sequence[Change]) -> list[list[bytes]]:
    """Return changes for requests of their own, none larger than 1 MB but for a single large change."""
    requests: list[list[bytes]] = []
    size = 0
    for change in changes:
        written = lines(one for one in change if one is not None)
        if not requests or size + len(written) > _BULK_BYTES:
            requests.append([])
            size = 0
        requests[-1].append(written)
        size += len(written)
    return requests


def to_send_again(changes: Sequence[bytes], answer: Json, *, again: bool) -> list[bytes]:
    """Return the changes that were refused for now; what was to be deleted may be gone already.

    Args:
        changes: What was sent.
        answer: What the cluster says of it.
        again: Making a change twice is as making it once.

    Raises:
        SearchUnavailableError: a change was not made, and is not to be sent again.
    """
    refused: list[bytes] = []
    for change, item in zip(changes, answer["items"], strict=True) if answer["errors"] else ():
        ((action, result),) = item.items()
        status = result["status"]
        gone = status == 404 and action in ("delete", "update") and "index_not_found" not in str(result)
        if "error" not in result or gone:
            continue
        if not may_pass(status, again=again):
            raise BusyError if may_pass(status, again=True) else _refusal(status, result["error"])
        refused.append(change)
    return refused


def _refusal(status: int, error: Json) -> RefusedError:
    cause = error.get("caused_by")
    return RefusedError(status, error["type"], str(cause.get("reason", "")) if isinstance(cause, dict) else "")
