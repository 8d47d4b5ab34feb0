"""Which lines hold a token, which words hold a run of letters: lists of row numbers, packed.

The same table in every database. A list is cut into blocks of `BLOCK` row numbers, each packed as
two bytes a row, so that a hundred thousand rows are read in a millisecond. Databases' own indexes
give such lists row by row, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import IntEnum
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from db.chunks import among, chunks
from db.search.tables import Posting

BLOCK = 8192

Ids = NDArray[np.int64]

_Change = Callable[[Ids, Ids], Ids]

# To the driver itself: a take has two thousand tokens, and SQLAlchemy takes longer over each than
# the database does.
_APPEND = {
    "sqlite": "INSERT INTO postings (kind, token, block, rows) VALUES (?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET rows = CAST(rows || excluded.rows AS BLOB)",
    "postgresql": "INSERT INTO postings (kind, token, block, rows)"
    " SELECT * FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::bytea[])"
    " ON CONFLICT (kind, token, block) DO UPDATE SET rows = postings.rows || excluded.rows",
}


class Index(IntEnum):
    """What is listed: lines by word, stem or run of sounds; words of the vocabulary by letters."""

    WORDS = 1
    STEMS = 2
    SOUNDS = 3
    LETTERS = 4


def holding(session: Session, index: Index, tokens: Iterable[str]) -> dict[str, Ids]:
    """The rows that hold each of some tokens, in order; without tokens that none holds."""
    blocks: list[tuple[str, int, bytes]] = []
    for some in chunks(sorted(set(tokens))):
        query = (
            select(Posting.token, Posting.block, Posting.rows)
            .where(Posting.kind == int(index), among(session, Posting.token, some))
            .order_by(Posting.token, Posting.block)
        )
        blocks += session.execute(query).tuples()
    if not blocks:
        return {}
    # All at once: a common token has a hundred blocks in a million lines.
    held, numbers, packed = zip(*blocks, strict=True)
    sizes = np.array([len(rows) // 2 for rows in packed])
    rows = _unpacked(b"".join(packed)) + np.repeat(np.array(numbers) * BLOCK, sizes)
    ends = dict(zip(held, np.cumsum(sizes).tolist(), strict=True))
    starts = dict(zip(ends, (0, *ends.values()), strict=False))
    return {token: rows[starts[token] : end] for token, end in ends.items()}


def append(session: Session, index: Index, rows: Mapping[str, Sequence[int]]) -> None:
    """Adds rows, in order, to the lists of tokens, all of which end before them."""
    values = [
        (int(index), token, block, _packed([number - block * BLOCK for number in numbers]))
        for token, all_numbers in sorted(rows.items())
        for block, numbers in groupby(all_numbers, key=lambda number: number // BLOCK)
    ]
    if not values:
        return
    name = session.get_bind().dialect.name
    if name == "postgresql":
        columns = tuple(map(list, zip(*values, strict=True)))
        session.connection().exec_driver_sql(_APPEND[name], columns)
    else:
        session.connection().exec_driver_sql(_APPEND[name], values)


def add(session: Session, index: Index, rows: Mapping[str, Sequence[int]]) -> None:
    """Adds rows to the lists of tokens."""
    _change(session, index, rows, np.union1d)


def remove(session: Session, index: Index, rows: Mapping[str, Sequence[int]]) -> None:
    """Takes rows out of the lists of tokens."""
    _change(session, index, rows, np.setdiff1d)


def by_token(rows: Iterable[tuple[int, Collection[str]]]) -> dict[str, list[int]]:
    """The rows of each token, from rows with their tokens, each once."""
    found: dict[str, list[int]] = {}
    for number, tokens in rows:
        for token in tokens:
            found.setdefault(token, []).append(number)
    return found


def _change(
    session: Session, index: Index, rows: Mapping[str, Sequence[int]], how: _Change
) -> None:
    blocks: dict[int, dict[str, list[int]]] = {}
    for token, numbers in rows.items():
        for number in numbers:
            block, place = divmod(number, BLOCK)
            blocks.setdefault(block, {}).setdefault(token, []).append(place)
    for block, changed in blocks.items():
        _change_block(session, index, block, changed, how)


def _change_block(
    session: Session, index: Index, block: int, changed: Mapping[str, list[int]], how: _Change
) -> None:
    of_block = (Posting.kind == int(index), Posting.block == block)
    known: dict[str, bytes] = {}
    for some in chunks(sorted(changed)):
        query = select(Posting.token, Posting.rows).where(*of_block, Posting.token.in_(some))
        known |= session.execute(query).tuples().all()
    new, other, gone = [], [], []
    for token, places in changed.items():
        before = _unpacked(known.get(token, b""))
        packed = _packed(how(before, np.array(places, dtype=np.int64)))
        if not packed:
            gone.append(token)
        elif token in known:
            other.append({"of": token, "packed": packed})
        else:
            new.append({"kind": int(index), "token": token, "block": block, "rows": packed})
    if new:
        session.execute(insert(Posting), new)
    if other:
        table = Posting.__table__
        # On the connection: the session would load a row for each.
        session.connection().execute(
            update(Posting)
            .where(*of_block, table.c.token == bindparam("of"))
            .values(rows=bindparam("packed")),
            other,
        )
    for some in chunks(gone):
        session.execute(delete(Posting).where(*of_block, Posting.token.in_(some)))


def _packed(places: Sequence[int] | Ids) -> bytes:
    return np.array(places, dtype="<u2").tobytes()


def _unpacked(packed: bytes) -> Ids:
    return np.frombuffer(packed, dtype="<u2").astype(np.int64)
