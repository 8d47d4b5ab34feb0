"""What happens in takes beside the lines."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TEXT = sa.String()
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "event_passes",
        sa.Column("id", COUNT, nullable=False),
        sa.Column("essence", TEXT, nullable=False),
        sa.Column("detector", TEXT, nullable=False),
        sa.Column("version", TEXT, nullable=False),
        sa.Column("created", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["essence"], ["takes.essence"], name="fk_event_passes_essence"),
        sa.PrimaryKeyConstraint("id", name="pk_event_passes"),
        sa.UniqueConstraint("essence", "detector", name="uq_event_passes_essence_detector"),
    )
    op.create_table(
        "sound_events",
        sa.Column("id", COUNT, nullable=False),
        sa.Column("event_pass", COUNT, nullable=False),
        sa.Column("essence", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("start_sample", COUNT, nullable=False),
        sa.Column("end_sample", COUNT, nullable=False),
        sa.Column("channel", COUNT, nullable=True),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["event_pass"],
            ["event_passes.id"],
            name="fk_sound_events_event_pass",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["essence"], ["takes.essence"], name="fk_sound_events_essence"),
        sa.PrimaryKeyConstraint("id", name="pk_sound_events"),
    )
    op.create_index("ix_sound_events_event_pass", "sound_events", ["event_pass"])
    op.create_index("ix_sound_events_essence", "sound_events", ["essence"])
    op.create_index("ix_sound_events_kind", "sound_events", ["kind"])


def downgrade() -> None:
    op.drop_table("sound_events")
    op.drop_table("event_passes")
