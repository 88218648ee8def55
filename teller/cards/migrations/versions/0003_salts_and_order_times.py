"""A salt of each holder's pseudonym, and when a card was ordered. Who is there already keeps his pseudonym."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("holder", sa.Column("pseudonym_salt", sa.String(32)))
    op.add_column("card", sa.Column("ordered_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE holder SET pseudonym_salt = ''")
