"""Voices of speakers, what people said about them, and lines that overlap."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TEXT = sa.String()
INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("speakers", sa.Column("heard_as", TEXT, nullable=False, server_default=""))
    op.add_column("lines", sa.Column("heard_as", TEXT, nullable=False, server_default=""))
    op.add_column("lines", sa.Column("overlap", sa.Float(), nullable=False, server_default="0"))
    op.execute("UPDATE speakers SET heard_as = name")
    op.execute(
        "UPDATE lines SET heard_as ="
        " (SELECT name FROM speakers WHERE speakers.id = lines.speaker)"
        " WHERE speaker IS NOT NULL"
    )
    op.create_table(
        "speaker_decisions",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("project", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("speaker", INTEGER, nullable=False),
        sa.Column("other", INTEGER, nullable=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("stretches", sa.JSON(), nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("created", TEXT, nullable=False),
        sa.Column("undone", TEXT, nullable=True),
        sa.Column("undone_by", TEXT, nullable=False, server_default=""),
        sa.ForeignKeyConstraint(["speaker"], ["speakers.id"], name="fk_speaker_decisions_speaker"),
        sa.ForeignKeyConstraint(["other"], ["speakers.id"], name="fk_speaker_decisions_other"),
        sa.PrimaryKeyConstraint("id", name="pk_speaker_decisions"),
    )
    op.create_index("ix_speaker_decisions_project", "speaker_decisions", ["project"])
    op.create_table(
        "voices",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("project", TEXT, nullable=False),
        sa.Column("essence", TEXT, nullable=True),
        sa.Column("label", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("print", sa.JSON(), nullable=False),
        sa.Column("encoder", TEXT, nullable=False),
        sa.Column("spans", sa.JSON(), nullable=False),
        sa.Column("speaker", INTEGER, nullable=True),
        sa.Column("fixed", sa.Boolean(), nullable=False),
        sa.Column("decision", INTEGER, nullable=True),
        sa.ForeignKeyConstraint(["essence"], ["takes.essence"], name="fk_voices_essence"),
        sa.ForeignKeyConstraint(["speaker"], ["speakers.id"], name="fk_voices_speaker"),
        sa.ForeignKeyConstraint(["decision"], ["speaker_decisions.id"], name="fk_voices_decision"),
        sa.PrimaryKeyConstraint("id", name="pk_voices"),
    )
    op.create_index("ix_voices_project", "voices", ["project"])
    op.create_index("ix_voices_essence", "voices", ["essence"])
    op.create_index("ix_voices_speaker", "voices", ["speaker"])


def downgrade() -> None:
    op.drop_table("voices")
    op.drop_table("speaker_decisions")
    for table, column in (("lines", "overlap"), ("lines", "heard_as"), ("speakers", "heard_as")):
        op.drop_column(table, column)
