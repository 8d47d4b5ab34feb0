"""What productions forbid, and what was forgotten."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TEXT = sa.String()
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "privacy_marks",
        sa.Column("key", TEXT, nullable=False),
        sa.Column("mark", TEXT, nullable=False),
        sa.Column("project", TEXT, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("since", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("key", "mark", name="pk_privacy_marks"),
    )
    op.create_table(
        "forgotten",
        sa.Column("id", COUNT, nullable=False),
        sa.Column("salt", TEXT, nullable=False),
        sa.Column("token", TEXT, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("created", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_forgotten"),
    )
    op.create_table(
        "forgotten_stretches",
        sa.Column("id", COUNT, nullable=False),
        sa.Column("forgotten", COUNT, nullable=False),
        sa.Column("essence", TEXT, nullable=False),
        sa.Column("start_sample", COUNT, nullable=False),
        sa.Column("end_sample", COUNT, nullable=False),
        sa.Column("alone", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["forgotten"],
            ["forgotten.id"],
            name="fk_forgotten_stretches_forgotten",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_forgotten_stretches"),
    )
    op.create_index("ix_forgotten_stretches_forgotten", "forgotten_stretches", ["forgotten"])
    op.create_index("ix_forgotten_stretches_essence", "forgotten_stretches", ["essence"])


def downgrade() -> None:
    op.drop_table("forgotten_stretches")
    op.drop_table("forgotten")
    op.drop_table("privacy_marks")
