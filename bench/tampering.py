"""What another hand may do to a home and its delivery, one thing at a time, drawn by chance."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from bench.tiny import Tiny
from flows.delivery import LIST

Dump = Mapping[str, Mapping[tuple[Any, ...], int]]
"""The rows of every table, by its name, and how often each is there."""

_AN_HOUR_S = 3_600
_LEAST_TEXT = 3


@dataclass(frozen=True)
class Tampering:
    """What was done. kind: a key of `KINDS`. files: that are no longer what they were.

    table: of the database, where one row was changed. values: of all rows that differ, as text.
    broken: whether the database can't be read as one any more.
    """

    kind: str
    files: frozenset[Path] = frozenset()
    table: str = ""
    values: frozenset[str] = frozenset()
    broken: bool = False


def tamper(it: Tiny, kind: str, chance: random.Random) -> Tampering:
    """Do one thing of a kind that makes a difference."""
    while True:
        found = KINDS[kind](it, chance)
        if found is not None:
            return found


def store_files(it: Tiny) -> list[Path]:
    """The cleaned takes of the home."""
    return sorted((it.home / "store").rglob("*.wav"))


def delivered_files(it: Tiny) -> list[Path]:
    """The files of the delivery, its list too."""
    return sorted(path for path in it.out.rglob("*") if path.is_file() and path.name[0] != ".")


def _files(it: Tiny) -> list[Path]:
    return [*store_files(it), *delivered_files(it)]


def _flip(it: Tiny, chance: random.Random) -> Tampering:
    """One bit, as often in a header as anywhere."""
    path = chance.choice(_files(it))
    data = bytearray(path.read_bytes())
    at = chance.randrange(chance.choice((len(data), min(len(data), 4_000))))
    data[at] ^= 1 << chance.randrange(8)
    path.write_bytes(data)
    return Tampering("flip", frozenset({path}))


def _cut_short(it: Tiny, chance: random.Random) -> Tampering:
    path = chance.choice(_files(it))
    os.truncate(path, chance.randrange(path.stat().st_size))
    return Tampering("truncate", frozenset({path}))


def _delete(it: Tiny, chance: random.Random) -> Tampering:
    path = chance.choice([*_files(it), it.database])
    path.unlink()
    return Tampering("delete", frozenset({path}), broken=path == it.database)


def _swap(it: Tiny, chance: random.Random) -> Tampering | None:
    pool = store_files(it) if chance.random() < 1 / 3 else delivered_files(it)
    one, other = chance.sample([path for path in pool if path.name != LIST], 2)
    first, second = one.read_bytes(), other.read_bytes()
    if first == second:
        return None
    one.write_bytes(second)
    other.write_bytes(first)
    return Tampering("swap", frozenset({one, other}))


def _foreign(it: Tiny, chance: random.Random) -> Tampering:
    """Another program's file, or one that looks like one of ours; older than any run at work."""
    data = chance.choice((b"RIFF", b"", chance.choice(_files(it)).read_bytes()))
    name = sha256(chance.randbytes(8)).hexdigest()
    beside = chance.choice(store_files(it))
    path = chance.choice((beside.with_name(f"{name}.wav"), beside.with_name("notes.txt")))
    if chance.random() < 1 / 2:
        path = it.out / chance.choice(("stems", "clips", "timelines")) / f"{name[:8]}.wav"
    path.write_bytes(data)
    old = time.time() - 2 * _AN_HOUR_S
    os.utime(path, (old, old))
    return Tampering("foreign", frozenset({path}))


def _delete_row(it: Tiny, chance: random.Random) -> Tampering:
    table, key, row = _some_row(it, chance)
    with closing(sqlite3.connect(it.database)) as connection, connection:
        connection.execute(f'DELETE FROM "{table}" WHERE rowid = ?', (key,))
    return Tampering("row", table=table, values=_told(row))


def _change_hash(it: Tiny, chance: random.Random) -> Tampering | None:
    """One digit of a sha256, in any row that has one."""
    table, key, row = _some_row(it, chance)
    hashes = [name for name, value in row.items() if isinstance(value, str) and _is_hash(value)]
    if not hashes:
        return None
    column = chance.choice(hashes)
    old = str(row[column])
    at = chance.randrange(len(old))
    new = old[:at] + chance.choice([digit for digit in "0123456789abcdef" if digit != old[at]])
    return _set(it, "hash", table, key, row, column, new + old[at + 1 :])


def _change_value(it: Tiny, chance: random.Random) -> Tampering | None:
    """Any value of any row, to one of the same type."""
    table, key, row = _some_row(it, chance)
    column = chance.choice(list(row))
    old = row[column]
    new: Any = old
    if isinstance(old, str):
        new = old[:-1] if chance.random() < 1 / 2 and old else f"{old}x"
    elif isinstance(old, int | float):
        new = old + 1
    elif isinstance(old, bytes):
        new = old[:-1] + bytes([old[-1] ^ 1]) if old else b"x"
    if new is None:
        return None
    return _set(it, "value", table, key, row, column, new)


def _cut_database(it: Tiny, chance: random.Random) -> Tampering:
    os.truncate(it.database, chance.randrange(it.database.stat().st_size))
    return Tampering("database", frozenset({it.database}), broken=True)


def _garbage(it: Tiny, chance: random.Random) -> Tampering | None:
    """Some random bytes anywhere in the database; where nobody reads them they do no harm."""
    whole = it.database.read_bytes()
    before = dump(it.database)
    assert before is not None
    data = bytearray(whole)
    size = chance.choice((1, 16, 400, 5_000))
    at = chance.randrange(len(data) - size)
    data[at : at + size] = chance.randbytes(size)
    it.database.write_bytes(data)
    after = dump(it.database)
    if after is None:
        return Tampering("garbage", frozenset({it.database}), broken=True)
    if after == before:
        it.database.write_bytes(whole)
        return None
    return Tampering("garbage", frozenset({it.database}), values=_differing(before, after))


KINDS: Mapping[str, Callable[[Tiny, random.Random], Tampering | None]] = {
    "flip": _flip,
    "truncate": _cut_short,
    "delete": _delete,
    "swap": _swap,
    "foreign": _foreign,
    "row": _delete_row,
    "hash": _change_hash,
    "value": _change_value,
    "database": _cut_database,
    "garbage": _garbage,
}


def dump(path: Path) -> Dump | None:
    """All rows of a database file, also of the tables behind its indexes; None where it is broken.

    An index of SQLite's own that does not fit its table is broken too.
    """
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            connection.text_factory = bytes
            if connection.execute("PRAGMA integrity_check").fetchall() != [(b"ok",)]:
                return None
            found: dict[str, dict[tuple[Any, ...], int]] = {}
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'"
            ).fetchall():
                rows: dict[tuple[Any, ...], int] = {}
                for row in connection.execute(f'SELECT * FROM "{name.decode()}"'):
                    rows[row] = rows.get(row, 0) + 1
                found[name.decode()] = rows
            for pragma in ("application_id", "user_version", "encoding"):
                found[pragma] = dict.fromkeys(connection.execute(f"PRAGMA {pragma}"), 1)
            return found
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        return None


def _some_row(it: Tiny, chance: random.Random) -> tuple[str, int, dict[str, Any]]:
    """A row of a table that has some, small tables as often as large ones."""
    with closing(sqlite3.connect(it.database)) as connection:
        connection.row_factory = sqlite3.Row
        tables = [
            str(row["name"])
            for row in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                " AND name NOT LIKE 'words_fts%' ORDER BY name"
            )
        ]
        chance.shuffle(tables)
        for table in tables:
            keys = connection.execute(f'SELECT rowid AS n FROM "{table}" ORDER BY 1').fetchall()
            if keys:
                key = int(chance.choice(keys)["n"])
                row = connection.execute(f'SELECT * FROM "{table}" WHERE rowid = ?', (key,))
                return table, key, dict(row.fetchone())
    raise AssertionError("the database is empty")


def _set(
    it: Tiny, kind: str, table: str, key: int, row: dict[str, Any], column: str, new: Any
) -> Tampering | None:
    try:
        with closing(sqlite3.connect(it.database)) as connection, connection:
            connection.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = ?', (new, key))
    except sqlite3.IntegrityError:
        return None
    return Tampering(kind, table=table, values=_told(row) | _told({**row, column: new}))


def _is_hash(value: str) -> bool:
    return len(value) in (32, 64) and set(value) <= set("0123456789abcdef")


def _told(row: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(map(str, row.values())) - {"", "None"}


def _differing(before: Dump, after: Dump) -> frozenset[str]:
    """The values of rows that are only in one of two dumps, as text."""
    values: set[str] = set()
    for name in {*before, *after}:
        one, other = before.get(name, {}), after.get(name, {})
        for row in {*one, *other}:
            if one.get(row) != other.get(row):
                values |= {
                    value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
                    for value in row
                }
    return frozenset(value for value in values if len(value) >= _LEAST_TEXT)
