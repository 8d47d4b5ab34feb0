"""PostgreSQL's full-text index over the same tokens: the only module that speaks tsquery.

No extension is needed: letters and sounds are in `db.search.postings`. The server is told nothing
of languages either, a `tsvector` holds the tokens as they are, each with its place.

A GIN index knows nothing of newest first: for a common word it would fetch and sort a third of a
million lines. Where many lines are to be expected, the newest are looked through first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from db.chunks import among
from db.search.expression import AllOf, AnyOf, Expression, Phrase
from db.search.tables import LineSearch, VocabularyWord
from db.tables import LineRow, Take

# Up to so many lines are fetched by the index at once.
_FEW = 3000
# Of the newest, so many are looked through at the least and at the most.
_WINDOW = 500
_MOST_LOOKED_THROUGH = 30_000


class TsVector:
    """The words in PostgreSQL; see `db.search.fulltext`.

    counts: how many lines hold each of some words, as far as that is known already.
    """

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._counts = counts

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
            asked = f"({asked}) & !({' | '.join(map(_written, excluded))})"
        expected = _expected(session, expression, self._counts)
        if expected > _FEW:
            newest = session.scalar(select(func.max(LineSearch.line))) or 0
            size = max(_WINDOW, 2 * limit * newest // expected)
            if size <= _MOST_LOOKED_THROUGH:
                found = _looked_through(session, asked, limit, condition, newest - size)
                if len(found) == limit:
                    return found
        return _fetched(session, asked, limit, condition)


def _looked_through(
    session: Session,
    asked: str,
    limit: int,
    condition: ColumnElement[bool] | None,
    after: int,
) -> list[int]:
    """Row numbers of the newest lines that a tsquery finds among those after a row number."""
    # OFFSET keeps the planner from asking the index about the words first.
    newest = (
        select(LineSearch.line, literal_column("words_vector").label("vector"))
        .where(LineSearch.line > after)
        .order_by(LineSearch.line.desc())
        .offset(0)
        .subquery()
    )
    query = select(newest.c.line).where(_matches(newest.c.vector, asked))
    if condition is not None:
        query = query.join(LineRow, LineRow.id == newest.c.line)
        query = query.join(Take, Take.essence == LineRow.essence).where(condition)
    return list(session.scalars(query.order_by(newest.c.line.desc()).limit(limit)))


def _fetched(
    session: Session, asked: str, limit: int, condition: ColumnElement[bool] | None
) -> list[int]:
    """Row numbers of the newest lines that a tsquery finds, by the index."""
    found = (
        select(LineSearch.line)
        .where(_matches(literal_column("words_vector"), asked))
        .cte()
        .prefix_with("MATERIALIZED")
    )
    query = select(found.c.line)
    if condition is not None:
        query = query.join(LineRow, LineRow.id == found.c.line)
        query = query.join(Take, Take.essence == LineRow.essence).where(condition)
    return list(session.scalars(query.order_by(found.c.line.desc()).limit(limit)))


def _matches(vector: ColumnElement[str], asked: str) -> ColumnElement[bool]:
    return vector.bool_op("@@")(func.cast(bindparam("asked", asked), TSQUERY))


def _expected(session: Session, expression: Expression, counts: Mapping[str, int]) -> int:
    """How many lines an expression finds at the most, as far as words tell."""
    words = {word for phrase in _phrases(expression) for word in _whole(phrase)} - counts.keys()
    query = select(VocabularyWord.word, VocabularyWord.lines)
    rows = session.execute(query.where(among(session, VocabularyWord.word, words))) if words else ()
    return _most(session, expression, {**counts, **{row.word: row.lines for row in rows}})


def _most(session: Session, expression: Expression, counts: Mapping[str, int]) -> int:
    if isinstance(expression, AllOf):
        return min(_most(session, part, counts) for part in expression.parts)
    if isinstance(expression, AnyOf):
        return sum(_most(session, part, counts) for part in expression.parts)
    whole = _whole(expression)
    if whole:
        return min(counts.get(word, 0) for word in whole)
    beginning = expression.tokens[0]
    begins = VocabularyWord.word.between(beginning, beginning + "\U0010ffff")
    return session.scalar(select(func.sum(VocabularyWord.lines)).where(begins)) or 0


def _phrases(expression: Expression) -> list[Phrase]:
    if isinstance(expression, Phrase):
        return [expression]
    return [phrase for part in expression.parts for phrase in _phrases(part)]


def _whole(phrase: Phrase) -> tuple[str, ...]:
    return phrase.tokens[:-1] if phrase.goes_on else phrase.tokens


def _written(expression: Expression) -> str:
    if isinstance(expression, Phrase):
        words = [_quoted(token) for token in expression.tokens]
        return "(" + " <-> ".join(words) + (":*)" if expression.goes_on else ")")
    sign = " & " if isinstance(expression, AllOf) else " | "
    return "(" + sign.join(map(_written, expression.parts)) + ")"


def _quoted(token: str) -> str:
    return "'" + token.replace("\\", "\\\\").replace("'", "''") + "'"
