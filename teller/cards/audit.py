"""The proof that nobody rewrote the past: every audit row carries a keyed hash over itself and the row before it.

Pure functions; the ledger writes the rows and the database refuses to change or delete them. Cutting rows off the
end leaves a chain that is whole: only a head (the last `mac`) noted elsewhere shows that.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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
    "told",
    "proven",
    "pin_wrong",
    "pin_locked",
    "seeded",
    "reset",
    "erased",
    "unreadable",  # never written: what a reader makes of a row that is none of ours
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


def pseudonym(phone: str, key: bytes, salt: str = "") -> str:
    """Return the name under which a phone number appears in the trail: the same for the same key and salt.

    Once the holder's salt is deleted nobody can tell whose it was, not even who has the key and the number. A number
    that is no holder's has no salt.
    """
    return hmac.digest(key, f"subject:{salt}{phone}".encode(), hashlib.sha256).hex()[:16]


def sealed(entry: AuditEntry, previous_mac: str, key: bytes) -> AuditRow:
    """Return the entry as the row that follows the one with `previous_mac`."""
    content = {
        "seq": entry.seq,
        "at": entry.at.astimezone(UTC).isoformat(),
        "event": entry.event,
        "subject": entry.subject,
        "wish_id": entry.wish_id,
        "detail": dict(entry.detail),
    }
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    mac = hmac.digest(key, f"audit:{previous_mac}:{canonical}".encode(), hashlib.sha256).hex()
    return AuditRow(entry, previous_mac, mac)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the trail found, and how to say it."""

    whole: bool
    text: str


class ChainCheck:
    """Follows a chain from its first row, a batch at a time; with a `head` that was noted, looks whether it comes by.

    `broken`: the number of the first row that was altered or follows a missing one; None so far, if there is none.
    """

    def __init__(self, key: bytes, head: str = "") -> None:
        self._key = key
        self._head = head
        self._mac = GENESIS
        self.rows = 0
        self.broken: int | None = None

    def follow(self, rows: Iterable[AuditRow]) -> None:
        """Go on with the rows that come next, by number."""
        for row in rows:
            if self.broken is not None:
                return
            if row != sealed(row.entry, self._mac, self._key):
                self.broken = row.entry.seq
                return
            self._mac = row.mac
            self.rows += 1
            if self._mac == self._head:
                self._head = ""

    def verdict(self) -> Verdict:
        """Return what the rows so far say."""
        if self.broken == 1:
            return Verdict(
                False, "The chain is broken at row 1: it was changed, or AUDIT_KEY is not the key it was made with."
            )
        if self.broken is not None:
            why = "it was changed, or one before it was removed or put in"
            return Verdict(False, f"The chain is broken at row {self.broken}: {why}.")
        if self._head:
            return Verdict(False, "The chain is whole, but the head that you noted is not in it: its end was cut off.")
        return Verdict(True, f"The chain is whole: {self.rows} rows, head {self._mac}")
