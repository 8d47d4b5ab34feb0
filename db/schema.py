"""The tables of a new database file in one go, as all migrations together make them.

`schema.sql` is written by `python -m db.schema` after a migration was added (a test says when that
was forgotten). Without it every new home would do each step of the schema's history first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection

SCHEMA = Path(__file__).with_name("schema.sql")
_FILLED = ("alembic_version", "row_counts")
"""The tables that are not empty in a new database."""


def create_tables(connection: Connection) -> str:
    """Makes the tables of an empty database file, in the connection's transaction.

    Returns the schema revision that it has then.
    """
    for statement in statements(SCHEMA.read_text("utf-8")):
        connection.exec_driver_sql(statement)
    return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())


def statements(script: str) -> Iterator[str]:
    """A script's statements; a trigger with those inside it is one."""
    lines: list[str] = []
    for line in script.splitlines():
        lines.append(line)
        if sqlite3.complete_statement("\n".join(lines)):
            yield "\n".join(lines)
            lines = []


def schema_text(path: Path) -> str:
    """What makes the tables of a new database, from one that all migrations made."""
    with closing(sqlite3.connect(path)) as database:
        shadows = {
            row[1] for row in database.execute("PRAGMA table_list").fetchall() if row[2] == "shadow"
        }
        made = database.execute(
            "SELECT name, sql FROM sqlite_master"
            " WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
        )
        text = "".join(f"{sql};\n\n" for name, sql in made if name not in shadows)
        for table in _FILLED:
            for row in database.execute(f"SELECT * FROM {table} ORDER BY 1"):
                values = ", ".join(map(repr, row))
                text += f"INSERT INTO {table} VALUES ({values});\n"
    lines = "".join(f"{line.rstrip()}\n" for line in text.splitlines())
    return f"-- Written by `python -m db.schema`; what it is for stands there.\n\n{lines}"


def migrated_text(folder: Path) -> str:
    """The same from a database that is migrated for it, in an empty folder."""
    from alembic import command

    from db.engine import alembic_config
    from db.sqlite import Sqlite
    from db.tally import counted, recount

    path = folder / "migrated.db"
    engine = Sqlite(path).engine()
    with engine.execution_options(roomtone_writes=True).begin() as connection:
        command.upgrade(alembic_config(connection), "head")
        recount(connection, counted())
    engine.dispose()
    return schema_text(path)


if __name__ == "__main__":
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        SCHEMA.write_text(migrated_text(Path(folder)), "utf-8")
