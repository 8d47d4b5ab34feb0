"""What a run may keep of a take, and how a person forbids it for a production."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy.orm import Session

from core.forgetting import (
    Stretches,
    Tombstone,
    remaining_lines,
    remaining_turns,
    silent_lines,
    without,
)
from core.media import MediaFile
from core.privacy import Consent, Mark, PeopleInTake, Privacy
from core.speech import Line, Turn
from core.words import near, some
from db.codec import JSON
from db.forget import is_forgotten, tombstones
from db.obey import strip_prints
from db.privacy import consents, covered, decide, people_in_take, privacy_of, same_project
from db.provenance import record
from db.take_list import known_names
from flows.channels import people_named
from flows.workspace import Workspace, activity
from models.speech.engines import EngineChoice
from models.speech.rate import rescale

_SILENCED = "Not transcribed: marked no transcription."


@dataclass(frozen=True)
class Marking:
    """What a person asked for a production, or for a speaker of it: marks to set and to lift.

    speaker: empty for everybody. note: what it rests on, such as a contract.
    """

    project: str
    set: tuple[Mark, ...]
    lifted: tuple[Mark, ...]
    speaker: str = ""
    note: str = ""

    @property
    def whose(self) -> str:
        """Whom it is about, for people."""
        return f"{self.speaker} in {self.project}" if self.speaker else self.project


def projects_of(work: Workspace, media: MediaFile) -> frozenset[str]:
    """The productions whose rules hold for a file: the settings' as well as its recorder's."""
    names = (work.settings.project, media.notes.project)
    return frozenset(name for name in names if name.strip())


def privacy_in(work: Workspace, media: MediaFile) -> Privacy:
    """What is forbidden for a file: by the settings, or by the marks of its production.

    Its production is the one that the settings name as well as the one its recorder wrote down:
    either may forbid. In a take that was forgotten nothing is learned at all.
    """
    with work.database.read() as session:
        if is_forgotten(session, media.essence):
            return own_privacy(work) | Privacy(no_transcription=True, no_voice_profile=True)
        return own_privacy(work) | privacy_of(session, projects_of(work, media))


def consents_known(work: Workspace, *, history: bool = False) -> tuple[Consent, ...]:
    """What productions and speakers allow and forbid. history: also what was in force before."""
    with work.database.read() as session:
        return consents(session, history=history)


def own_privacy(work: Workspace) -> Privacy:
    """What the settings forbid for all productions."""
    settings = work.settings
    return Privacy(settings.no_transcription, settings.no_voice_profile, settings.no_export)


def people_kept(work: Workspace, media: MediaFile, mark: Mark) -> PeopleInTake:
    """Those in a file for whom a mark of their own forbids something.

    Known are those who wear a named microphone in it, and those who were heard in it before.
    """
    with work.database.read() as session:
        projects = projects_of(work, media)
        return people_in_take(session, media.essence, mark, projects, people_named(media))


def marked_in(work: Workspace, media: MediaFile, mark: Mark) -> dict[str, JSON]:
    """A part of a key: for whom something is not done in a file, where that is so."""
    found = people_kept(work, media, mark)
    return {mark.value: list(found.marks)} if found else {}


def turns_of(
    kept: PeopleInTake, turns: Sequence[Turn], media: MediaFile, sample_rate: int
) -> tuple[Turn, ...]:
    """Those of the turns, which count samples at `sample_rate` Hz, that are somebody's of these."""
    stones = [_at_rate(_stone(kept), media, sample_rate)]
    others = set(remaining_turns(turns, stones))
    return tuple(turn for turn in turns if turn not in others)


def alone_of(
    kept: PeopleInTake, turns: Sequence[Turn], media: MediaFile, sample_rate: int
) -> Stretches:
    """Where these people speak and nobody else does, by turns at `sample_rate` Hz."""
    if not kept:
        return ()
    mine = turns_of(kept, turns, media, sample_rate)
    others = [(turn.start, turn.end) for turn in turns if turn not in mine]
    return without([(turn.start, turn.end) for turn in mine], others)


def without_words(
    kept: PeopleInTake, lines: Sequence[Line], alone: Stretches, media: MediaFile, sample_rate: int
) -> tuple[Line, ...]:
    """Lines in samples of the file, without the words of these people: that they spoke stays.

    alone: where nobody else speaks, in samples at `sample_rate` Hz.
    """
    if not kept:
        return tuple(lines)
    spans = tuple(
        (
            rescale(start, sample_rate, media.sample_rate),
            rescale(end, sample_rate, media.sample_rate),
        )
        for start, end in alone
    )
    return silent_lines(lines, [Tombstone(spans, kept.people.are_named), _stone(kept)])


def _stone(kept: PeopleInTake) -> Tombstone:
    return Tombstone(kept.alone, kept.people.are_named)


def _at_rate(stone: Tombstone, media: MediaFile, sample_rate: int) -> Tombstone:
    """The same in samples at another rate than that of the file."""

    def moved(at: int) -> int:
        return rescale(at, media.sample_rate, sample_rate)

    return replace(stone, alone=tuple((moved(start), moved(end)) for start, end in stone.alone))


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
        for mark, what in _NOT_DONE.items():
            people = people_kept(work, media, mark)
            if people:
                told[f"{what} {some(as_written(work, people.marks, mark))}: not allowed."] = None
    return tuple(told)


_NOT_DONE = {
    Mark.NO_TRANSCRIPTION: "No word was written down of",
    Mark.NO_VOICE_PROFILE: "No voice profile was kept of",
    Mark.NO_EXPORT: "No line goes into transcripts of",
}


def as_written(work: Workspace, names: Iterable[str], mark: Mark) -> list[str]:
    """Names of marked people, given as they are compared, as they were written then."""
    with work.database.read() as session:
        known = {
            same_project(item.speaker): item.speaker
            for item in consents(session)
            if item.mark is mark and not item.allowed
        }
    return [known.get(name, name) for name in names]


def _not_known_yet(session: Session, marking: Marking, ours: str) -> tuple[str, ...]:
    """That nothing of a production or speaker is known, where so: the name may be misspelt.

    ours: the production that the settings name.
    """
    names = known_names(session)
    known = {ours, *names.productions}
    what, asked = "a production", marking.project
    if any(same_project(name) == same_project(asked) for name in known):
        if not marking.speaker:
            return ()
        what, asked, known = "a speaker", marking.speaker, {*names.speakers}
        if any(same_project(name) == same_project(asked) for name in known):
            return ()
    close = near(asked, known)
    hint = f" (known: {some(close)})" if close else ""
    return (f"Nothing of {what} of that name is known yet{hint}; the mark waits for it.",)


def mark_production(work: Workspace, marking: Marking, by: str) -> tuple[str, ...]:
    """Set and lift marks of a production or a speaker, and record who did; a sentence for each.

    A production may be marked before anything of it is known; a sentence says so then. A speaker's
    voiceprints go at once.
    """
    started = datetime.now(UTC)
    told = []
    stripped = 0
    with work.database.write() as session:
        before = {
            item.mark
            for item in consents(session, [marking.project])
            if not item.allowed and same_project(item.speaker) == same_project(marking.speaker)
        }
        for mark, allowed in (
            *((mark, False) for mark in marking.set),
            *((mark, True) for mark in marking.lifted),
        ):
            if decide(
                session,
                marking.project,
                mark,
                allowed=allowed,
                by=by,
                speaker=marking.speaker,
                note=marking.note,
            ):
                told.append(_told(marking, mark, allowed, mark in before))
        if told:
            parameters: dict[str, JSON] = {
                "project": marking.project,
                **({"speaker": marking.speaker} if marking.speaker else {}),
                "set": [mark.value for mark in marking.set],
                "lifted": [mark.value for mark in marking.lifted],
            }
            done = activity("privacy", uuid4().hex, started, parameters)
            record(session, replace(done, agent=by), used=[], generated=[])
        if marking.speaker and Mark.NO_VOICE_PROFILE in marking.set:
            stripped = strip_prints(session, covered(session, Mark.NO_VOICE_PROFILE))
        if told and marking.set:
            told.extend(_not_known_yet(session, marking, work.settings.project))
    if stripped:
        work.database.scrub()
        told.append(f"{stripped} kept voiceprint{'s' * (stripped != 1)} removed.")
    return tuple(told)


def _told(marking: Marking, mark: Mark, allowed: bool, was_marked: bool) -> str:
    """What came of a decision."""
    if not allowed:
        return f"{marking.whose} is marked {mark} from now on."
    if was_marked:
        return f"{marking.whose} is no longer marked {mark}; the next run makes up for it."
    return f"{marking.whose}: {mark.subject} is allowed, as noted now."
