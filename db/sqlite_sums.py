"""Sums of rows in a database file, by triggers that only our connections have (SQLite's TEMP)."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from db.seals import row_digest, sealed, sealed_columns

_SUMS = "roomtone_seals"


def watch_rows(connection: sqlite3.Connection, info: dict[Any, Any]) -> None:
    """Have a connection tell what its transactions do to rows; outside of one, and only once.

    info: of the connection, where that is kept.
    """
    if _SUMS in info:
        return
    sums: dict[str, int] = {}
    info[_SUMS] = sums

    def changed(name: str, sign: int, *values: Any) -> None:
        sums[name] = sums.get(name, 0) + sign * row_digest(values)

    connection.create_function("roomtone_seal", -1, changed)
    for name in sealed():
        old, new = sealed_columns(name, "OLD."), sealed_columns(name, "NEW.")
        gone, come = (
            f"SELECT roomtone_seal('{name}', {sign}, {values});"
            for sign, values in ((-1, old), (1, new))
        )
        for what, does in (("INSERT", come), ("DELETE", gone), ("UPDATE", gone + " " + come)):
            connection.execute(
                f'CREATE TEMP TRIGGER "roomtone_{name}_{what}" AFTER {what} ON main."{name}" '
                f"BEGIN {does} END"
            )


def begin(connection: Connection) -> None:
    """Forget what was told of transactions before, of which the last may have failed."""
    connection.info.get(_SUMS, {}).clear()


def told(connection: Connection) -> Mapping[str, int]:
    """What a transaction did to the sums of tables so far, by name."""
    return dict(connection.info.get(_SUMS, {}))


def total(connection: Connection, name: str) -> int:
    """The sum of a table's rows as they are now; reads all of it."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    before = raw.text_factory
    # Bytes that are no text must not end the reading: they are what is looked for.
    raw.text_factory = _text
    try:
        rows = raw.execute(f'SELECT {sealed_columns(name)} FROM "{name}"')
        return sum(map(row_digest, rows))
    finally:
        raw.text_factory = before


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
