"""Lines as they were heard, out of their tables."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.speech import Line, Word
from db.chunks import among
from db.tables import LineRow, WordRow


def words_of(session: Session, lines: Sequence[int]) -> dict[int, tuple[Word, ...]]:
    """The words of each of these lines."""
    query = (
        select(
            WordRow.line,
            WordRow.text,
            WordRow.start_sample,
            WordRow.end_sample,
            WordRow.confidence,
        )
        .where(among(session, WordRow.line, lines))
        .order_by(WordRow.line, WordRow.position)
    )
    rows = session.execute(query).tuples()
    return {
        line: tuple(Word(text, start, end, sure) for _, text, start, end, sure in group)
        for line, group in groupby(rows, key=lambda row: row[0])
    }


def line_of(row: LineRow, speaker: str, words: tuple[Word, ...]) -> Line:
    """A line as it was heard. speaker: its name, or empty."""
    return Line(
        speaker=speaker,
        start=row.start_sample,
        end=row.end_sample,
        words=words,
        engine=row.engine,
        draft=row.draft,
        confidence=row.confidence,
        language=row.language,
        heard_in=row.heard_in,
        overlap=row.overlap,
    )
