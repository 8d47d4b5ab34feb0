"""How long what is learned of productions is kept, and what has expired."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.retention import Kept, Rule
from db.chunks import chunks
from db.codec import now
from db.forget import is_forgotten
from db.privacy import same_project, take_projects
from db.tables import (
    Asset,
    LineRow,
    Listening,
    RetentionRule,
    SpeakerDecisionRow,
    Take,
    VoiceRow,
)


def set_rule(session: Session, project: str, kept: Kept, days: int | None, by: str) -> bool:
    """Sets how long something of a production is kept (None: no end); whether that is new."""
    key = same_project(project)
    row = session.get(RetentionRule, (key, kept.value))
    if days is None:
        if row is not None:
            session.delete(row)
            session.flush()
        return row is not None
    if row is not None and row.days == days:
        return False
    if row is None:
        row = RetentionRule(key=key, kept=kept.value, project=project.strip())
        session.add(row)
    row.days, row.by, row.since = days, by, now()
    session.flush()
    return True


def rules(session: Session) -> tuple[Rule, ...]:
    """All rules, by production."""
    rows = session.scalars(select(RetentionRule).order_by(RetentionRule.key, RetentionRule.kept))
    return tuple(Rule(row.project, Kept(row.kept), row.days, row.by, row.since) for row in rows)


def expired_transcripts(session: Session, rule: Rule, at: datetime) -> dict[str, list[int]]:
    """The lines with words that were written down before a rule's end, by essence."""
    query = (
        select(LineRow.essence, LineRow.id)
        .join(Listening, Listening.id == LineRow.listening)
        .where(LineRow.text != "", Listening.created < rule.ended_before(at))
        .order_by(LineRow.essence, LineRow.id)
    )
    found: dict[str, list[int]] = {}
    for essence, line in session.execute(query).tuples():
        found.setdefault(essence, []).append(line)
    own = _of_production(session, found, rule.project)
    return {essence: lines for essence, lines in found.items() if essence in own}


def expired_voices(session: Session, rule: Rule, at: datetime) -> list[int]:
    """The voices with prints that were measured or enrolled before a rule's end, by number."""
    key, end = same_project(rule.project), rule.ended_before(at)
    heard = (
        select(VoiceRow.essence, func.max(Listening.created))
        .join(Listening, Listening.essence == VoiceRow.essence)
        .group_by(VoiceRow.essence)
    )
    times = dict(session.execute(heard).tuples().all())
    told = dict(
        session.execute(select(SpeakerDecisionRow.id, SpeakerDecisionRow.created)).tuples().all()
    )
    found = []
    for row in session.scalars(select(VoiceRow).order_by(VoiceRow.id)):
        since = times.get(row.essence) if row.essence else told.get(row.decision or 0)
        if row.print and same_project(row.project) == key and (since is None or since < end):
            found.append(row.id)
    return found


def expired_takes(session: Session, rule: Rule, at: datetime) -> list[str]:
    """The takes that were first seen before a rule's end and are not forgotten yet."""
    query = (
        select(Take.essence)
        .join(Asset, (Asset.essence == Take.essence) & (Asset.kind == "original"))
        .group_by(Take.essence)
        .having(func.min(Asset.first_seen) < rule.ended_before(at))
        .order_by(Take.essence)
    )
    old = session.scalars(query).all()
    own = _of_production(session, old, rule.project)
    return [essence for essence in old if essence in own and not is_forgotten(session, essence)]


def strip_voices(session: Session, numbers: Collection[int]) -> None:
    """Takes the prints of voices away, enrolled ones as well; whose they are stays."""
    for some in chunks(numbers):
        for row in session.scalars(select(VoiceRow).where(VoiceRow.id.in_(some))):
            row.print, row.seconds = [], 0.0
            row.fixed = row.speaker is not None
    session.flush()


def _of_production(session: Session, essences: Collection[str], project: str) -> set[str]:
    key = same_project(project)
    found = take_projects(session, essences)
    return {e for e, names in found.items() if key in {same_project(name) for name in names}}
