"""What people say that lines say."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TEXT = sa.String()
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "line_corrections",
        sa.Column("id", COUNT, nullable=False),
        sa.Column("essence", TEXT, nullable=False),
        sa.Column("start_sample", COUNT, nullable=False),
        sa.Column("end_sample", COUNT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("created", TEXT, nullable=False),
        sa.Column("undone", TEXT, nullable=True),
        sa.Column("undone_by", TEXT, nullable=False, server_default=""),
        sa.ForeignKeyConstraint(["essence"], ["takes.essence"], name="fk_line_corrections_essence"),
        sa.PrimaryKeyConstraint("id", name="pk_line_corrections"),
    )
    op.create_index("ix_line_corrections_essence", "line_corrections", ["essence"])


def downgrade() -> None:
    op.drop_table("line_corrections")
