"""A seal on every table, so that a value which another hand changed is noticed.

The seal of a table is the sum of its rows' digests. Every transaction of ours is told what its
statements did to rows (`db.sums`); whoever else writes to the database leaves the seals as they
were. There is no secret in them: they tell of accidents, and of hands that do not know them.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from db.tables import Table

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


def added(total: int, more: int) -> int:
    """A sum with more to it."""
    return (total + more) % _ALL


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


def sealed_columns(name: str, prefix: str = "") -> str:
    """A table's columns as SQL lists them. prefix: stands before each."""
    return ", ".join(f'{prefix}"{column.name}"' for column in Table.metadata.tables[name].c)
