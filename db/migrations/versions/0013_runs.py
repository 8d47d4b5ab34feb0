"""Jobs that somebody asked for, and how far they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TEXT = sa.String()
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("id", COUNT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.Column("media", sa.JSON(), nullable=False),
        sa.Column("out", TEXT, nullable=True),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("asked", TEXT, nullable=False),
        sa.Column("not_before", TEXT, nullable=False),
        sa.Column("started", TEXT, nullable=True),
        sa.Column("ended", TEXT, nullable=True),
        sa.Column("tries", COUNT, nullable=False),
        sa.Column("most_tries", COUNT, nullable=False),
        sa.Column("step", TEXT, nullable=False),
        sa.Column("step_done", COUNT, nullable=False),
        sa.Column("step_total", COUNT, nullable=False),
        sa.Column("said", TEXT, nullable=False),
        sa.Column("host", TEXT, nullable=False),
        sa.Column("pid", COUNT, nullable=False),
        sa.Column("token", TEXT, nullable=False),
        sa.Column("lease_until", TEXT, nullable=True),
        sa.Column("cancelled_by", TEXT, nullable=False),
        sa.Column("outcome", sa.JSON(), nullable=True),
        sa.Column("fault", TEXT, nullable=False),
        sa.Column("exit_code", COUNT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index("ix_runs_state", "runs", ["state"])


def downgrade() -> None:
    op.drop_table("runs")
