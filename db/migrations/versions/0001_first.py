"""The first tables: sound, what was done to it, cuts, speech and its full-text index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.String()
INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_ADD = "INSERT INTO lines_fts(rowid, text) VALUES (new.id, new.text);"
_REMOVE = "INSERT INTO lines_fts(lines_fts, rowid, text) VALUES ('delete', old.id, old.text);"
FULL_TEXT = (
    "CREATE VIRTUAL TABLE lines_fts USING fts5(text, content='lines', content_rowid='id',"
    " prefix='2 3', tokenize='unicode61 remove_diacritics 2')",
    f"CREATE TRIGGER lines_added AFTER INSERT ON lines BEGIN {_ADD} END",
    f"CREATE TRIGGER lines_removed AFTER DELETE ON lines BEGIN {_REMOVE} END",
    f"CREATE TRIGGER lines_changed AFTER UPDATE ON lines BEGIN {_REMOVE} {_ADD} END",
)


def upgrade() -> None:
    _sound()
    _doings()
    _cuts()
    _speech()
    if op.get_bind().dialect.name == "sqlite":
        for statement in FULL_TEXT:
            op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE lines_fts")
    for table in ("words", "lines", "listenings", "speakers", "cut_events", "cuts"):
        op.drop_table(table)
    for table in ("generated", "used", "activities", "media", "takes", "locations", "assets"):
        op.drop_table(table)


def _sound() -> None:
    """What sound there is, and where."""
    op.create_table(
        "assets",
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("bytes", INTEGER, nullable=False),
        sa.Column("essence", TEXT, nullable=False),
        sa.Column("container", TEXT, nullable=False),
        sa.Column("subtype", TEXT, nullable=False),
        sa.Column("sample_rate", INTEGER, nullable=True),
        sa.Column("channels", INTEGER, nullable=True),
        sa.Column("frames", INTEGER, nullable=True),
        sa.Column("first_seen", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_assets"),
    )
    op.create_index("ix_assets_essence", "assets", ["essence"])
    op.create_table(
        "locations",
        sa.Column("path", TEXT, nullable=False),
        sa.Column("asset", TEXT, nullable=False),
        sa.Column("size", INTEGER, nullable=False),
        sa.Column("mtime_ns", INTEGER, nullable=False),
        sa.Column("seen_at", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["asset"], ["assets.sha256"], name="fk_locations_asset"),
        sa.PrimaryKeyConstraint("path", name="pk_locations"),
    )
    op.create_index("ix_locations_asset", "locations", ["asset"])
    op.create_table(
        "takes",
        sa.Column("essence", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("scene", TEXT, nullable=False),
        sa.Column("take", TEXT, nullable=False),
        sa.Column("tape", TEXT, nullable=False),
        sa.Column("project", TEXT, nullable=False),
        sa.Column("sample_rate", INTEGER, nullable=False),
        sa.Column("frames", INTEGER, nullable=False),
        sa.Column("time_reference", INTEGER, nullable=True),
        sa.Column("timecode_rate", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("essence", name="pk_takes"),
    )
    op.create_index("ix_takes_name", "takes", ["name"])
    op.create_index("ix_takes_scene_take", "takes", ["scene", "take"])
    op.create_table(
        "media",
        sa.Column("path", TEXT, nullable=False),
        sa.Column("size", INTEGER, nullable=False),
        sa.Column("mtime_ns", INTEGER, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("essence", TEXT, nullable=False),
        sa.Column("scene", TEXT, nullable=False),
        sa.Column("take", TEXT, nullable=False),
        sa.Column("tape", TEXT, nullable=False),
        sa.Column("circled", sa.Boolean(), nullable=False),
        sa.Column("probe", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["essence"], ["takes.essence"], name="fk_media_essence"),
        sa.ForeignKeyConstraint(["sha256"], ["assets.sha256"], name="fk_media_sha256"),
        sa.PrimaryKeyConstraint("path", name="pk_media"),
    )
    op.create_index("ix_media_essence", "media", ["essence"])
    op.create_index("ix_media_sha256", "media", ["sha256"])


def _doings() -> None:
    """What was done to it."""
    op.create_table(
        "activities",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("tool", TEXT, nullable=False),
        sa.Column("card", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("code_version", TEXT, nullable=False),
        sa.Column("machine", TEXT, nullable=False),
        sa.Column("agent", TEXT, nullable=False),
        sa.Column("started", TEXT, nullable=False),
        sa.Column("ended", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_activities"),
    )
    op.create_index("ix_activities_key", "activities", ["key"])
    op.create_index(
        "uq_activities_done",
        "activities",
        ["kind", "key"],
        unique=True,
        sqlite_where=sa.text("state = 'done'"),
        postgresql_where=sa.text("state = 'done'"),
    )
    op.create_table(
        "used",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("activity", TEXT, nullable=False),
        sa.Column("asset", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("start_sample", INTEGER, nullable=True),
        sa.Column("end_sample", INTEGER, nullable=True),
        sa.ForeignKeyConstraint(["activity"], ["activities.id"], name="fk_used_activity"),
        sa.ForeignKeyConstraint(["asset"], ["assets.sha256"], name="fk_used_asset"),
        sa.PrimaryKeyConstraint("id", name="pk_used"),
    )
    op.create_index("ix_used_activity", "used", ["activity"])
    op.create_index("ix_used_asset", "used", ["asset"])
    op.create_table(
        "generated",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("activity", TEXT, nullable=False),
        sa.Column("asset", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("start_sample", INTEGER, nullable=True),
        sa.Column("end_sample", INTEGER, nullable=True),
        sa.ForeignKeyConstraint(["activity"], ["activities.id"], name="fk_generated_activity"),
        sa.ForeignKeyConstraint(["asset"], ["assets.sha256"], name="fk_generated_asset"),
        sa.PrimaryKeyConstraint("id", name="pk_generated"),
    )
    op.create_index("ix_generated_activity", "generated", ["activity"])
    op.create_index("ix_generated_asset", "generated", ["asset"])


def _cuts() -> None:
    """Which cuts use it."""
    op.create_table(
        "cuts",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("rate", TEXT, nullable=False),
        sa.Column("start", INTEGER, nullable=False),
        sa.Column("length", TEXT, nullable=False),
        sa.Column("read_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cuts"),
        sa.UniqueConstraint("digest", "path", name="uq_cuts_digest_path"),
    )
    op.create_table(
        "cut_events",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("cut", INTEGER, nullable=False),
        sa.Column("event", TEXT, nullable=False),
        sa.Column("track", TEXT, nullable=False),
        sa.Column("record_start", INTEGER, nullable=False),
        sa.Column("record_length", INTEGER, nullable=False),
        sa.Column("asset", TEXT, nullable=True),
        sa.Column("source_start", INTEGER, nullable=True),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("linked", TEXT, nullable=False),
        sa.Column("take_key", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["asset"], ["assets.sha256"], name="fk_cut_events_asset"),
        sa.ForeignKeyConstraint(["cut"], ["cuts.id"], name="fk_cut_events_cut", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_cut_events"),
    )
    op.create_index("ix_cut_events_asset", "cut_events", ["asset"])
    op.create_index("ix_cut_events_cut", "cut_events", ["cut"])
    op.create_index("ix_cut_events_take_key", "cut_events", ["take_key"])


def _speech() -> None:
    """What is said in it."""
    op.create_table(
        "speakers",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("project", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_speakers"),
        sa.UniqueConstraint("project", "name", name="uq_speakers_project_name"),
    )
    op.create_table(
        "listenings",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("essence", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("engine", TEXT, nullable=False),
        sa.Column("draft", sa.Boolean(), nullable=False),
        sa.Column("card", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("language", TEXT, nullable=False),
        sa.Column("created", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["essence"], ["takes.essence"], name="fk_listenings_essence"),
        sa.PrimaryKeyConstraint("id", name="pk_listenings"),
        sa.UniqueConstraint("essence", "key", name="uq_listenings_essence_key"),
    )
    op.create_table(
        "lines",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("essence", TEXT, nullable=False),
        sa.Column("listening", INTEGER, nullable=False),
        sa.Column("speaker", INTEGER, nullable=True),
        sa.Column("position", INTEGER, nullable=False),
        sa.Column("start_sample", INTEGER, nullable=False),
        sa.Column("end_sample", INTEGER, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("draft", sa.Boolean(), nullable=False),
        sa.Column("engine", TEXT, nullable=False),
        sa.Column("language", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["essence"], ["takes.essence"], name="fk_lines_essence"),
        sa.ForeignKeyConstraint(["listening"], ["listenings.id"], name="fk_lines_listening"),
        sa.ForeignKeyConstraint(["speaker"], ["speakers.id"], name="fk_lines_speaker"),
        sa.PrimaryKeyConstraint("id", name="pk_lines"),
    )
    op.create_index("ix_lines_essence", "lines", ["essence"])
    op.create_index("ix_lines_listening", "lines", ["listening"])
    op.create_index("ix_lines_speaker", "lines", ["speaker"])
    op.create_table(
        "words",
        sa.Column("line", INTEGER, nullable=False),
        sa.Column("position", INTEGER, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("start_sample", INTEGER, nullable=False),
        sa.Column("end_sample", INTEGER, nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["line"], ["lines.id"], name="fk_words_line"),
        sa.PrimaryKeyConstraint("line", "position", name="pk_words"),
    )
