"""What cleaned takes are good for: cuts, deliveries, people's decisions, and being the newest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.tables import (
    Activity,
    CutEvent,
    CutRow,
    Generated,
    Location,
    OverrideRow,
    ReviewRow,
    ReviewTake,
    Used,
)


@dataclass(frozen=True)
class CleanedRow:
    """A cleaned take as it was made. original: sha256 of what from; channels: of it, from 0."""

    key: str
    sha256: str
    original: str
    channels: tuple[int, ...]
    ended: datetime


def cleaned_rows(session: Session) -> tuple[CleanedRow, ...]:
    """All cleaned takes that count, the earliest first."""
    rows = session.execute(
        select(Activity, Generated.asset, Used.asset)
        .join(Generated, Generated.activity == Activity.id)
        .join(Used, Used.activity == Activity.id)
        .where(Activity.kind == "clean", Activity.state == "done")
        .order_by(Activity.ended, Activity.id)
    ).tuples()
    return tuple(
        CleanedRow(done.key, made, used, tuple(done.parameters.get("channels", ())), done.ended)
        for done, made, used in rows
    )


def newest_of_takes(rows: tuple[CleanedRow, ...]) -> frozenset[str]:
    """The keys of the takes that were cleaned last, of each original and group of channels."""
    last = {(row.original, row.channels): row.key for row in rows}
    return frozenset(last.values())


def keys_of_cuts(session: Session) -> dict[str, str]:
    """The keys that cuts play, by the last version read at each path, with a cut's name."""
    newest: dict[Path, CutRow] = {}
    for row in session.scalars(select(CutRow).order_by(CutRow.read_at, CutRow.id)):
        newest[row.path] = row
    names = {row.id: row.name or row.path.name for row in newest.values()}
    events = session.execute(
        select(CutEvent.take_key, CutEvent.cut).where(CutEvent.take_key != "").distinct()
    ).tuples()
    return {key: names[cut] for key, cut in events if cut in names}


def keys_of_locks(session: Session) -> frozenset[str]:
    """The keys that people locked and did not let go of."""
    query = select(OverrideRow.locked).where(
        OverrideRow.locked != "", OverrideRow.revoked.is_(None)
    )
    return frozenset(session.scalars(query))


def keys_of_reviews(session: Session) -> frozenset[str]:
    """The keys that people decided on in a review, where that was not undone."""
    query = (
        select(ReviewTake.key)
        .join(ReviewRow, ReviewRow.id == ReviewTake.review)
        .where(ReviewRow.undone.is_(None))
    )
    return frozenset(session.scalars(query))


def files_made_with(session: Session) -> Iterator[tuple[str, Path]]:
    """For each content that rendering used, the places of what was made of it."""
    places: dict[str, set[Path]] = defaultdict(set)
    rows = session.execute(
        select(Generated.activity, Location.path)
        .join(Location, Location.asset == Generated.asset)
        .join(Activity, Activity.id == Generated.activity)
        .where(Activity.kind == "render")
    ).tuples()
    for work, path in rows:
        places[work].add(path)
    used = session.execute(
        select(Used.activity, Used.asset)
        .join(Activity, Activity.id == Used.activity)
        .where(Activity.kind == "render")
        .distinct()
    ).tuples()
    for work, asset in used:
        for path in sorted(places.get(work, ())):
            yield asset, path
