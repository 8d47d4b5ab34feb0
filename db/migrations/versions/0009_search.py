"""Lines indexed by word, by stem and by sound; a vocabulary for typing errors.

The index over the lines' own text goes: what is indexed is made in the program now.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TEXT = sa.String()
INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# index, table, its key, the column, options
_INDEXES = (
    ("words", "line_search", "line", "words", "prefix='2 3 4'"),
    ("stems", "line_search", "line", "stems", "detail='none', columnsize=0"),
    ("sounds", "line_search", "line", "sounds", "detail='none', columnsize=0"),
    ("vocabulary", "vocabulary", "id", "grams", "detail='none', columnsize=0"),
)

_ADD = "INSERT INTO lines_fts(rowid, text) VALUES (new.id, new.text);"
_REMOVE = "INSERT INTO lines_fts(lines_fts, rowid, text) VALUES ('delete', old.id, old.text);"
_OLD_INDEX = (
    "CREATE VIRTUAL TABLE lines_fts USING fts5(text, content='lines', content_rowid='id',"
    " prefix='2 3', tokenize='unicode61 remove_diacritics 2')",
    f"CREATE TRIGGER lines_added AFTER INSERT ON lines BEGIN {_ADD} END",
    f"CREATE TRIGGER lines_removed AFTER DELETE ON lines BEGIN {_REMOVE} END",
    f"CREATE TRIGGER lines_changed AFTER UPDATE ON lines BEGIN {_REMOVE} {_ADD} END",
    "INSERT INTO lines_fts(lines_fts) VALUES ('rebuild')",
)


def upgrade() -> None:
    op.create_table(
        "line_search",
        sa.Column("line", INTEGER, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("sounds_by", TEXT, nullable=False),
        sa.Column("words", TEXT, nullable=False),
        sa.Column("stems", TEXT, nullable=False),
        sa.Column("sounds", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["line"], ["lines.id"], name="fk_line_search_line", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("line", name="pk_line_search"),
    )
    op.create_table(
        "vocabulary",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("word", TEXT, nullable=False),
        sa.Column("lines", INTEGER, nullable=False),
        sa.Column("grams", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_vocabulary"),
        sa.UniqueConstraint("word", name="uq_vocabulary_word"),
    )
    op.add_column("cut_events", sa.Column("source_end", INTEGER, nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        _old_index_goes()
        for index in _INDEXES:
            _indexed(*index)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for index, table, *_ in _INDEXES:
            for when in ("insert", "delete", "update"):
                op.execute(f"DROP TRIGGER {table}_{index}_{when}")
            op.execute(f"DROP TABLE {index}_terms")
            op.execute(f"DROP TABLE {index}_fts")
        for statement in _OLD_INDEX:
            op.execute(statement)
    op.drop_column("cut_events", "source_end")
    op.drop_table("vocabulary")
    op.drop_table("line_search")


def _old_index_goes() -> None:
    for trigger in ("added", "removed", "changed"):
        op.execute(f"DROP TRIGGER lines_{trigger}")
    op.execute("DROP TABLE lines_fts")


def _indexed(index: str, table: str, key: str, column: str, options: str) -> None:
    """A full-text index over a column, kept in step by triggers."""
    fts = f"{index}_fts"
    # `ascii` takes all that is no ASCII for a part of a word, as the tokens are made already.
    op.execute(
        f"CREATE VIRTUAL TABLE {fts} USING fts5({column}, content='{table}',"
        f" content_rowid='{key}', tokenize='ascii', {options})"
    )
    op.execute(f"CREATE VIRTUAL TABLE {index}_terms USING fts5vocab('{fts}', 'row')")
    add = f"INSERT INTO {fts}(rowid, {column}) VALUES (new.{key}, new.{column});"
    remove = (
        f"INSERT INTO {fts}({fts}, rowid, {column}) VALUES ('delete', old.{key}, old.{column});"
    )
    for when, do in (("insert", add), ("delete", remove), (f"update OF {column}", remove + add)):
        op.execute(
            f"CREATE TRIGGER {table}_{index}_{when[:6]} AFTER {when} ON {table} BEGIN {do} END"
        )
