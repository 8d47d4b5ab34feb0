"""SQLite's full-text indexes: the only module that speaks FTS5.

Another database needs its own (`tsvector` columns of the same tokens in PostgreSQL). Rows come
newest first and unranked: FTS5's rank reads every row that matches, which takes half a second for
a common word among a million lines; how close a line is, is judged by `db.search.closeness`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, bindparam, column, literal_column, select, text
from sqlalchemy import table as named_table
from sqlalchemy.orm import Session

from db.tables import LineRow, Take

Ids = NDArray[np.int64]


def phrase(tokens: Sequence[str], goes_on: bool = False) -> str:
    """An expression for tokens side by side; goes_on: the last one may be longer."""
    return '"' + " ".join(tokens).replace('"', '""') + '"' + ("*" if goes_on else "")


def all_of(expressions: Sequence[str]) -> str:
    """An expression for what all of them find."""
    return " AND ".join(expressions)


def any_of(expressions: Sequence[str]) -> str:
    """An expression for what one of them finds, to be used among others."""
    return "(" + " OR ".join(expressions) + ")"


def without(expression: str, excluded: Sequence[str]) -> str:
    """An expression for what it finds less what the excluded find."""
    return f"({expression}) NOT {any_of(excluded)}" if excluded else expression


def lines(
    session: Session,
    index: str,
    expression: str,
    limit: int,
    condition: ColumnElement[bool] | None = None,
) -> list[int]:
    """Row numbers of lines that an expression finds, newest first.

    index: `words`, `stems` or `sounds`. condition: on LineRow and Take, if any.
    """
    fts = named_table(f"{index}_fts", column("rowid"))
    matching = literal_column(f"{index}_fts").op("MATCH")(bindparam("expression", expression))
    query = select(fts.c.rowid).where(matching)
    if condition is not None:
        query = (
            query.join(LineRow, LineRow.id == fts.c.rowid)
            .join(Take, Take.essence == LineRow.essence)
            .where(condition)
        )
    return list(session.scalars(query.order_by(fts.c.rowid.desc()).limit(limit)))


def documents(session: Session, index: str, tokens: Sequence[str]) -> dict[str, int]:
    """In how many rows of an index each of some tokens stands; without those in none."""
    asked = text(f"SELECT doc FROM {index}_terms WHERE term = :term")
    counts = {token: session.scalar(asked, {"term": token}) for token in dict.fromkeys(tokens)}
    return {token: count for token, count in counts.items() if count}


def holding(session: Session, index: str, token: str) -> Ids:
    """Row numbers that hold a token, in order."""
    # One text instead of a hundred thousand rows, each of which would become an object.
    asked = text(f"SELECT group_concat(rowid) FROM {index}_fts WHERE {index}_fts MATCH :expression")
    joined = session.scalar(asked, {"expression": phrase([token])})
    return np.fromstring(joined or "", dtype=np.int64, sep=",")
