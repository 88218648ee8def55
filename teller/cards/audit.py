"""The proof that nobody rewrote the past: every audit row carries a keyed hash over itself and the row before it.

Pure functions; the ledger writes the rows and the database refuses to change or delete them. Cutting rows off the
end leaves a chain that is whole: only a head (the last `mac`) noted elsewhere shows that.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

Event = Literal[
    "asked",
    "settled",
    "reopened",
    "committed",
    "undone",
    "dropped",
    "refused",
    "proven",
    "pin_wrong",
    "pin_locked",
    "seeded",
    "reset",
    "erased",
]
Detail = Mapping[str, str | int | bool | None]

GENESIS = "0" * 64
"""What stands for the mac before the first row."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What happened. `subject` is a person's pseudonym; no field holds a phone number, a PIN or a card number."""

    seq: int
    at: datetime
    event: Event
    subject: str | None
    wish_id: str | None
    detail: Detail


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An entry in its place in the chain."""

    entry: AuditEntry
    previous_mac: str
    mac: str


def pseudonym(phone: str, key: bytes) -> str:
    """Return the name under which a phone number appears in the trail: the same for the same key, and no way back."""
    return hmac.digest(key, f"subject:{phone}".encode(), hashlib.sha256).hex()[:16]


def sealed(entry: AuditEntry, previous_mac: str, key: bytes) -> AuditRow:
    """Return the entry as the row that follows the one with `previous_mac`."""
    content = asdict(entry) | {"at": entry.at.astimezone(UTC).isoformat(), "detail": dict(entry.detail)}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    mac = hmac.digest(key, f"audit:{previous_mac}:{canonical}".encode(), hashlib.sha256).hex()
    return AuditRow(entry, previous_mac, mac)


def first_broken(rows: Iterable[AuditRow], key: bytes) -> int | None:
    """Return the number of the first row that was altered or follows a missing one; None where the chain is whole.

    `rows` are all rows, by number.
    """
    mac = GENESIS
    for row in rows:
        if row != sealed(row.entry, mac, key):
            return row.entry.seq
        mac = row.mac
    return None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the trail found, and how to say it."""

    whole: bool
    text: str


def verified(rows: Sequence[AuditRow], key: bytes, head: str = "") -> Verdict:
    """Return whether nobody changed, removed or added a row; with a `head` that was noted, nor cut rows off the end."""
    broken = first_broken(rows, key)
    if broken is not None:
        return Verdict(False, f"The chain is broken at row {broken}: it, or the one before, was changed or removed.")
    if head and not any(hmac.compare_digest(row.mac, head) for row in rows):
        return Verdict(False, "The chain is whole, but the head that you noted is not in it: its end was cut off.")
    last = rows[-1].mac if rows else GENESIS
    return Verdict(True, f"The chain is whole: {len(rows)} rows, head {last}")
