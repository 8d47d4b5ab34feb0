"""Takes as people name and sort them."""

from __future__ import annotations

import re
from pathlib import Path, PurePath

from sqlalchemy import ColumnElement, func, literal, or_, select
from sqlalchemy.orm import Session

from db.chunks import among, chunks
from db.codec import storable
from db.names import lowered, same_name
from db.tables import Location, Media, Take

# What may follow a take's name when a person writes the file's. `12A.T03` has no suffix.
_SUFFIXES = frozenset(
    {".wav", ".bwf", ".rf64", ".w64", ".aif", ".aiff", ".caf", ".flac", ".mp3", ".m4a"}
    | {".mxf", ".mov", ".mp4", ".mkv"}
)


def is_take(asked: str) -> ColumnElement[bool]:
    """The condition that a take is the one a person names.

    asked: its file's name with or without suffix (`12A-T03.wav`), or scene and take (`12a-3`,
    `12A T03`), in either case of letters; several takes may answer.
    """
    file = PurePath(asked.strip())
    name = file.stem if file.suffix.lower() in _SUFFIXES else file.name
    same = [Take.name == name, same_name(Take.name, name)]
    parts = re.fullmatch(r"(.+?)[\s/_-]+(\w+)", storable(asked).strip())
    if parts is not None:
        number = func.ltrim(lowered(Take.take), "t0")
        wanted = func.ltrim(lowered(literal(parts[2])), "t0")
        scene = same_name(Take.scene, parts[1])
        same.append(scene & (Take.take != "") & (number == wanted))
    return or_(*same)


def essences_of(session: Session, asked: str) -> tuple[str, ...]:
    """The sound (by its sha256) of the takes that a person names; see `is_take`."""
    return tuple(session.scalars(select(Take.essence).where(is_take(asked)).order_by(Take.name)))


def knows_take(session: Session, asked: str) -> bool:
    """Whether a take is remembered that a person names so (see `is_take`)."""
    return session.scalars(select(Take.essence).where(is_take(asked)).limit(1)).first() is not None


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts 2 before 12A and 12A before 12B."""
    return tuple(
        (0, int(part), "") if part.isdecimal() else (1, 0, part)
        for part in re.split(r"(\d+)", text.lower())
        if part
    )


def latest_paths(session: Session, essences: set[str]) -> dict[str, Path]:
    """Where a media file with each sound was last seen."""
    found: dict[str, Path] = {}
    for some in chunks(sorted(essences)):
        query = (
            select(Media.essence, Media.path)
            .join(Location, Location.path == Media.path)
            .where(among(session, Media.essence, some))
            .order_by(Location.seen_at, Location.path.desc())
        )
        found |= session.execute(query).tuples().all()
    return found
