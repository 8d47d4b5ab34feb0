"""Setups with what the gates say of their takes, and what people decide for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TEXT = sa.String()
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "setups",
        sa.Column("id", COUNT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("project", TEXT, nullable=False),
        sa.Column("scene", TEXT, nullable=False),
        sa.Column("microphone", TEXT, nullable=False),
        sa.Column("file", TEXT, nullable=False),
        sa.Column("essence", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_setups"),
        sa.UniqueConstraint("key", name="uq_setups_key"),
    )
    op.create_table(
        "reviews",
        sa.Column("id", COUNT, nullable=False),
        sa.Column("setup", COUNT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("recipe", TEXT, nullable=False),
        sa.Column("amount_db", sa.Float(), nullable=True),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("created", TEXT, nullable=False),
        sa.Column("undone", TEXT, nullable=True),
        sa.Column("undone_by", TEXT, nullable=False, server_default=""),
        sa.ForeignKeyConstraint(["setup"], ["setups.id"], name="fk_reviews_setup"),
        sa.PrimaryKeyConstraint("id", name="pk_reviews"),
    )
    op.create_index("ix_reviews_setup", "reviews", ["setup"])
    op.create_table(
        "review_takes",
        sa.Column("id", COUNT, nullable=False),
        sa.Column("review", COUNT, nullable=False),
        sa.Column("essence", TEXT, nullable=False),
        sa.Column("channels", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["review"], ["reviews.id"], name="fk_review_takes_review", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_review_takes"),
    )
    op.create_index("ix_review_takes_review", "review_takes", ["review"])
    op.create_index("ix_review_takes_essence", "review_takes", ["essence"])
    op.create_index("ix_review_takes_key", "review_takes", ["key"])
    op.create_table(
        "judged_takes",
        sa.Column("id", COUNT, nullable=False),
        sa.Column("setup", COUNT, nullable=False),
        sa.Column("essence", TEXT, nullable=False),
        sa.Column("channels", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("in_cut", sa.Boolean(), nullable=False),
        sa.Column("recipe", TEXT, nullable=False),
        sa.Column("gentler", TEXT, nullable=False),
        sa.Column("limit_db", sa.Float(), nullable=True),
        sa.Column("gates", sa.JSON(), nullable=False),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.Column("review", COUNT, nullable=True),
        sa.Column("judged", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["setup"], ["setups.id"], name="fk_judged_takes_setup"),
        sa.ForeignKeyConstraint(["essence"], ["takes.essence"], name="fk_judged_takes_essence"),
        sa.PrimaryKeyConstraint("id", name="pk_judged_takes"),
    )
    op.create_index("ix_judged_takes_setup", "judged_takes", ["setup"])
    op.create_index("ix_judged_takes_essence", "judged_takes", ["essence"])


def downgrade() -> None:
    for table in ("judged_takes", "review_takes", "reviews", "setups"):
        op.drop_table(table)
