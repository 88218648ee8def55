"""What PINs, ordered cards, payments and settling need. No row that is there already changes."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and tables."""
    op.add_column("holder", sa.Column("pin_locks", sa.Integer, nullable=False, server_default="0"))
    op.add_column("holder", sa.Column("pin_locked_until", sa.DateTime(timezone=True)))
    op.add_column("card", sa.Column("replacement", sa.String(64)))
    op.add_column("pending", sa.Column("settles_at", sa.DateTime(timezone=True)))
    op.add_column("pending", sa.Column("judged", sa.String(64)))
    op.create_index("pending_opened", "pending", ["opened_at"])
    _make_purchases()
    _make_proofs()


def _make_purchases() -> None:
    op.create_table(
        "purchase",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("card_token", sa.String(64), sa.ForeignKey("card.token"), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("merchant", sa.String(60), nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("declined", sa.String(16)),
    )
    op.create_index("purchase_card", "purchase", ["card_token", "day"])


def _make_proofs() -> None:
    op.create_table(
        "proof",
        sa.Column("conversation", sa.String(200), primary_key=True),
        sa.Column("phone", sa.String(16), primary_key=True),
        sa.Column("turn_hash", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "pin_attempt",
        sa.Column("phone", sa.String(16), primary_key=True),
        sa.Column("value_hash", sa.String(64), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spent", sa.Boolean, nullable=False),
    )
