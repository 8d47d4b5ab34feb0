"""What is looked for of somebody who is forgotten, and what is no trace of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from db.contents import rows_of, table_names
from db.tables import (
    LineRow,
    Speaker,
    Table,
    VoiceRow,
    WordRow,
)

_HEARD = (
    "line",
    "words",
    "vocabulary",
    "postings",
    "posting",
    "script_marks",
    "voices",
    "sound_events",
)
"""How the names of the tables begin that hold what was heard, and its indexes."""


def prints_of(
    session: Session, speakers: Collection[int], essences: Collection[str]
) -> tuple[tuple[float, ...], ...]:
    """The voiceprints of speakers, and those in takes."""
    concerned = VoiceRow.speaker.in_(list(speakers)) | VoiceRow.essence.in_(list(essences))
    rows = session.scalars(select(VoiceRow.print).where(concerned))
    return tuple(tuple(print_) for print_ in rows)


def said_by_others(
    session: Session, speakers: Collection[int], essences: Collection[str]
) -> tuple[str, ...]:
    """What everybody else is known to say, and nobody in these takes."""
    others = LineRow.speaker.is_(None) | LineRow.speaker.not_in(list(speakers))
    return tuple(
        session.scalars(select(LineRow.text).where(others, LineRow.essence.not_in(list(essences))))
    )


def words_elsewhere(session: Session) -> frozenset[str]:
    """Words, in small letters, of what is written for other reasons than that it was heard.

    That is names, notes, work, settings: one of them is no trace of somebody who said it as well.
    """
    found: set[str] = set()
    for table in table_names(session):
        if not table.startswith(_HEARD):
            for row in rows_of(session, table):
                found.update(re.findall(r"\w+", row.decode("utf-8", "ignore").casefold()))
    return frozenset(found)


def rows_left(session: Session, speakers: Collection[int]) -> Iterator[tuple[str, str, int]]:
    """Rows that are some speakers' by number, and words of no line: table, what, how many."""
    numbers = list(speakers)
    orphaned = ~select(LineRow.id).where(LineRow.id == WordRow.line).exists()
    checks: tuple[tuple[type[Table], str, ColumnElement[bool]], ...] = (
        (LineRow, "line", LineRow.speaker.in_(numbers)),
        (VoiceRow, "voice", VoiceRow.speaker.in_(numbers)),
        (Speaker, "speaker", Speaker.id.in_(numbers)),
        (WordRow, "word of no line", orphaned),
    )
    for table, what, condition in checks:
        count = session.scalar(select(func.count()).select_from(table).where(condition)) or 0
        if count:
            yield table.__tablename__, what, count
