"""Whether a whole audit trail is as it was written, in one call."""

from collections.abc import Iterable

from teller.cards.audit import AuditRow, ChainCheck


def first_broken(rows: Iterable[AuditRow], key: bytes) -> int | None:
    """Return the number of the first row that was altered or follows a missing one; None where the chain is whole.

    `rows` are all rows, by number.
    """
    check = ChainCheck(key)
    check.follow(rows)
    return check.broken
