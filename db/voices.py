"""Voices of speakers: where they were heard, their prints, and whose they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from core.speakers import Spans, SpeakerDecision, shared_length, speaker_of
from db.speakers import forget_decisions, speaker_row
from db.tables import LineRow, Speaker, SpeakerDecisionRow, Take, VoiceRow
from db.takes import natural


@dataclass(frozen=True)
class HeardVoice:
    """A voice as it was heard in a take, or as it is enrolled.

    label: the speaker as heard there. source: `microphone`, `voice` or `enrolled`. seconds: that
    went into the print. print: the mean voiceprint, or empty. encoder: sha256 of its weights.
    spans: where it speaks, in source samples.
    """

    label: str
    source: str
    seconds: float
    print: tuple[float, ...]
    encoder: str
    spans: Spans


@dataclass(frozen=True)
class KnownVoice:
    """A remembered voice. essence: of its take, or empty. speaker: as found so far, or None.

    fixed: whose it is was said by a person.
    """

    number: int
    essence: str
    speaker: int | None
    fixed: bool
    heard: HeardVoice


def store_voices(
    session: Session, project: str, essence: str, voices: Sequence[HeardVoice]
) -> None:
    """Remembers the voices of a take in place of those before.

    A voice that is heard where one was heard before is the same speaker's until they are
    settled anew; one of a named microphone is its owner's.
    """
    before = session.scalars(
        select(VoiceRow).where(VoiceRow.essence == essence, VoiceRow.project == project)
    ).all()
    made = []
    for voice in voices:
        speaker, fixed = None, False
        shared = [(_shared(voice.spans, row), row.id, row) for row in before]
        if voice.source == "microphone":
            speaker = speaker_row(session, project, voice.label)
        elif shared and max(shared)[0] > 0:
            closest = max(shared)[2]
            speaker, fixed = closest.speaker, closest.fixed
        made.append(_row(project, essence, voice, speaker, fixed, None))
    session.execute(delete(VoiceRow).where(VoiceRow.essence == essence))
    session.add_all(made)
    session.flush()


def enrol_voice(
    session: Session, project: str, voice: HeardVoice, speaker: int, decision: int
) -> None:
    """Remembers an enrolled voice of a speaker; it counts as long as the decision is in force."""
    session.add(_row(project, None, voice, speaker, True, decision))
    session.flush()


def voices_of_project(session: Session, project: str) -> tuple[KnownVoice, ...]:
    """The voices of a production: those enrolled, then by scene, take and first speech."""
    query = (
        select(VoiceRow, Take)
        .outerjoin(Take, Take.essence == VoiceRow.essence)
        .outerjoin(SpeakerDecisionRow, SpeakerDecisionRow.id == VoiceRow.decision)
        .where(
            VoiceRow.project == project,
            or_(VoiceRow.decision.is_(None), SpeakerDecisionRow.undone.is_(None)),
        )
    )
    rows = session.execute(query).tuples().all()

    def order(pair: tuple[VoiceRow, Take | None]) -> tuple[object, ...]:
        row, take = pair
        first = min((start for start, _ in row.spans), default=0)
        if take is None:
            return (0, (), (), (), "", row.id, row.label)
        places = (natural(take.scene), natural(take.take), natural(take.name))
        return (1, *places, take.essence, first, row.label)

    return tuple(_known(row) for row, _ in sorted(rows, key=order))


def assign_speakers(
    session: Session,
    project: str,
    speakers: Mapping[int, int],
    decisions: Sequence[SpeakerDecision],
) -> int:
    """Gives voices to speakers, by number, and every line to who spoke it; how many changed."""
    rows = session.scalars(select(VoiceRow).where(VoiceRow.project == project)).all()
    heard: dict[tuple[str, str], int] = {}
    for row in rows:
        row.speaker = speakers.get(row.id, row.speaker)
        if row.essence is not None and row.speaker is not None:
            heard[row.essence, row.label] = row.speaker
    session.flush()
    changed = 0
    query = select(LineRow).where(LineRow.essence.in_({essence for essence, _ in heard}))
    for line in session.scalars(query):
        at_first = heard.get((line.essence, line.heard_as))
        if at_first is None:
            continue
        spans = ((line.start_sample, line.end_sample),)
        speaker = speaker_of(at_first, line.essence, spans, decisions)
        if line.speaker != speaker:
            session.execute(update(LineRow).where(LineRow.id == line.id).values(speaker=speaker))
            changed += 1
    return changed


def forget_voices(
    session: Session,
    project: str | None = None,
    speakers: Sequence[int] = (),
    essences: Sequence[str] = (),
) -> int:
    """Removes voices with their prints, and decisions about them; how many voices.

    Those of speakers, by number, and those of takes; with a project and nothing else, all of it.
    """
    concerned = or_(VoiceRow.speaker.in_(speakers), VoiceRow.essence.in_(essences))
    if project is not None:
        own = VoiceRow.project == project
        concerned = own & concerned if speakers or essences else own
    numbers = session.scalars(select(VoiceRow.id).where(concerned)).all()
    session.execute(delete(VoiceRow).where(VoiceRow.id.in_(numbers)))
    if project is not None and not speakers and not essences:
        speakers = session.scalars(select(Speaker.id).where(Speaker.project == project)).all()
    forget_decisions(session, speakers, essences)
    return len(numbers)


def _shared(spans: Spans, row: VoiceRow) -> int:
    return shared_length(spans, ((start, end) for start, end in row.spans))


def _row(
    project: str,
    essence: str | None,
    voice: HeardVoice,
    speaker: int | None,
    fixed: bool,
    decision: int | None,
) -> VoiceRow:
    return VoiceRow(
        project=project,
        essence=essence,
        label=voice.label,
        source=voice.source,
        seconds=voice.seconds,
        print=list(voice.print),
        encoder=voice.encoder,
        spans=[list(span) for span in voice.spans],
        speaker=speaker,
        fixed=fixed,
        decision=decision,
    )


def _known(row: VoiceRow) -> KnownVoice:
    heard = HeardVoice(
        label=row.label,
        source=row.source,
        seconds=row.seconds,
        print=tuple(row.print),
        encoder=row.encoder,
        spans=tuple((start, end) for start, end in row.spans),
    )
    return KnownVoice(row.id, row.essence or "", row.speaker, row.fixed, heard)
