"""SQLite's full-text index: the only module that speaks FTS5.

Rows come newest first and unranked: FTS5's rank reads every row that matches, which takes half a
second for a common word among a million lines; how close a line is, is judged by
`db.search.closeness`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, bindparam, column, literal_column, select
from sqlalchemy import table as named_table
from sqlalchemy.orm import Session

from db.search.expression import AllOf, Expression, Phrase
from db.tables import LineRow, Take


class Fts5:
    """The words in SQLite; see `db.search.fulltext`."""

    def lines(
        self,
        session: Session,
        expression: Expression,
        excluded: Sequence[Phrase],
        limit: int,
        condition: ColumnElement[bool] | None,
    ) -> list[int]:
        """Row numbers of lines that an expression finds and none of the excluded, newest first."""
        asked = _written(expression)
        if excluded:
            asked = f"({asked}) NOT ({' OR '.join(map(_written, excluded))})"
        fts = named_table("words_fts", column("rowid"))
        matching = literal_column("words_fts").op("MATCH")(bindparam("expression", asked))
        query = select(fts.c.rowid).where(matching)
        if condition is not None:
            query = (
                query.join(LineRow, LineRow.id == fts.c.rowid)
                .join(Take, Take.essence == LineRow.essence)
                .where(condition)
            )
        return list(session.scalars(query.order_by(fts.c.rowid.desc()).limit(limit)))


def _written(expression: Expression) -> str:
    if isinstance(expression, Phrase):
        words = " ".join(expression.tokens).replace('"', '""')
        return f'"{words}"' + ("*" if expression.goes_on else "")
    word = " AND " if isinstance(expression, AllOf) else " OR "
    return "(" + word.join(map(_written, expression.parts)) + ")"
