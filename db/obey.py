"""What speakers forbid is taken out of what was remembered of them already."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.privacy import Mark
from db.chunks import chunks
from db.corrections import corrections_about, forget_corrections
from db.events import forget_events
from db.privacy import Covered, covered, take_projects
from db.search.index import add_lines, remove_lines
from db.tables import LineRow, Speaker, VoiceRow, WordRow


def obey(session: Session) -> int:
    """Takes words and voiceprints away from those who forbid them; of how many rows."""
    silent = covered(session, Mark.NO_TRANSCRIPTION)
    unmeasured = covered(session, Mark.NO_VOICE_PROFILE)
    return silence(session, lines_covered(session, silent)) + strip_prints(session, unmeasured)


def lines_covered(session: Session, of: Covered) -> list[int]:
    """The lines of the people that a mark is about, by their row numbers."""
    if not of.people:
        return []
    query = select(LineRow.id, LineRow.essence, LineRow.speaker, Speaker.project).join(
        Speaker, Speaker.id == LineRow.speaker
    )
    spoken = query.where(LineRow.speaker.in_(of.people))
    rows = session.execute(spoken).tuples().all()
    projects = take_projects(session, {essence for _, essence, _, _ in rows})
    return [
        line
        for line, essence, speaker, project in rows
        if of.covers({project, *projects[essence]}, speaker)
    ]


def silence(session: Session, lines: Iterable[int]) -> int:
    """Takes the words of lines away, and what people wrote of them; that they were spoken stays.

    Gives how many had words.
    """
    every = list(lines)
    if not every:
        return 0
    forget_corrections(session, corrections_about(session, every))
    numbers: list[int] = []
    for some in chunks(every):
        wordy = select(LineRow.id).where(LineRow.id.in_(some), LineRow.text != "")
        numbers += session.scalars(wordy).all()
    if not numbers:
        return 0
    remove_lines(session, numbers)
    for some in chunks(numbers):
        session.execute(delete(WordRow).where(WordRow.line.in_(some)))
        rows = session.scalars(select(LineRow).where(LineRow.id.in_(some))).all()
        for row in rows:
            row.text, row.confidence = "", 0.0
        session.flush()
        for essence in {row.essence for row in rows}:
            forget_events(session, essence, "lines")
        add_lines(session, rows, None, "")
    return len(numbers)


def strip_prints(session: Session, of: Covered) -> int:
    """Takes the voiceprints away from the people that a mark is about, and keeps whose they were.

    A voice without a print can't be compared, so whose it is stays as it was settled.
    """
    if not of.people:
        return 0
    voices = session.scalars(select(VoiceRow).where(VoiceRow.speaker.in_(of.people)))
    rows = [row for row in voices if row.print]
    takes = take_projects(session, {row.essence for row in rows if row.essence is not None})
    mine = [
        row
        for row in rows
        if of.covers({row.project, *takes.get(row.essence or "", ())}, row.speaker)
    ]
    for row in mine:
        row.print, row.seconds, row.fixed = [], 0.0, True
    session.flush()
    return len(mine)


def spoken_by(session: Session, lines: Iterable[int], speakers: Iterable[int]) -> list[int]:
    """Those of the lines that some speakers speak, by number."""
    numbers = list(speakers)
    found: list[int] = []
    for some in chunks(lines):
        mine = select(LineRow.id).where(LineRow.id.in_(some), LineRow.speaker.in_(numbers))
        found += session.scalars(mine).all()
    return found


def texts_of(session: Session, lines: Iterable[int]) -> tuple[str, ...]:
    """The words of those of the lines that have some."""
    found: list[str] = []
    for some in chunks(lines):
        wordy = select(LineRow.text).where(LineRow.id.in_(some), LineRow.text != "")
        found += session.scalars(wordy).all()
    return tuple(found)
