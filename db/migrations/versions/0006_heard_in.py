"""In which sound a line was understood."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "lines",
        sa.Column("heard_in", sa.String(), nullable=False, server_default="original"),
    )


def downgrade() -> None:
    op.drop_column("lines", "heard_in")
