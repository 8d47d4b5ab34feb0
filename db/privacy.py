"""What productions and speakers allow and forbid: who said so, when, and what was said before."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.forgetting import Stretches, joined, without
from core.privacy import Consent, Mark, MarkedPeople, PeopleInTake, Privacy, same_words
from core.speech import is_numbered
from db.chunks import chunks
from db.codec import now, storable
from db.tables import ConsentRow, LineRow, Speaker, SpeakerDecisionRow, Take, VoiceRow


def same_project(name: str) -> str:
    """A production's name as it is compared."""
    return same_words(storable(name))


def decide(
    session: Session,
    project: str,
    mark: Mark,
    *,
    allowed: bool,
    by: str,
    speaker: str = "",
    note: str = "",
) -> bool:
    """Notes that something is allowed or not; whether that is new.

    What was in force before stays with who said it and when, ended by this. What is in force
    already stays as it is, unless a note comes with it.
    """
    key, whose = same_project(project), same_project(speaker)
    before = session.scalars(
        select(ConsentRow).where(
            ConsentRow.key == key,
            ConsentRow.speaker_key == whose,
            ConsentRow.mark == mark.value,
            ConsentRow.ended.is_(None),
        )
    ).all()
    if any(row.allowed == allowed and note in ("", row.note) for row in before):
        return False
    moment = now()
    for row in before:
        row.ended, row.ended_by = moment, by
    session.add(
        ConsentRow(
            key=key,
            speaker_key=whose,
            project=project.strip(),
            speaker=speaker.strip(),
            mark=mark.value,
            allowed=allowed,
            by=by,
            since=moment,
            note=note.strip(),
            ended=None,
            ended_by="",
        )
    )
    session.flush()
    return True


def consents(
    session: Session, projects: Collection[str] | None = None, *, history: bool = False
) -> tuple[Consent, ...]:
    """What is in force, of these productions (None: of all), by production, speaker and time.

    history: also what was in force before.
    """
    query = select(ConsentRow).order_by(
        ConsentRow.key, ConsentRow.speaker_key, ConsentRow.mark, ConsentRow.id
    )
    if not history:
        query = query.where(ConsentRow.ended.is_(None))
    if projects is not None:
        query = query.where(ConsentRow.key.in_({same_project(name) for name in projects}))
    return tuple(_consent(row) for row in session.scalars(query))


def privacy_of(session: Session, projects: Collection[str]) -> Privacy:
    """What any of these productions forbids for everybody in it."""
    found = _forbidden(session, projects)
    return Privacy.of({item.mark for item in found if not item.speaker})


def people_marked(session: Session, mark: Mark, projects: Collection[str]) -> MarkedPeople:
    """The speakers of these productions for whom something is forbidden."""
    named = {
        same_project(item.speaker)
        for item in _forbidden(session, projects)
        if item.speaker and item.mark is mark
    }
    return _people(session, named, {same_project(name) for name in projects}) if named else _NOBODY


def people_called(session: Session, project: str, speaker: str) -> frozenset[int]:
    """The numbers of the speakers of a production who bear, or bore, a name."""
    return _people(session, {same_project(speaker)}, {same_project(project)}).numbers


def people_in_take(
    session: Session,
    essence: str,
    mark: Mark,
    projects: Collection[str],
    wearing: Collection[str] = (),
) -> PeopleInTake:
    """Those in a take for whom something is forbidden.

    wearing: whose microphones are in it, as its recorder wrote them down.
    """
    people = people_marked(session, mark, projects)
    if not people.names and not people.numbers:
        return PeopleInTake((), people)
    rows = session.execute(
        select(LineRow.speaker, LineRow.start_sample, LineRow.end_sample).where(
            LineRow.essence == essence
        )
    ).tuples()
    mine: list[tuple[int, int]] = []
    others: list[tuple[int, int]] = []
    for speaker, start, end in rows:
        (mine if speaker in people.numbers else others).append((start, end))
    here = bool(mine) or any(people.are_named(name) for name in wearing)
    spans: Stretches = joined(mine)
    return PeopleInTake(
        tuple(sorted(people.marks)) if here else (), people, spans, without(mine, others)
    )


@dataclass(frozen=True)
class Covered:
    """What a mark is about, wherever it is.

    everything: by the settings. productions: as they are compared. people: by number of the
    speaker, the productions in which the mark is theirs.
    """

    everything: bool
    productions: frozenset[str]
    people: Mapping[int, frozenset[str]]

    def __bool__(self) -> bool:
        return self.everything or bool(self.productions) or bool(self.people)

    def covers(self, projects: Iterable[str], speaker: int | None) -> bool:
        """Whether it is about a line of productions (the take's, the speaker's) by a speaker."""
        keys = {same_project(name) for name in projects}
        of = self.people.get(speaker, frozenset()) if speaker is not None else frozenset()
        return self.everything or bool(keys & (self.productions | of))


def covered(session: Session, mark: Mark, *, everything: bool = False) -> Covered:
    """What a mark is about. everything: the settings say it of all."""
    forbidden = [item for item in _forbidden(session, None) if item.mark is mark]
    people: dict[int, set[str]] = {}
    for item in forbidden:
        if item.speaker:
            key = same_project(item.project)
            for number in _people(session, {same_project(item.speaker)}, None).numbers:
                people.setdefault(number, set()).add(key)
    return Covered(
        everything,
        frozenset(same_project(item.project) for item in forbidden if not item.speaker),
        {number: frozenset(keys) for number, keys in people.items()},
    )


def take_projects(session: Session, essences: Collection[str]) -> dict[str, set[str]]:
    """The productions of takes: as their recorders wrote them, and those of their speakers."""
    found: dict[str, set[str]] = {essence: set() for essence in essences}
    for some in chunks(found):
        own = select(Take.essence, Take.project).where(Take.essence.in_(some))
        spoken = (
            select(LineRow.essence, Speaker.project)
            .join(Speaker, Speaker.id == LineRow.speaker)
            .where(LineRow.essence.in_(some))
            .distinct()
        )
        for query in (own, spoken):
            for essence, project in session.execute(query).tuples():
                if project.strip():
                    found[essence].add(project)
    return found


_NOBODY = MarkedPeople()


def _forbidden(session: Session, projects: Collection[str] | None) -> list[Consent]:
    return [item for item in consents(session, projects) if not item.allowed]


def forget_consents(
    session: Session, names: Collection[str], projects: Collection[str], naming: re.Pattern[str]
) -> None:
    """Takes people's names and notes out of what was said of them. For privacy only.

    naming: finds their names in other words, such as `REN's agent`. That somebody said something,
    and when, stays, ended.
    """
    keys, whose = ({same_project(name) for name in some} for some in (projects, names))
    concerned = ConsentRow.key.in_(keys) & ConsentRow.speaker_key.in_(whose)
    for row in session.scalars(select(ConsentRow).where(concerned)):
        row.speaker = row.speaker_key = "(forgotten)"
        row.note = ""
        row.by, row.ended_by = (naming.sub("(forgotten)", who) for who in (row.by, row.ended_by))
        row.ended = row.ended or now()
    session.flush()


def _people(session: Session, marked: set[str], projects: set[str] | None) -> MarkedPeople:
    """The speakers who bear, or ever bore, one of these names. projects: as compared; None: all.

    A number for a name counts only as it stands in the catalogue now: every take gives its own.
    """
    rows = [
        row
        for row in session.scalars(select(Speaker))
        if projects is None or same_project(row.project) in projects
    ]
    names: dict[int, set[str]] = {row.id: {row.name} for row in rows}
    for number, name in _other_names(session, names):
        if not is_numbered(name):
            names[number].add(name)
    alike = {number for number, own in names.items() if {same_project(n) for n in own} & marked}
    merged = select(SpeakerDecisionRow.speaker, SpeakerDecisionRow.other).where(
        SpeakerDecisionRow.kind == "merge", SpeakerDecisionRow.undone.is_(None)
    )
    pairs = session.execute(merged).tuples().all()
    while more := {into for into, other in pairs if other in alike} - alike:
        alike |= more
    every = marked | {
        same_project(name) for number in alike for name in names.get(number, ()) if name
    }
    return MarkedPeople(
        frozenset(marked),
        frozenset(name for name in every if not is_numbered(name.upper())),
        frozenset(alike),
    )


def _other_names(session: Session, known: Mapping[int, set[str]]) -> Iterator[tuple[int, str]]:
    """Names that speakers have had beside the one they have now."""
    for query in (
        select(Speaker.id, Speaker.heard_as),
        select(SpeakerDecisionRow.speaker, SpeakerDecisionRow.name),
        select(VoiceRow.speaker, VoiceRow.label).where(VoiceRow.source != "voice"),
    ):
        for number, name in session.execute(query).tuples():
            if number in known and name:
                yield number, name


def _consent(row: ConsentRow) -> Consent:
    return Consent(
        project=row.project,
        speaker=row.speaker,
        mark=Mark(row.mark),
        allowed=row.allowed,
        by=row.by,
        since=row.since,
        note=row.note,
        ended=row.ended,
        ended_by=row.ended_by,
        number=row.id,
    )
