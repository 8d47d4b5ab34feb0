"""Speakers of a production, and what people decided about them. Decisions are undone, not lost."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.speakers import DecisionKind, SpeakerDecision, Stretch
from db.codec import now, storable
from db.tables import LineRow, Speaker, SpeakerDecisionRow, Take, VoiceRow

_EXAMPLES = 200


def speaker_row(session: Session, project: str, name: str) -> int | None:
    """The number of who is heard under a name, made where there is none; None for nobody.

    A speaker that a person renamed is still heard under the name before.
    """
    if not name:
        return None
    found = speaker_heard(session, project, name)
    if found is not None:
        return found
    row = Speaker(project=project, name=name, heard_as=name)
    session.add(row)
    session.flush()
    return row.id


def speaker_heard(session: Session, project: str, name: str) -> int | None:
    """The number of who is heard under a name; None where nobody is."""
    heard = select(Speaker.id).where(Speaker.project == project, Speaker.heard_as == name)
    known = select(Speaker.id).where(Speaker.project == project, Speaker.name == name)
    for query in (heard, known):
        found = session.scalars(query.order_by(Speaker.id).limit(1)).first()
        if found is not None:
            return found
    return None


def new_speaker(session: Session, project: str, taken: Collection[int] = ()) -> int:
    """A speaker named `SPEAKER n`, n the lowest that is free.

    taken: numbers of speakers who are somebody. A row whose name no voice bears any more, and
    that no decision is about, is used again.
    """
    rows = session.execute(
        select(Speaker.id, Speaker.name, Speaker.heard_as).where(Speaker.project == project)
    ).tuples()
    known = {label: number for number, *labels in rows for label in labels}
    said = select(SpeakerDecisionRow.speaker, SpeakerDecisionRow.other)
    busy = {*taken, *(number for pair in session.execute(said).tuples() for number in pair)}
    for count in range(1, len(known) + 2):
        name = f"SPEAKER {count}"
        if name in known and known[name] not in busy:
            return known[name]
        if name not in known:
            break
    row = Speaker(project=project, name=name, heard_as=name)
    session.add(row)
    session.flush()
    return row.id


def projects_with_speakers(session: Session) -> tuple[str, ...]:
    """The productions that have speakers, by name."""
    return tuple(session.scalars(select(Speaker.project).distinct().order_by(Speaker.project)))


def speaker_names(session: Session, project: str) -> tuple[dict[int, str], dict[int, str]]:
    """The names of a production's speakers by number: as they are now, and as heard."""
    query = select(Speaker.id, Speaker.name, Speaker.heard_as).where(Speaker.project == project)
    rows = session.execute(query.order_by(Speaker.id)).tuples().all()
    return (
        {number: name for number, name, _ in rows},
        {number: heard or name for number, name, heard in rows},
    )


@dataclass(frozen=True)
class Spoken:
    """What a speaker speaks. takes: names. seconds: of the lines."""

    takes: tuple[str, ...]
    lines: int
    seconds: float


def spoken_by(session: Session, project: str) -> dict[int, Spoken]:
    """What each speaker of a production speaks, by number; those without a line are left out."""
    length = func.sum(LineRow.end_sample - LineRow.start_sample)
    query = (
        select(LineRow.speaker, Take.name, Take.sample_rate, func.count(), length)
        .join(Take, Take.essence == LineRow.essence)
        .join(Speaker, Speaker.id == LineRow.speaker)
        .where(Speaker.project == project)
        .group_by(LineRow.speaker, Take.essence, Take.name, Take.sample_rate)
    )
    found: dict[int, list[tuple[str, int, float]]] = {}
    for speaker, name, rate, lines, samples in session.execute(query).tuples():
        if speaker is not None:
            found.setdefault(speaker, []).append((name, lines, float(samples) / rate))
    return {
        speaker: Spoken(
            tuple(sorted({name for name, _, _ in takes})),
            sum(lines for _, lines, _ in takes),
            sum(seconds for _, _, seconds in takes),
        )
        for speaker, takes in found.items()
    }


def example_of(session: Session, speaker: int, seconds: float) -> int | None:
    """The number of a line by which a speaker is known: theirs alone, and about so long.

    Of the first lines only, so that it is found at once; None for a speaker without any.
    """
    query = (
        select(LineRow.id, LineRow.overlap, LineRow.end_sample - LineRow.start_sample, Take)
        .join(Take, Take.essence == LineRow.essence)
        .where(LineRow.speaker == speaker)
        .order_by(LineRow.id)
        .limit(_EXAMPLES)
    )
    weighed = [
        (overlap > 0, abs(length / take.sample_rate - seconds), number)
        for number, overlap, length, take in session.execute(query).tuples()
    ]
    return min(weighed)[2] if weighed else None


def speaker_numbered(session: Session, number: int) -> tuple[str, str] | None:
    """The production and name of a speaker; None where there is none of that number."""
    row = session.get(Speaker, number)
    return None if row is None else (row.project, row.name)


def rename(session: Session, names: Mapping[int, str]) -> None:
    """Gives speakers of one production their names. A name may pass from one to another."""
    changed = {
        number: name
        for number, name in names.items()
        if session.get_one(Speaker, number).name != storable(name)
    }
    for names_now in ({number: f"\x1f{number}" for number in changed}, changed):
        for number, name in names_now.items():
            session.execute(update(Speaker).where(Speaker.id == number).values(name=name))
    session.expire_all()


def remember_decision(session: Session, project: str, decision: SpeakerDecision) -> int:
    """Remembers a decision; its number.

    Voices of those concerned stay theirs from now on, but for an enrolment: that says nothing
    about voices that were only found to be alike.
    """
    concerned = [number for number in (decision.speaker, decision.other) if number is not None]
    if decision.kind != "enrol":
        session.execute(update(VoiceRow).where(VoiceRow.speaker.in_(concerned)).values(fixed=True))
    row = SpeakerDecisionRow(
        project=project,
        kind=decision.kind,
        speaker=decision.speaker,
        other=decision.other,
        name=decision.name,
        stretches=[[item.essence, item.start, item.end] for item in decision.stretches],
        by=decision.by,
        created=now(),
        undone=None,
    )
    session.add(row)
    session.flush()
    return row.id


def decisions_of(session: Session, project: str) -> tuple[SpeakerDecision, ...]:
    """The decisions in force for a production, the oldest first."""
    rows = session.scalars(
        select(SpeakerDecisionRow)
        .where(SpeakerDecisionRow.project == project, SpeakerDecisionRow.undone.is_(None))
        .order_by(SpeakerDecisionRow.id)
    )
    return tuple(_decision(row) for row in rows)


def undo_last(session: Session, project: str, by: str) -> SpeakerDecision | None:
    """Takes back the last decision in force and gives it; None where there is none."""
    known = decisions_of(session, project)
    if not known:
        return None
    session.execute(
        update(SpeakerDecisionRow)
        .where(SpeakerDecisionRow.id == known[-1].number)
        .values(undone=now(), undone_by=by)
    )
    return known[-1]


def forget_decisions(session: Session, speakers: Sequence[int], essences: Sequence[str]) -> int:
    """Removes decisions, also undone ones, about speakers or stretches of takes; how many.

    For privacy: of nothing else are decisions removed. Voices enrolled by them go as well.
    """
    rows = session.scalars(select(SpeakerDecisionRow)).all()
    gone = [
        row
        for row in rows
        if row.speaker in speakers
        or row.other in speakers
        or any(stretch[0] in essences for stretch in row.stretches)
    ]
    numbers = [row.id for row in gone]
    for voice in session.scalars(select(VoiceRow).where(VoiceRow.decision.in_(numbers))):
        session.delete(voice)
    session.flush()
    for row in gone:
        session.delete(row)
    session.flush()
    return len(gone)


def _decision(row: SpeakerDecisionRow) -> SpeakerDecision:
    return SpeakerDecision(
        number=row.id,
        kind=cast("DecisionKind", row.kind),
        speaker=row.speaker,
        other=row.other,
        name=row.name,
        stretches=tuple(Stretch(essence, start, end) for essence, start, end in row.stretches),
        by=row.by,
    )
