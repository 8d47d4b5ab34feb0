"""A seal for every table, so that a value which another hand changed is noticed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("row_counts", sa.Column("seal", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("row_counts", "seal")
