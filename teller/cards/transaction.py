"""One write under way: what its parts need to share, and the audit row without which none is complete."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from teller.cards.audit import GENESIS, AuditEntry, Event, pseudonym, sealed
from teller.cards.rows import NEXT_AUDIT, audit_values
from teller.cards.schema import audit, holder


@dataclass(frozen=True, slots=True)
class Write:
    """A transaction that has begun, and the moment at which all of it happens. `macs`: of the audit rows so far."""

    connection: AsyncConnection
    at: datetime
    audit_key: bytes
    macs: list[str] = field(default_factory=list)

    async def audit(
        self, event: Event, *, phone: str | None = None, wish_id: str | None = None, **detail: str | int | bool | None
    ) -> None:
        """Add a row to the trail, under the phone's pseudonym; `detail` holds no phone, PIN or card number."""
        known = (await self.connection.execute(NEXT_AUDIT, {"phone": phone})).one()
        subject = None
        if phone:
            salt = await self._new_salt(phone) if known.phone and known.pseudonym_salt is None else known.pseudonym_salt
            subject = pseudonym(phone, self.audit_key, salt or "")
        row = sealed(
            AuditEntry((known.seq or 0) + 1, self.at, event, subject, wish_id, detail),
            known.mac or GENESIS,
            self.audit_key,
        )
        await self.connection.execute(insert(audit), audit_values(row))
        self.macs.append(row.mac)

    async def _new_salt(self, phone: str) -> str:
        salt = secrets.token_hex(16)
        await self.connection.execute(update(holder).where(holder.c.phone == phone).values(pseudonym_salt=salt))
        return salt

    async def has_landed(self, connection: AsyncConnection) -> bool:
        """Return whether this transaction's audit rows are there: they stand or fall with all the rest of it."""
        if not self.macs:
            return False
        return bool(await connection.scalar(select(exists().where(audit.c.mac == self.macs[-1]))))
