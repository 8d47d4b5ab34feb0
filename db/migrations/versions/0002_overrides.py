"""What people decided for stretches of takes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT = sa.String()
INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "overrides",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("essence", TEXT, nullable=False),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("start_sample", INTEGER, nullable=False),
        sa.Column("end_sample", INTEGER, nullable=False),
        sa.Column("recipe", TEXT, nullable=False),
        sa.Column("amount_db", sa.Float(), nullable=True),
        sa.Column("locked", TEXT, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("created", TEXT, nullable=False),
        sa.Column("revoked", TEXT, nullable=True),
        sa.Column("revoked_by", TEXT, nullable=False, server_default=""),
        sa.ForeignKeyConstraint(["essence"], ["takes.essence"], name="fk_overrides_essence"),
        sa.PrimaryKeyConstraint("id", name="pk_overrides"),
    )
    op.create_index("ix_overrides_essence", "overrides", ["essence"])


def downgrade() -> None:
    op.drop_table("overrides")
