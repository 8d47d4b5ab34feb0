"""A seal on every table of a database file, so that a value which another hand changed is noticed.

The seal of a table is the sum of its rows' digests. Every connection of ours has triggers of its
own (SQLite's TEMP triggers), which tell what its statements did to rows; whoever else writes to the
file leaves the seals as they were. There is no secret in them: they tell of accidents, and of hands
that do not know them. A server's tables have none.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection

from db.tables import Table

SQLITE = "sqlite"
_SUMS = "roomtone_seals"
_SIZE = 16
_ALL = 1 << (8 * _SIZE)


def row_digest(values: tuple[Any, ...]) -> int:
    """A number for a row's values as SQLite gives them, the same for the same values."""
    digest = blake2b(digest_size=_SIZE)
    if bytes in map(type, values):
        for value in values:
            if isinstance(value, bytes):
                digest.update(b"%d:" % len(value))
                digest.update(value)
            else:
                digest.update(repr(value).encode())
    else:
        digest.update(repr(values).encode())
    return int.from_bytes(digest.digest(), "big")


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
        old, new = _columns(name, "OLD."), _columns(name, "NEW.")
        gone, come = (
            f"SELECT roomtone_seal('{name}', {sign}, {values});"
            for sign, values in ((-1, old), (1, new))
        )
        for what, does in (("INSERT", come), ("DELETE", gone), ("UPDATE", gone + " " + come)):
            connection.execute(
                f'CREATE TEMP TRIGGER "roomtone_{name}_{what}" AFTER {what} ON main."{name}" '
                f"BEGIN {does} END"
            )


def begin_seals(connection: Connection) -> None:
    """Forget what was told of transactions before, of which the last may have failed."""
    connection.info.get(_SUMS, {}).clear()


def told_seals(connection: Connection) -> Mapping[str, int]:
    """What a transaction did to the sums of tables so far, by name."""
    return dict(connection.info.get(_SUMS, {}))


def added(seal: int, more: int) -> int:
    """A sum with more to it."""
    return (seal + more) % _ALL


def table_sum(connection: Connection, name: str) -> int:
    """The sum of a table's rows as they are now; reads all of it."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    before = raw.text_factory
    # Bytes that are no text must not end the reading: they are what is looked for.
    raw.text_factory = _text
    try:
        rows = raw.execute(f'SELECT {_columns(name, "")} FROM "{name}"')
        return sum(map(row_digest, rows)) % _ALL
    finally:
        raw.text_factory = before


def seal_text(name: str, rows: int, total: int) -> str:
    """A seal as it is kept: the sum, and a mark that the row is as roomtone wrote it."""
    mark = row_digest((name, rows, total)) % (1 << 32)
    return f"{total:032x}-{mark:08x}"


def seal_sum(text: str) -> int | None:
    """The sum in a seal as it is kept; None where there is none."""
    head = text.partition("-")[0]
    try:
        return int(head, 16) if head else None
    except ValueError:
        return None


def sealed() -> tuple[str, ...]:
    """The tables that are sealed: all but the seals' own."""
    return tuple(sorted(set(Table.metadata.tables) - {"row_counts"}))


def _columns(name: str, prefix: str) -> str:
    return ", ".join(f'{prefix}"{column.name}"' for column in Table.metadata.tables[name].c)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
