"""What a person says about speakers: who is who, who is one, who is not. All can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy.orm import Session

from adapters.media.decode import Sound, sound_file
from adapters.media.probe import probe
from core.errors import InputError, UsageError
from core.privacy import Mark, Privacy
from core.speakers import SpeakerDecision, Stretch
from core.speech import Turn
from core.time import clock
from core.words import counted
from db.codec import JSON, cleaned
from db.privacy import people_marked, privacy_of, same_project
from db.provenance import record
from db.speakers import (
    Spoken,
    decisions_of,
    new_speaker,
    projects_with_speakers,
    remember_decision,
    speaker_names,
    speaker_numbered,
    speaker_row,
    spoken_by,
    undo_last,
)
from db.voices import HeardVoice, enrol_voice, voices_of_project
from flows.channels import listening_channel
from flows.hearing import at_16k
from flows.known import lines_of_take
from flows.settle import settle
from flows.turnover import hash_media
from flows.who_speaks import voice_encoder
from flows.workspace import Workspace, activity
from models.speech.activity import ActivityOptions, speech_spans
from models.speech.rate import SPEECH_RATE
from models.speech.speakers import installed_weights, voices_of

MOST_LETTERS = 200
_LEAST_ENROLLED_S = 2.0


@dataclass(frozen=True)
class SpeakerSummary:
    """A speaker of a production.

    number: names them whatever they are called. takes: names. seconds: of the lines. known: how,
    in words.
    """

    number: int
    name: str
    takes: tuple[str, ...]
    lines: int
    seconds: float
    known: str


def chosen_project(work: Workspace, asked: str | None) -> str:
    """The production that is meant: as asked, as set, or the only one that has speakers.

    Raises UsageError where several have.
    """
    if asked is not None or work.settings.project:
        return asked if asked is not None else work.settings.project
    with work.database.read() as session:
        known = projects_with_speakers(session)
    if len(known) > 1:
        named = ", ".join(name or '""' for name in known)
        raise UsageError(f"Several productions have speakers: name one with --project ({named}).")
    return known[0] if known else ""


def list_speakers(work: Workspace, project: str) -> tuple[SpeakerSummary, ...]:
    """The speakers of a production that have lines or an enrolled voice, the longest first."""
    with work.database.read() as session:
        names, _ = speaker_names(session, project)
        decisions = decisions_of(session, project)
        sources: dict[int, set[str]] = {number: set() for number in names}
        for voice in voices_of_project(session, project):
            if voice.speaker in sources:
                sources[voice.speaker].add(voice.heard.source)
        spoken = spoken_by(session, project)
    said = {decision.speaker for decision in decisions if decision.kind in ("name", "merge")}
    listed = []
    for number, name in names.items():
        of = spoken.get(number, Spoken((), 0, 0.0))
        if not of.lines and "enrolled" not in sources[number]:
            continue
        how = [
            text
            for text, holds in (
                ("microphone", "microphone" in sources[number]),
                ("enrolled", "enrolled" in sources[number]),
                ("said by a person", number in said),
                ("voice", "voice" in sources[number]),
            )
            if holds
        ]
        known = ", ".join(how) or "lines"
        listed.append(SpeakerSummary(number, name, of.takes, of.lines, of.seconds, known))
    return tuple(sorted(listed, key=lambda item: (-item.seconds, item.name)))


def name_speaker(work: Workspace, project: str, speaker: str, name: str, by: str) -> str:
    """Give a speaker a name, in every line, now and later. Gives a sentence.

    Raises InputError for a speaker that is not known, UsageError for a name that another bears.
    """
    with work.database.write() as session:
        return _name(session, project, _number(session, project, speaker), speaker, name, by)


def rename_speaker(work: Workspace, number: int, name: str, by: str) -> str:
    """The same, for a speaker by number. Raises InputError where there is none of that number."""
    with work.database.write() as session:
        project, speaker = _numbered(session, number)
        return _name(session, project, number, speaker, name, by)


def _name(session: Session, project: str, number: int, speaker: str, name: str, by: str) -> str:
    name = cleaned(name)
    if not name:
        raise UsageError("A speaker's name can't be empty.")
    if len(name) > MOST_LETTERS:
        raise UsageError(f"A speaker's name has {MOST_LETTERS} characters at the most.")
    names, _ = speaker_names(session, project)
    if any(other != number and known == name for other, known in names.items()):
        raise UsageError(
            f"{name} is another speaker; if the two are one, say so: "
            f"roomtone speakers merge {_quoted(name)} {_quoted(speaker)}"
        )
    lines = spoken_by(session, project).get(number, Spoken((), 0, 0.0)).lines
    return _decide(
        session,
        project,
        SpeakerDecision(0, "name", number, name=name, by=by),
        f"{speaker} is {name} from now on, in {counted(lines, 'line')}",
    )


def merge_speakers(work: Workspace, project: str, kept: str, other: str, by: str) -> str:
    """Say that two speakers are one, who keeps the first name. Gives a sentence.

    Raises InputError for a speaker that is not known, UsageError for one and the same.
    """
    with work.database.write() as session:
        first, second = _number(session, project, kept), _number(session, project, other)
        return _merge(session, project, (first, kept), (second, other), by)


def join_speakers(work: Workspace, kept: int, other: int, by: str) -> str:
    """The same, for speakers by number. Raises UsageError for those of two productions."""
    with work.database.write() as session:
        project, name = _numbered(session, kept)
        elsewhere, other_name = _numbered(session, other)
        if project != elsewhere:
            raise UsageError(f"{name} and {other_name} are of different productions.")
        return _merge(session, project, (kept, name), (other, other_name), by)


def _merge(
    session: Session, project: str, kept: tuple[int, str], other: tuple[int, str], by: str
) -> str:
    if kept[0] == other[0]:
        raise UsageError(f"{kept[1]} and {other[1]} are one speaker already.")
    return _decide(
        session,
        project,
        SpeakerDecision(0, "merge", kept[0], other=other[0], by=by),
        f"{other[1]} is {kept[1]} from now on",
    )


def split_speaker(
    work: Workspace,
    project: str,
    speaker: str,
    take: str | None,
    lines: Sequence[int],
    name: str,
    by: str,
) -> str:
    """Say that in a take, or in some of its lines, it is somebody else. Gives a sentence.

    lines: numbers of lines in the take, counted from 1 over all that `lines_of` lists; none: all
    of the speaker's. name: of who it is, known or new; empty: a new `SPEAKER n`. Raises
    InputError where the speaker has no such line there.
    """
    if take is None:
        raise UsageError("Say in which take: --take 12A-T03, and --line for single lines of it.")
    with work.database.write() as session:
        number = _number(session, project, speaker)
        found = lines_of_take(session, take)
        numbered = [
            item
            for at, item in enumerate(found, 1)
            if item.line.speaker == speaker and (not lines or at in lines)
        ]
        if not numbered or (lines and len(numbered) != len(set(lines))):
            which = "these lines of" if lines else "in"
            raise InputError(
                f"{speaker} does not speak {which} take {take}; "
                f"roomtone speakers lines {_quoted(take)} numbers its lines."
            )
        to = (
            speaker_row(session, project, name)
            if name
            else new_speaker(session, project, spoken_by(session, project))
        )
        if to is None or to == number:
            raise UsageError(f"{name} is who speaks there already.")
        stretches = tuple(
            Stretch(item.essence, item.line.start, item.line.end) for item in numbered
        )
        names, _ = speaker_names(session, project)
        count = counted(len(numbered), "line")
        are = "is" if len(numbered) == 1 else "are"
        return _decide(
            session,
            project,
            SpeakerDecision(0, "split", to, other=number, stretches=stretches, by=by),
            f"{count} of {speaker} in {take} {are} {names[to]}'s from now on",
        )


def enrol_speaker(
    work: Workspace,
    project: str,
    name: str,
    file: Path,
    start: float | None,
    end: float | None,
    by: str,
) -> str:
    """Learn a speaker's voice from a sound file, or from seconds of it. Gives a sentence.

    Where no production is meant, it is learned for the one that the file's recorder wrote down.
    Raises UsageError where the production forbids voice profiles or the stretch is none,
    InputError where less than two seconds of speech are in it.
    """
    media = probe(file)
    project = project or media.notes.project
    with work.database.read() as session:
        own = Privacy(no_voice_profile=work.settings.no_voice_profile)
        if (own | privacy_of(session, [project])).no_voice_profile:
            raise UsageError(
                "Voice profiles are forbidden for this production, so no voice is enrolled."
            )
        people = people_marked(session, Mark.NO_VOICE_PROFILE, [project])
        if same_project(name) in people.names | people.marks:
            raise UsageError(
                f"A voice profile of {name} is not allowed, so no voice is enrolled; roomtone "
                "privacy shows who said so."
            )
    media = hash_media(work, media)
    with Sound(sound_file(media, work.cache)) as sound:
        sound_16k = at_16k(
            lambda at, n: sound.read(at, n, [listening_channel(media)])[:, 0],
            media.frames,
            media.sample_rate,
        )
    first = round((start or 0.0) * SPEECH_RATE)
    last = len(sound_16k) if end is None else round(end * SPEECH_RATE)
    if not 0 <= first < last:
        raise UsageError(f"{file}: --from must lie before --to, and both in the file.")
    part = sound_16k[first:last]
    encoder = voice_encoder(installed_weights())
    turns = [Turn(name, *span) for span in speech_spans(part, ActivityOptions())]
    voices = voices_of(part, turns, encoder)
    if not voices or voices[0].seconds < _LEAST_ENROLLED_S:
        raise InputError(
            f"{file} has less than two seconds of speech there; enrol a longer stretch."
        )
    heard = HeardVoice(
        label=name,
        source="enrolled",
        seconds=voices[0].seconds,
        print=tuple(float(value) for value in voices[0].print),
        encoder=encoder.card.weights_sha256,
        spans=(),
    )
    with work.database.write() as session:
        number = speaker_row(session, project, name)
        if number is None:
            raise UsageError("A speaker's name can't be empty.")
        decision = SpeakerDecision(0, "enrol", number, by=by)
        return _decide(
            session,
            project,
            decision,
            f"{name} is known{f' in {project}' if project else ''} by "
            f"{clock(round(heard.seconds), 1)} of voice from {file.name}",
            heard,
        )


def undo_speakers(work: Workspace, project: str, by: str) -> str:
    """Take back the last decision about a production's speakers. Gives a sentence."""
    started = datetime.now(UTC)
    with work.database.write() as session:
        undone = undo_last(session, project, by)
        if undone is None:
            raise InputError("There is no decision about speakers to take back.")
        changed = settle(session, project)
        names, _ = speaker_names(session, project)
        _record(session, project, started, by, {"undo": undone.kind, "decision": undone.number})
    return f"Taken back: {undone.kind} of {names[undone.speaker]}{_moved(changed)}."


def _decide(
    session: Session,
    project: str,
    decision: SpeakerDecision,
    sentence: str,
    enrolled: HeardVoice | None = None,
) -> str:
    """Remember a decision, apply it and record who made it; the sentence and what it changed."""
    started = datetime.now(UTC)
    number = remember_decision(session, project, decision)
    if enrolled is not None:
        enrol_voice(session, project, enrolled, decision.speaker, number)
    changed = settle(session, project)
    _record(session, project, started, decision.by, {decision.kind: sentence, "decision": number})
    return f"{sentence}{_moved(changed)}."


def _record(
    session: Session, project: str, started: datetime, by: str, parameters: dict[str, JSON]
) -> None:
    done = activity("speakers", uuid4().hex, started, {"project": project, **parameters})
    record(session, replace(done, agent=by), used=[], generated=[])


def _numbered(session: Session, number: int) -> tuple[str, str]:
    """The production and name of a speaker by number."""
    found = speaker_numbered(session, number)
    if found is None:
        raise InputError(f"No speaker {number} is known here.")
    return found


def _number(session: Session, project: str, name: str) -> int:
    """The number of a speaker by name, in either case of letters."""
    names, _ = speaker_names(session, project)
    exact = [number for number, known in names.items() if known == name]
    alike = [number for number, known in names.items() if known.casefold() == name.casefold()]
    for found in (exact, alike):
        if len(found) == 1:
            return found[0]
    raise InputError(f"No speaker {name!r} is known; roomtone speakers list names them.")


def _moved(lines: int) -> str:
    """That lines are another speaker's now, where some are: a new name alone moves none."""
    return f"; {counted(lines, 'line')} changed hands" if lines else ""


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name
