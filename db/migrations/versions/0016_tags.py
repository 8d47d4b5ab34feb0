"""The days on which takes were recorded, and the tags that people put on them."""

from __future__ import annotations

import re
from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TEXT = sa.String()

_DAY = re.compile(r"\s*(\d{4})[-_: ./]?(\d\d)[-_: ./]?(\d\d)\s*", re.ASCII)


def upgrade() -> None:
    op.add_column("takes", sa.Column("recorded", TEXT, nullable=False, server_default=""))
    op.create_table(
        "take_tags",
        sa.Column("essence", TEXT, nullable=False),
        sa.Column("tag", TEXT, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("created", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["essence"], ["takes.essence"], name="fk_take_tags_essence"),
        sa.PrimaryKeyConstraint("essence", "tag", name="pk_take_tags"),
    )
    op.create_index("ix_take_tags_tag", "take_tags", ["tag"])
    _fill_days()


def downgrade() -> None:
    op.drop_table("take_tags")
    op.drop_column("takes", "recorded")


def _fill_days() -> None:
    """The days of takes that are known already, from what was noted of their files."""
    media = sa.table("media", sa.column("essence", TEXT), sa.column("probe", sa.JSON()))
    takes = sa.table("takes", sa.column("essence", TEXT), sa.column("recorded", TEXT))
    connection = op.get_bind()
    for essence, probe in connection.execute(sa.select(media.c.essence, media.c.probe)).all():
        found = _DAY.fullmatch(str(probe.get("notes", {}).get("origination_date", "")))
        try:
            day = date(*(int(part) for part in found.groups())).isoformat() if found else ""
        except ValueError:
            day = ""
        if day:
            connection.execute(
                sa.update(takes).where(takes.c.essence == essence).values(recorded=day)
            )
