"""The full-text index over the words of the lines, in whichever database they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from db.search.expression import Expression, Phrase
from db.search.fts5 import Fts5
from db.search.tsvector import TsVector


class FullText(Protocol):
    """What a database's full-text index has to offer."""

    def lines(
        self,
        session: Session,
        expression: Expression,
        excluded: Sequence[Phrase],
        limit: int,
        condition: ColumnElement[bool] | None,
    ) -> list[int]:
        """Row numbers of lines that an expression finds and none of the excluded, newest first.

        condition: on LineRow and Take, if any.
        """


def full_text(session: Session, counts: Mapping[str, int] | None = None) -> FullText:
    """The index of the database that a session works with.

    counts: how many lines hold each of some words, as far as that is known already.
    """
    return TsVector(counts or {}) if session.get_bind().dialect.name == "postgresql" else Fts5()
