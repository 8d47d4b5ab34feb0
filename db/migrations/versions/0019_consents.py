"""Consent of productions and speakers with its history, in place of marks of productions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TEXT = sa.String()
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEPT = ("key", "mark", "project", "by", "since")


def upgrade() -> None:
    made = op.create_table(
        "consents",
        sa.Column("id", COUNT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("speaker_key", TEXT, nullable=False),
        sa.Column("project", TEXT, nullable=False),
        sa.Column("speaker", TEXT, nullable=False),
        sa.Column("mark", TEXT, nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("since", TEXT, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("ended", TEXT, nullable=True),
        sa.Column("ended_by", TEXT, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
    )
    op.create_index("ix_consents_key", "consents", ["key"])
    marks = sa.table("privacy_marks", *(sa.column(name, TEXT) for name in KEPT))
    rows = op.get_bind().execute(sa.select(*marks.c).order_by(marks.c.since)).all()
    if rows:
        same = {"speaker_key": "", "speaker": "", "allowed": False, "note": ""}
        op.bulk_insert(made, [{**row._mapping, **same} for row in rows])
    op.drop_table("privacy_marks")
    op.add_column(
        "forgotten", sa.Column("no_export", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    op.drop_column("forgotten", "no_export")
    op.create_table(
        "privacy_marks",
        *(sa.Column(name, TEXT, nullable=False) for name in KEPT),
        sa.PrimaryKeyConstraint("key", "mark", name="pk_privacy_marks"),
    )
    columns = [sa.column(name, TEXT) for name in (*KEPT, "speaker_key", "ended")]
    consents = sa.table("consents", *columns, sa.column("allowed", sa.Boolean()))
    marks = sa.table("privacy_marks", *(sa.column(name, TEXT) for name in KEPT))
    kept = sa.select(*(consents.c[name] for name in KEPT)).where(
        ~consents.c.allowed, consents.c.ended.is_(None), consents.c.speaker_key == ""
    )
    op.execute(sa.insert(marks).from_select(list(KEPT), kept))
    op.drop_table("consents")
