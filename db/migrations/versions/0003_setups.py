"""What was decided for whole setups."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TEXT = sa.String()


def upgrade() -> None:
    op.create_table(
        "setup_decisions",
        sa.Column("key", TEXT, nullable=False),
        sa.Column("project", TEXT, nullable=False),
        sa.Column("scene", TEXT, nullable=False),
        sa.Column("microphone", TEXT, nullable=False),
        sa.Column("asked", TEXT, nullable=False),
        sa.Column("recipe", TEXT, nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("created", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_setup_decisions"),
    )
    op.create_index("ix_setup_decisions_scene", "setup_decisions", ["scene"])


def downgrade() -> None:
    op.drop_table("setup_decisions")
