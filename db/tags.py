"""The tags of takes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from db.chunks import chunks
from db.codec import now
from db.tables import Activity, TakeTag


def tags_of(session: Session, essences: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The tags of takes, by the sha256 of their sound, in order; takes without one are left out."""
    found: dict[str, tuple[str, ...]] = {}
    for some in chunks(essences):
        rows = session.execute(
            select(TakeTag.essence, TakeTag.tag)
            .where(TakeTag.essence.in_(some))
            .order_by(TakeTag.essence, TakeTag.tag)
        )
        for essence, tag in rows.tuples():
            found[essence] = (*found.get(essence, ()), tag)
    return found


def tag_counts(session: Session) -> dict[str, int]:
    """How many takes have each tag, in order."""
    query = select(TakeTag.tag, func.count()).group_by(TakeTag.tag).order_by(TakeTag.tag)
    return dict(session.execute(query).tuples().all())


def put_tags(session: Session, essence: str, tags: Collection[str], by: str) -> tuple[str, ...]:
    """Puts tags (see `core.tags`) on a take; those that it did not have yet."""
    known = tags_of(session, [essence]).get(essence, ())
    new = sorted(set(tags) - set(known))
    session.add_all(TakeTag(essence=essence, tag=tag, by=by, created=now()) for tag in new)
    session.flush()
    return tuple(new)


def take_tags_off(session: Session, essence: str, tags: Collection[str]) -> tuple[str, ...]:
    """Takes tags off a take; those that it had."""
    known = tags_of(session, [essence]).get(essence, ())
    gone = sorted(set(tags) & set(known))
    session.execute(delete(TakeTag).where(TakeTag.essence == essence, TakeTag.tag.in_(gone)))
    return tuple(gone)


def forget_tags(
    session: Session, essences: Collection[str] = (), naming: re.Pattern[str] | None = None
) -> None:
    """Deletes the tags of takes, and all tags in which a name stands. For privacy only.

    What is recorded of the tagging of these takes keeps who did it and when, but no tag.
    """
    for row in session.scalars(select(TakeTag)).all():
        if row.essence in essences or (naming is not None and naming.search(row.tag)):
            session.delete(row)
    for done in session.scalars(select(Activity).where(Activity.kind == "tag")):
        if done.parameters.get("essence") in essences:
            done.parameters = {**done.parameters, "on": [], "off": []}
    session.flush()
