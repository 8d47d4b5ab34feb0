"""Rows that are put right: places struck off, and files that rows point at known again."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.media import MediaFile
from db.chunks import chunks
from db.codec import media_from_json
from db.tables import Activity, Asset, AssetKind, CutRow, Generated, Location, Media, Used
from db.tally import distrust


def strike_off(session: Session, paths: Collection[Path]) -> int:
    """Forget that files lay somewhere; what they were stays known. How many places that was."""
    gone = 0
    for some in chunks(paths):
        gone += session.execute(delete(Location).where(Location.path.in_(some))).rowcount  # type: ignore[attr-defined]
    return gone


def accept_counts(session: Session) -> None:
    """Take the number of rows that there are now for the right one, in every table."""
    distrust(session.connection())


def media_with(session: Session, sha256: str) -> tuple[MediaFile, ...]:
    """The originals with these bytes, wherever they were seen, as they were probed then."""
    rows = session.execute(
        select(Media.path, Media.probe).where(Media.sha256 == sha256).order_by(Media.path)
    ).tuples()
    found = (media_from_json(probe, path) for path, probe in rows)
    return tuple(media for media in found if media is not None)


def made_by_key(session: Session, key: str) -> tuple[Activity, str, str] | None:
    """How a cleaned take was made: the work, the original's sha256 and the result's."""
    row = session.scalars(
        select(Activity).where(
            Activity.kind == "clean", Activity.key == key, Activity.state == "done"
        )
    ).one_or_none()
    if row is None:
        return None
    used = session.scalars(select(Used.asset).where(Used.activity == row.id)).first()
    made = session.scalars(select(Generated.asset).where(Generated.activity == row.id)).first()
    return (row, used, made) if used and made else None


def cut_of(session: Session, key: str) -> Path | None:
    """Where the cut of a delivery was read, by the key of the delivery."""
    row = session.scalars(
        select(Activity).where(Activity.kind == "render", Activity.key.like(f"{key}:%")).limit(1)
    ).first()
    digest = None if row is None else row.parameters.get("cut_sha256")
    known = select(CutRow.path).where(CutRow.digest == digest).order_by(CutRow.read_at.desc())
    return session.scalars(known.limit(1)).first()


def lost_contents(session: Session) -> dict[str, tuple[Path, AssetKind | None]]:
    """Contents whose own row is gone: where one lies, and what it was as far as others tell.

    None for what only a place is known of, outside the home.
    """
    rows = session.execute(
        select(Location.asset, Location.path, Activity.kind, Generated.role)
        .outerjoin(Asset, Asset.sha256 == Location.asset)
        .outerjoin(Generated, Generated.asset == Location.asset)
        .outerjoin(Activity, Activity.id == Generated.activity)
        .where(Asset.sha256.is_(None))
    ).tuples()
    originals = set(session.scalars(select(Media.sha256)))
    found: dict[str, tuple[Path, AssetKind | None]] = {}
    for sha256, path, kind, role in rows:
        found[sha256] = (path, "original" if sha256 in originals else _kind(kind, role))
    return found


def is_empty(session: Session) -> bool:
    """Whether nothing is remembered yet."""
    tables = (Asset, Activity, CutRow)
    return all(session.execute(select(table).limit(1)).first() is None for table in tables)


def move_places(session: Session, old: Path, new: Path) -> int:
    """Note that a home lies elsewhere; how many places that is."""
    moved = 0
    for table in (Location, Media):
        for path in session.scalars(select(table.path)).all():
            if path.is_relative_to(old) and old != new:
                there = new / path.relative_to(old)
                session.execute(update(table).where(table.path == path).values(path=there))
                moved += 1
    return moved


def _kind(kind: str | None, role: str | None) -> AssetKind | None:
    if kind == "clean":
        return "clean"
    if kind != "render" or role is None:
        return None
    named: dict[str, AssetKind] = {
        "CLIP": "clip",
        "TIMELINE": "timeline",
        "TRANSCRIPT": "report",
        "REPORT": "report",
        "SIDECAR": "report",
        "LIST": "report",
    }
    return named.get(role, "stem")
