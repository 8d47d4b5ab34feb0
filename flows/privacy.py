"""What a run may keep of a take, and how a person forbids it for a production."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy.orm import Session

from core.forgetting import remaining_lines, remaining_turns
from core.media import MediaFile
from core.privacy import Mark, Privacy
from core.speech import Line, Turn
from core.words import near, some
from db.forget import is_forgotten, tombstones
from db.privacy import lift_mark, privacy_of, same_project, set_mark
from db.provenance import record
from db.take_list import known_names
from flows.workspace import Workspace, activity
from models.speech.engines import EngineChoice
from models.speech.rate import rescale

_SILENCED = "Not transcribed: marked no transcription."


@dataclass(frozen=True)
class Marking:
    """What a person asked for a production: marks to set and marks to lift."""

    project: str
    set: tuple[Mark, ...]
    lifted: tuple[Mark, ...]


def privacy_in(work: Workspace, media: MediaFile) -> Privacy:
    """What is forbidden for a file: by the settings, or by the marks of its production.

    Its production is the one that the settings name as well as the one its recorder wrote down:
    either may forbid. In a take that was forgotten nothing is learned at all.
    """
    settings = work.settings
    own = Privacy(settings.no_transcription, settings.no_voice_profile)
    names = {name for name in (settings.project, media.notes.project) if name.strip()}
    with work.database.read() as session:
        if is_forgotten(session, media.essence):
            return Privacy(no_transcription=True, no_voice_profile=True)
        return own | privacy_of(session, names)


def without_forgotten(work: Workspace, media: MediaFile, lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines of a file that may be kept: see `core.forgetting.remaining_lines`."""
    with work.database.read() as session:
        stones = tombstones(session, media.essence)
    return remaining_lines(lines, stones) if stones else tuple(lines)


def turns_without_forgotten(
    work: Workspace, media: MediaFile, turns: Sequence[Turn], sample_rate: int
) -> tuple[Turn, ...]:
    """The same for turns, which count samples at `sample_rate` Hz."""
    with work.database.read() as session:
        stones = tombstones(session, media.essence)
    if not stones:
        return tuple(turns)

    def moved(at: int) -> int:
        return rescale(at, media.sample_rate, sample_rate)

    return remaining_turns(
        turns,
        [
            replace(stone, alone=tuple((moved(start), moved(end)) for start, end in stone.alone))
            for stone in stones
        ],
    )


def allowed(work: Workspace, media: MediaFile, choice: EngineChoice) -> EngineChoice:
    """The recogniser for a file: the chosen one, or none where no word may be written down."""
    if choice.kind == "none" or not privacy_in(work, media).no_transcription:
        return choice
    return EngineChoice("none", "", None, False, _SILENCED)


def privacy_notes(work: Workspace, files: Iterable[MediaFile]) -> tuple[str, ...]:
    """What was not done for the sake of privacy, a sentence for each kind and production."""
    told: dict[str, None] = {}
    for media in files:
        of = work.settings.project or media.notes.project
        named = f"of {of} " if of else ""
        with work.database.read() as session:
            if is_forgotten(session, media.essence):
                told[f"{media.path.name} was forgotten, so nothing in it is listened to."] = None
                continue
        found = privacy_in(work, media)
        if found.no_transcription:
            told[f"The takes {named}were not transcribed: it is forbidden for this production."] = (
                None
            )
        if found.no_voice_profile:
            told[
                f"Nobody in the takes {named}was told by the voice: it is forbidden for this "
                "production; speakers come from named microphones only."
            ] = None
    return tuple(told)


def _not_known_yet(session: Session, project: str, ours: str) -> tuple[str, ...]:
    """That nothing of a production is known, where that is so: its name may be misspelt.

    ours: the production that the settings name.
    """
    known = {ours, *known_names(session).productions}
    if any(same_project(name) == same_project(project) for name in known):
        return ()
    close = near(project, known)
    hint = f" (known: {some(close)})" if close else ""
    return (f"Nothing of a production of that name is known yet{hint}; the mark waits for it.",)


def mark_production(work: Workspace, marking: Marking, by: str) -> tuple[str, ...]:
    """Set and lift marks of a production, and record who did; a sentence for each change.

    A production may be marked before anything of it is known; a sentence says so then.
    """
    started = datetime.now(UTC)
    told = []
    with work.database.write() as session:
        for mark in marking.set:
            if set_mark(session, marking.project, mark, by):
                told.append(f"{marking.project} is marked {mark} from now on.")
        for mark in marking.lifted:
            if lift_mark(session, marking.project, mark):
                told.append(
                    f"{marking.project} is no longer marked {mark}; the next run makes up for it."
                )
        if told:
            parameters = {
                "project": marking.project,
                "set": [mark.value for mark in marking.set],
                "lifted": [mark.value for mark in marking.lifted],
            }
            done = activity("privacy", uuid4().hex, started, parameters)
            record(session, replace(done, agent=by), used=[], generated=[])
        if told and marking.set:
            told.extend(_not_known_yet(session, marking.project, work.settings.project))
    return tuple(told)
