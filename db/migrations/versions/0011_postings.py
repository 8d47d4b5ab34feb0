"""Lists of rows by token, packed; the words as a tsvector in PostgreSQL.

The full-text indexes over stems, sounds and letters go: the lists do what they did. What is
indexed is emptied, and made anew at the next search.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TEXT = sa.String()
INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_GONE = (
    ("stems", "line_search", "line", "stems"),
    ("sounds", "line_search", "line", "sounds"),
    ("vocabulary", "vocabulary", "id", "grams"),
)

# A tsvector of tokens between spaces, as they are; PostgreSQL counts up to 16,383 places.
_VECTOR = r"""
CREATE FUNCTION line_vector(text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT coalesce(
        string_agg(
            '''' || replace(replace(token, '\', '\\'), '''', '''''') || ''':'
            || least(place, 16383), ' '
        ),
        ''
    )::tsvector
    FROM unnest(string_to_array($1, ' ')) WITH ORDINALITY AS split(token, place)
    WHERE token <> ''
$$
"""


def upgrade() -> None:
    op.create_table(
        "postings",
        sa.Column("kind", INTEGER, nullable=False, autoincrement=False),
        sa.Column("token", TEXT, nullable=False),
        sa.Column("block", INTEGER, nullable=False, autoincrement=False),
        sa.Column("rows", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "token", "block", name="pk_postings"),
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    if sqlite:
        for index in _GONE:
            _index_goes(*index[:2])
        op.execute("DROP TABLE words_terms")
    op.execute("DELETE FROM line_search")
    op.execute("DELETE FROM vocabulary")
    op.drop_column("vocabulary", "grams")
    op.create_index("ix_line_search_version_sounds_by", "line_search", ["version", "sounds_by"])
    op.execute(
        "INSERT INTO line_search (line, version, sounds_by, words, stems, sounds)"
        " SELECT id, 0, '', '', '', '' FROM lines"
    )
    if not sqlite:
        op.execute(_VECTOR)
        op.execute('ALTER TABLE line_search ALTER COLUMN words TYPE varchar COLLATE "C"')
        op.execute(
            "ALTER TABLE line_search ADD COLUMN words_vector tsvector"
            " GENERATED ALWAYS AS (line_vector(words)) STORED"
        )
        op.execute(
            "CREATE INDEX ix_line_search_words_vector ON line_search USING gin (words_vector)"
            " WITH (fastupdate = off)"
        )
        # Lists grow a little with every take: room for that where they lie.
        op.execute("ALTER TABLE postings SET (fillfactor = 60)")
        op.execute("ALTER TABLE postings ALTER COLUMN rows SET STORAGE EXTERNAL")


def downgrade() -> None:
    op.drop_table("postings")
    op.execute("DELETE FROM line_search")
    op.execute("DELETE FROM vocabulary")
    op.drop_index("ix_line_search_version_sounds_by", "line_search")
    op.add_column("vocabulary", sa.Column("grams", TEXT, nullable=False, server_default=""))
    if op.get_bind().dialect.name == "sqlite":
        for index in _GONE:
            _index_comes_back(*index)
        op.execute("CREATE VIRTUAL TABLE words_terms USING fts5vocab('words_fts', 'row')")
    else:
        op.execute("ALTER TABLE line_search DROP COLUMN words_vector")
        op.execute("DROP FUNCTION line_vector(text)")


def _index_goes(index: str, table: str) -> None:
    for when in ("insert", "delete", "update"):
        op.execute(f"DROP TRIGGER {table}_{index}_{when}")
    op.execute(f"DROP TABLE {index}_terms")
    op.execute(f"DROP TABLE {index}_fts")


def _index_comes_back(index: str, table: str, key: str, column: str) -> None:
    fts = f"{index}_fts"
    op.execute(
        f"CREATE VIRTUAL TABLE {fts} USING fts5({column}, content='{table}',"
        f" content_rowid='{key}', tokenize='ascii', detail='none', columnsize=0)"
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
