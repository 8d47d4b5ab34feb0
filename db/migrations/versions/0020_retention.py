"""How long what is learned of a production is kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TEXT = sa.String()
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "retention_rules",
        sa.Column("key", TEXT, nullable=False),
        sa.Column("kept", TEXT, nullable=False),
        sa.Column("project", TEXT, nullable=False),
        sa.Column("days", COUNT, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("since", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("key", "kept", name="pk_retention_rules"),
    )


def downgrade() -> None:
    op.drop_table("retention_rules")
