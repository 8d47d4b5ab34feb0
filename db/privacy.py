"""What productions forbid: marks, each with who set it and when."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.privacy import Mark, Privacy
from db.codec import now, storable
from db.tables import PrivacyMark


@dataclass(frozen=True)
class Marked:
    """A mark in force. project: as the person wrote it. by: who set it. since: when, in UTC."""

    project: str
    mark: Mark
    by: str
    since: datetime


def same_project(name: str) -> str:
    """A production's name as it is compared: a rule must not slip on a capital or a space."""
    return " ".join(storable(name).split()).casefold()


def set_mark(session: Session, project: str, mark: Mark, by: str) -> bool:
    """Sets a mark; whether it is new. One that was set before stays with who set it then."""
    key = (same_project(project), mark.value)
    if session.get(PrivacyMark, key) is not None:
        return False
    session.add(PrivacyMark(key=key[0], mark=key[1], project=project.strip(), by=by, since=now()))
    session.flush()
    return True


def lift_mark(session: Session, project: str, mark: Mark) -> bool:
    """Lifts a mark; whether there was one."""
    row = session.get(PrivacyMark, (same_project(project), mark.value))
    if row is None:
        return False
    session.delete(row)
    session.flush()
    return True


def marks(session: Session) -> tuple[Marked, ...]:
    """All marks in force, by production."""
    rows = session.scalars(select(PrivacyMark).order_by(PrivacyMark.key, PrivacyMark.mark))
    return tuple(Marked(row.project, Mark(row.mark), row.by, row.since) for row in rows)


def privacy_of(session: Session, projects: Collection[str]) -> Privacy:
    """What any of these productions forbids."""
    keys = [same_project(name) for name in projects]
    query = select(PrivacyMark.mark).where(PrivacyMark.key.in_(keys))
    return Privacy.of(frozenset(Mark(mark) for mark in session.scalars(query)))
