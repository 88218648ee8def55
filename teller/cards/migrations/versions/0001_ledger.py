"""The ledger's first schema: holders, cards, wishes under way, and the audit trail with what protects it.

Written out in full, without `schema.py`, which goes on changing while a migration never does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Of each database its own words for the same promises.
_TRIGGERS = {
    "postgresql": (
        """
        CREATE FUNCTION teller_refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'integrity_constraint_violation'; END $$
        """,
        """
        CREATE TRIGGER card_closed_is_the_end BEFORE UPDATE OF state ON card FOR EACH ROW
        WHEN (OLD.state = 'closed' AND NEW.state <> 'closed')
        EXECUTE FUNCTION teller_refuse('a closed card stays closed')
        """,
        """
        CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
        EXECUTE FUNCTION teller_refuse('audit rows are never changed')
        """,
        """
        CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
        EXECUTE FUNCTION teller_refuse('audit rows are never deleted')
        """,
        """
        CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit
        EXECUTE FUNCTION teller_refuse('audit rows are never deleted')
        """,
        # A superuser passes by; a role of its own for the server, which owns no table, can't grant this back to itself.
        "REVOKE UPDATE, DELETE, TRUNCATE ON audit FROM PUBLIC, CURRENT_USER",
    ),
    "sqlite": (
        """
        CREATE TRIGGER card_closed_is_the_end BEFORE UPDATE OF state ON card
        WHEN OLD.state = 'closed' AND NEW.state <> 'closed'
        BEGIN SELECT RAISE(ABORT, 'a closed card stays closed'); END
        """,
        """
        CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END
        """,
        """
        CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END
        """,
        # INSERT OR REPLACE deletes without firing the trigger above.
        """
        CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit
        WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq OR previous_mac = NEW.previous_mac)
        BEGIN SELECT RAISE(ABORT, 'audit rows are never replaced'); END
        """,
    ),
}


def upgrade() -> None:
    """Make tables, indexes and triggers."""
    _make_holders()
    _make_cards()
    _make_wishes()
    _make_indexes()
    _make_audit()
    for trigger in _TRIGGERS[op.get_bind().dialect.name]:
        op.execute(trigger)


def _make_holders() -> None:
    op.create_table(
        "meta",
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("value", sa.String(64), nullable=False),
    )
    op.create_table(
        "holder",
        sa.Column("phone", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("pin_hash", sa.String(200), nullable=False),
        sa.Column("pin_locked", sa.Boolean, nullable=False),
        sa.Column("writes", sa.Integer, nullable=False),
    )


def _make_cards() -> None:
    op.create_table(
        "card",
        sa.Column("token", sa.String(64), primary_key=True),
        sa.Column("product", sa.String(32), nullable=False),
        sa.Column("network", sa.String(32), nullable=False),
        sa.Column("last4", sa.String(4), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("credit_limit", sa.BigInteger, nullable=False),
        sa.Column("balance", sa.BigInteger, nullable=False),
        sa.Column("due_date", sa.Date),
        sa.Column("phone", sa.String(16), sa.ForeignKey("holder.phone"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.CheckConstraint("state IN ('inactive', 'active', 'blocked', 'closed')", name="card_state"),
        sa.CheckConstraint("length(last4) = 4", name="card_last4"),
        sa.UniqueConstraint("phone", "position", name="card_order"),
    )


def _make_wishes() -> None:
    op.create_table(
        "pending",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(32), nullable=False, unique=True),
        sa.Column("conversation", sa.String(200), nullable=False),
        sa.Column("phone", sa.String(16), nullable=False),
        sa.Column("operation", sa.String(16), nullable=False),
        sa.Column("card_token", sa.String(64)),
        sa.Column("card_version", sa.Integer),
        sa.Column("clauses", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("answer_hash", sa.String(64)),
        sa.Column("record", sa.Text),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("newest_request", sa.DateTime(timezone=True)),
        sa.CheckConstraint("state IN ('open', 'settling', 'committing', 'done', 'dropped')", name="pending_state"),
    )


def _make_indexes() -> None:
    op.create_index("pending_conversation", "pending", ["conversation", "expires_at"])
    under_way = sa.text("state IN ('open', 'settling')")
    op.create_index(
        "pending_one_open",
        "pending",
        ["conversation"],
        unique=True,
        sqlite_where=under_way,
        postgresql_where=under_way,
    )


def _make_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(16)),
        sa.Column("wish_id", sa.String(32)),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.Column("previous_mac", sa.Text, nullable=False, unique=True),
        sa.Column("mac", sa.Text, nullable=False),
    )
