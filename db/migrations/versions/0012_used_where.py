"""Where in what was made the samples lie that were used for it, and which channels they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("used", sa.Column("made_start", COUNT, nullable=True))
    op.add_column("used", sa.Column("made_end", COUNT, nullable=True))
    op.add_column("used", sa.Column("event", sa.String(), nullable=False, server_default=""))
    op.add_column("used", sa.Column("channels", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    for name in ("channels", "event", "made_end", "made_start"):
        op.drop_column("used", name)
