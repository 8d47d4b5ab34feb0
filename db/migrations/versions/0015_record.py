"""How many rows each table should have, and the sound of what roomtone wrote."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TEXT = sa.String()
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "row_counts",
        sa.Column("table", TEXT, nullable=False),
        sa.Column("rows", COUNT, nullable=False),
        sa.PrimaryKeyConstraint("table", name="pk_row_counts"),
    )
    op.add_column("assets", sa.Column("sound", TEXT, nullable=False, server_default=""))
    op.create_index("ix_assets_sound", "assets", ["sound"])


def downgrade() -> None:
    op.drop_index("ix_assets_sound", "assets")
    op.drop_column("assets", "sound")
    op.drop_table("row_counts")
