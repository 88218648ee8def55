"""The tables of the ledger as SQLAlchemy Core sees them. `migrations/` makes them; a test holds that both agree.

Where a table keeps a record of `records.py`, its columns stand in the order of the record's fields (`rows.py`).
"""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from teller.cards.columns import Cents, JsonText, UtcDateTime, word
from teller.cards.records import UNDER_WAY, CardRecord, CardState, Clause, Decline, Operation, WishState

metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("value", String(64), nullable=False),
)

holder = Table(
    "holder",
    metadata,
    Column("phone", String(16), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("position", Integer, nullable=False),
    Column("pin_hash", String(200), nullable=False),
    Column("pin_locked", Boolean, nullable=False),
    Column("writes", Integer, nullable=False),
    # How often three wrong PINs locked the number lately: each lock is twice as long as the one before.
    Column("pin_locks", Integer, nullable=False, server_default="0"),
    Column("pin_locked_until", UtcDateTime),
    # Part of the name under which the audit trail knows this person; made with his first row there, gone with him.
    Column("pseudonym_salt", String(32)),
)

card = Table(
    "card",
    metadata,
    Column("token", String(64), primary_key=True),
    Column("product", String(32), nullable=False),
    Column("network", String(32), nullable=False),
    Column("last4", String(4), nullable=False),
    Column("state", word(CardState, check="card_state"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("credit_limit", Cents, nullable=False),
    Column("balance", Cents, nullable=False),
    Column("due_date", Date),
    Column("phone", ForeignKey(holder.c.phone), nullable=False),
    Column("position", Integer, nullable=False),
    Column("replacement", String(64)),
    # When a caller ordered it; NULL for a card that the bank gave out.
    Column("ordered_at", UtcDateTime),
    CheckConstraint("length(last4) = 4", name="card_last4"),
    UniqueConstraint("phone", "position", name="card_order"),
)

purchase = Table(
    "purchase",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("card_token", ForeignKey(card.c.token), nullable=False),
    Column("day", Date, nullable=False),
    Column("merchant", String(60), nullable=False),
    Column("amount", Cents, nullable=False),
    Column("declined", word(Decline)),
    Index("purchase_card", "card_token", "day"),
)

pending = Table(
    "pending",
    metadata,
    # Two wishes may open in the same instant of the clock; the number says which came first.
    Column("number", Integer, primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("conversation", String(200), nullable=False),
    Column("phone", String(16), nullable=False),
    Column("operation", word(Operation), nullable=False),
    Column("card_token", String(64)),
    Column("card_version", Integer),
    Column("clauses", JsonText(tuple[Clause, ...]), nullable=False),
    Column("state", word(WishState, check="pending_state"), nullable=False),
    Column("answer_hash", String(64)),
    Column("record", JsonText(CardRecord)),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("newest_request", UtcDateTime),
    Column("settles_at", UtcDateTime),
    Column("judged", String(64)),
    Index("pending_opened", "opened_at"),
    Index("pending_conversation", "conversation", "expires_at"),
)

# One open question a conversation, whatever races: the second one to be written is refused by the database.
_UNDER_WAY = pending.c.state.in_(UNDER_WAY)
Index("pending_one_open", pending.c.conversation, unique=True, sqlite_where=_UNDER_WAY, postgresql_where=_UNDER_WAY)

# Who gave the right PIN, in which conversation: successes only.
proof = Table(
    "proof",
    metadata,
    Column("conversation", String(200), primary_key=True),
    Column("phone", String(16), primary_key=True),
    Column("turn_hash", String(64), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

# Wrong PINs of a number, by keyed hash: each value counts once a day. Spent: a lock has been set for it.
pin_attempt = Table(
    "pin_attempt",
    metadata,
    Column("phone", String(16), primary_key=True),
    Column("value_hash", String(64), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("spent", Boolean, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("event", String(16), nullable=False),
    Column("subject", String(16)),
    Column("wish_id", String(32)),
    Column("detail", JSON, nullable=False),
    # Unique: two rows can't follow the same one, so the chain can't fork.
    Column("previous_mac", Text, nullable=False, unique=True),
    Column("mac", Text, nullable=False),
)
