"""What people decided for lines of a script in takes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TEXT = sa.String()
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "script_marks",
        sa.Column("id", COUNT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("scene", TEXT, nullable=False),
        sa.Column("character", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("essence", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("start_sample", COUNT, nullable=False),
        sa.Column("end_sample", COUNT, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("created", TEXT, nullable=False),
        sa.Column("revoked", TEXT, nullable=True),
        sa.Column("revoked_by", TEXT, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name="pk_script_marks"),
    )
    op.create_index("ix_script_marks_essence", "script_marks", ["essence"])


def downgrade() -> None:
    op.drop_table("script_marks")
