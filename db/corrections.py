"""What people say that lines say. Nothing is deleted but for privacy: a correction is undone."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.correction import Correction, holders, with_corrections
from core.speech import Line, Word
from db.chunks import chunks
from db.codec import now
from db.lines import line_of, words_of
from db.tables import LineCorrection, LineRow, Speaker


@dataclass(frozen=True)
class KnownCorrection:
    """A correction and what became of it. undone: when, or None while it is in force."""

    correction: Correction
    undone: datetime | None
    undone_by: str


def remember_correction(
    session: Session, essence: str, start: int, end: int, text: str, by: str
) -> int:
    """Remembers what samples start … end of a take say; its number."""
    row = LineCorrection(
        essence=essence, start_sample=start, end_sample=end, text=text, by=by, created=now()
    )
    session.add(row)
    session.flush()
    return row.id


def undo_last_correction(session: Session, line: int, by: str) -> Correction | None:
    """Takes back the latest correction of a line, by its row number; None where there is none.

    One that it went over is in force again.
    """
    row = session.get(LineRow, line)
    if row is None:
        return None
    known = heard_lines(session, [row.essence])[row.essence]
    numbers = list(known)
    for correction in reversed(corrections_in_force(session, [row.essence])):
        if line in {numbers[place] for place in holders(correction, list(known.values()))}:
            session.execute(
                update(LineCorrection)
                .where(LineCorrection.id == correction.number)
                .values(undone=now(), undone_by=by)
            )
            return correction
    return None


def corrections_in_force(session: Session, essences: Iterable[str]) -> list[Correction]:
    """The corrections in force for takes, the oldest first."""
    return [item.correction for item in corrections_of(session, essences) if item.undone is None]


def corrections_of(
    session: Session, essences: Iterable[str] | None = None
) -> tuple[KnownCorrection, ...]:
    """All corrections of takes (None: of all), also those undone, the oldest first."""
    query = select(LineCorrection).order_by(LineCorrection.id)
    if essences is None:
        rows = list(session.scalars(query))
    else:
        rows = [
            row
            for some in chunks(sorted(set(essences)))
            for row in session.scalars(query.where(LineCorrection.essence.in_(some)))
        ]
    return tuple(
        KnownCorrection(
            Correction(
                number=row.id,
                essence=row.essence,
                start=row.start_sample,
                end=row.end_sample,
                text=row.text,
                by=row.by,
                at=row.created.isoformat(timespec="seconds"),
            ),
            row.undone,
            row.undone_by,
        )
        for row in sorted(rows, key=lambda row: row.id)
    )


def corrected_lines(session: Session, essences: Iterable[str]) -> dict[int, Line]:
    """The lines of takes that a correction in force is about, by row number, corrected."""
    by_take: dict[str, list[Correction]] = {}
    for correction in corrections_in_force(session, essences):
        by_take.setdefault(correction.essence, []).append(correction)
    found: dict[int, Line] = {}
    for essence, known in heard_lines(session, by_take).items():
        made = with_corrections(list(known.values()), by_take[essence])
        found |= {
            number: line for number, line in zip(known, made, strict=True) if line.heard is not None
        }
    return found


def corrected_whole(session: Session) -> frozenset[int]:
    """The lines, by row number, of which every word is a person's: sure, and no draft."""
    with_any = select(LineCorrection.essence).where(LineCorrection.undone.is_(None)).distinct()
    lines = corrected_lines(session, session.scalars(with_any))
    return frozenset(
        number for number, line in lines.items() if line.confidence == 1 and not line.draft
    )


def heard_lines(session: Session, essences: Iterable[str]) -> dict[str, dict[int, Line]]:
    """The lines of each take as they were heard, by row number, in order of their start."""
    found: dict[str, dict[int, Line]] = {essence: {} for essence in sorted(set(essences))}
    for essence, lines in found.items():
        rows = session.execute(
            select(LineRow, Speaker.name)
            .outerjoin(Speaker, Speaker.id == LineRow.speaker)
            .where(LineRow.essence == essence)
            .order_by(LineRow.start_sample, LineRow.id)
        ).all()
        words: dict[int, tuple[Word, ...]] = {}
        for some in chunks(row.id for row, _ in rows):
            words |= words_of(session, some)
        lines |= {row.id: line_of(row, name or "", words.get(row.id, ())) for row, name in rows}
    return found


def corrections_about(session: Session, lines: Collection[int]) -> dict[int, str]:
    """The corrections, also undone ones, that are about some lines: numbers and texts.

    lines: row numbers. One that is about no line any more counts where it overlaps one of them.
    """
    essences = set()
    for some in chunks(lines):
        essences |= set(session.scalars(select(LineRow.essence).where(LineRow.id.in_(some))))
    heard = heard_lines(session, essences)
    found = {}
    for item in corrections_of(session, essences):
        correction = item.correction
        known = heard[correction.essence]
        numbers = list(known)
        meant = {numbers[place] for place in holders(correction, list(known.values()))}
        touched = {
            number
            for number, line in known.items()
            if line.start < correction.end and line.end > correction.start
        }
        if not (meant or touched).isdisjoint(lines):
            found[correction.number] = correction.text
    return found


def forget_corrections(
    session: Session, numbers: Collection[int] = (), essences: Collection[str] = ()
) -> None:
    """Deletes corrections by their numbers, and all those of takes. For privacy only."""
    for some in chunks(numbers):
        session.execute(delete(LineCorrection).where(LineCorrection.id.in_(some)))
    for takes in chunks(essences):
        session.execute(delete(LineCorrection).where(LineCorrection.essence.in_(takes)))
