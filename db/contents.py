"""All that is in a database, row by row, whatever table it is in: for looking for what is gone."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection
from sqlalchemy.orm import Session


def table_names(session: Session) -> tuple[str, ...]:
    """The names of all tables, those of the full-text indexes among them."""
    connection = session.connection()
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        if _is_sqlite(connection)
        else "SELECT relname FROM pg_class WHERE relkind = 'r'"
        " AND relnamespace = current_schema()::regnamespace ORDER BY relname"
    )
    return tuple(str(row[0]) for row in connection.exec_driver_sql(query))


def rows_of(session: Session, table: str) -> Iterator[bytes]:
    """The values of each row of a table as bytes, one after another."""
    quoted = '"' + table.replace('"', '""') + '"'
    for row in session.connection().exec_driver_sql(f"SELECT * FROM {quoted}"):
        yield b"\0".join(_bytes(value) for value in row)


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _bytes(value: object) -> bytes:
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    return str(value).encode("utf-8", "surrogatepass")
