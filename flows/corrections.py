"""A person corrects what a line says: kept beside what was heard, with who and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy.orm import Session

from core.correction import Correction
from core.errors import InputError, UsageError
from core.privacy import Mark
from core.time import frames_to_samples, timecode_to_frames
from core.words import some
from db.catalogue import TakeLine, line_numbered
from db.codec import JSON, cleaned
from db.corrections import corrections_of, remember_correction, undo_last_correction
from db.privacy import people_marked, privacy_of
from db.provenance import Use, record
from db.scripts import TakeFacts, take_facts
from db.search.index import index_again
from flows.known import lines_of_take, takes_named
from flows.search import sound_of, sounds_by
from flows.takeline import timecode
from flows.workspace import Workspace, activity

MOST_LETTERS = 2000


@dataclass(frozen=True)
class PlacedCorrection:
    """A correction in its take. undone_at: when it was undone (ISO 8601, UTC), or empty."""

    take: TakeFacts
    correction: Correction
    undone_at: str
    undone_by: str


def correct_line(work: Workspace, line: int, text: str, by: str) -> TakeLine:
    """Give a line other words; the line as it is now.

    line: its number in the catalogue (`TakeLine.number`). text: what it says; control characters
    go, spaces become single. by: who says so. Raises InputError where there is no such line any
    more, UsageError for a text without a word or beyond MOST_LETTERS, for one that the line has
    already, and where no word of the production may be written down.
    """
    started = datetime.now(UTC)
    words = cleaned(text)
    if not any(letter.isalnum() for letter in words):
        raise UsageError("Say the words of the line; a correction can't be empty.")
    if len(words) > MOST_LETTERS:
        raise UsageError(f"A line has at most {MOST_LETTERS} characters; this has {len(words)}.")
    with work.database.write() as session:
        found = _line(session, line)
        if words == found.line.text:
            raise UsageError(f"The line in {found.name} says that already.")
        (take,) = take_facts(session, [found.essence])
        names = {name for name in (work.settings.project, take.project) if name.strip()}
        forbidden = privacy_of(session, names).no_transcription
        if found.speaker in people_marked(session, Mark.NO_TRANSCRIPTION, names).numbers:
            raise UsageError(
                f"No word of {found.line.speaker} may be written down (no transcription), so "
                "nothing is corrected; roomtone privacy shows the marks."
            )
        if forbidden or work.settings.no_transcription:
            raise UsageError(
                "No word of this production may be written down (no transcription), so nothing "
                "is corrected; roomtone privacy shows the marks."
            )
        start, end = found.line.start, found.line.end
        number = remember_correction(session, found.essence, start, end, words, by)
        _finish(session, take, started, by, {"correction": number, "start": start, "end": end})
        return _line(session, line)


def undo_correction(work: Workspace, line: int, by: str) -> TakeLine:
    """Take back the latest correction of a line; the line as it is now.

    One that it went over holds again, else the words as heard. Raises InputError where there is
    no such line, or nobody corrected it.
    """
    started = datetime.now(UTC)
    with work.database.write() as session:
        found = _line(session, line)
        undone = undo_last_correction(session, line, by)
        if undone is None:
            raise InputError(f"Nobody corrected this line in {found.name}.")
        (take,) = take_facts(session, [found.essence])
        parameters: dict[str, JSON] = {"undone": undone.number}
        parameters |= {"start": undone.start, "end": undone.end}
        _finish(session, take, started, by, parameters)
        return _line(session, line)


def list_corrections(work: Workspace, take: str | None = None) -> tuple[PlacedCorrection, ...]:
    """All corrections of a take, or of all takes, also undone ones, the oldest first.

    Raises InputError for a take that is not known.
    """
    with work.database.read() as session:
        essences = None if take is None else takes_named(session, take)
        known = corrections_of(session, essences)
        takes = take_facts(session, {item.correction.essence for item in known})
    by_essence = {item.essence: item for item in takes}
    return tuple(
        PlacedCorrection(
            by_essence[item.correction.essence],
            item.correction,
            "" if item.undone is None else item.undone.isoformat(timespec="seconds"),
            item.undone_by,
        )
        for item in known
    )


def line_at(work: Workspace, take: str, at: str | int) -> TakeLine:
    """The line of a take that a person means.

    at: its number in the take, counted from 1, or source timecode (minutes and seconds where the
    take has none) at which it is spoken. Raises InputError for a take without lines and where no
    line is there, UsageError where several are spoken at once.
    """
    with work.database.read() as session:
        found = lines_of_take(session, take)
    if isinstance(at, int):
        if not 1 <= at <= len(found):
            raise InputError(f"Take {take} has lines 1 to {len(found)}; {at} is none of them.")
        return found[at - 1]
    begun = [item for item in found if timecode(item, item.line.start) == at.strip()]
    meant = begun or [item for item in found if _is_at(item, at)]
    if not meant:
        raise InputError(
            f"No line of take {take} is spoken at {at}; roomtone lines {take} lists them."
        )
    if len(meant) > 1:
        numbers = [str(number) for number, item in enumerate(found, 1) if item in meant]
        raise UsageError(
            f"{len(meant)} lines of take {take} are spoken at {at}; say which with --line: "
            f"{some(numbers, 9)}."
        )
    return meant[0]


def _is_at(item: TakeLine, at: str) -> bool:
    """Whether a line is spoken in the frame of a timecode."""
    rate = item.timecode_rate
    if rate is None or item.time_reference is None:
        return False
    frame = timecode_to_frames(at, rate)
    first, last = (
        frames_to_samples(k, rate.fps, item.sample_rate) - item.time_reference
        for k in (frame, frame + 1)
    )
    return first < item.line.end and last > item.line.start


def _line(session: Session, number: int) -> TakeLine:
    found = line_numbered(session, number)
    if found is None:
        raise InputError(
            "That line is not known any more, its take was heard anew; look for it again."
        )
    return found


def _finish(
    session: Session, take: TakeFacts, started: datetime, by: str, parameters: dict[str, JSON]
) -> None:
    """Index the take's lines anew and record who changed what; the words are not repeated there."""
    index_again(session, take.essence, sound_of, sounds_by())
    told = {"take": take.name, **parameters}
    used: Sequence[Use] = [Use(take.sha256, "original")] if take.sha256 else []
    done = activity("correct", uuid4().hex, started, told)
    record(session, replace(done, agent=by), used=used, generated=[])
