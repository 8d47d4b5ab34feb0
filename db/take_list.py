"""Takes as they stand in lists, and the names that lines can be asked for by."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.time import FrameRate
from db.chunks import chunks
from db.codec import rate_from_text
from db.tables import CutRow, LineRow, Media, Speaker, Take
from db.tags import tag_counts, tags_of
from db.takes import latest_paths, natural


@dataclass(frozen=True)
class TakeSummary:
    """A take in a list; the fields are those of `db.catalogue.TakeLine`.

    frames: its length in samples. lines: how many are known of it. recorded: the day, ISO 8601,
    or empty. tags: that people put on it.
    """

    name: str
    scene: str
    take: str
    tape: str
    project: str
    essence: str
    path: Path | None
    sample_rate: int
    frames: int
    time_reference: int | None
    timecode_rate: FrameRate | None
    circled: bool
    lines: int
    recorded: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class KnownNames:
    """What lines can be asked for by: the names that there are, sorted as people do.

    cuts: their names and those of their files.
    """

    speakers: tuple[str, ...]
    scenes: tuple[str, ...]
    productions: tuple[str, ...]
    takes: tuple[str, ...]
    cuts: tuple[str, ...]
    tags: tuple[str, ...]


def take_summaries(
    session: Session, essences: Collection[str] | None = None
) -> tuple[TakeSummary, ...]:
    """The takes with these sounds that are known (None: all), by scene, take and name."""
    if essences is None:
        essences = session.scalars(select(Take.essence)).all()
    found: list[TakeSummary] = []
    for some in chunks(essences):
        counted = select(LineRow.essence, func.count()).group_by(LineRow.essence)
        lines = dict(session.execute(counted.where(LineRow.essence.in_(some))).tuples().all())
        rings = select(Media.essence).where(Media.circled, Media.essence.in_(some))
        circled = set(session.scalars(rings))
        paths = latest_paths(session, set(some))
        tags = tags_of(session, some)
        found += [
            TakeSummary(
                name=row.name,
                scene=row.scene,
                take=row.take,
                tape=row.tape,
                project=row.project,
                essence=row.essence,
                path=paths.get(row.essence),
                sample_rate=row.sample_rate,
                frames=row.frames,
                time_reference=row.time_reference,
                timecode_rate=rate_from_text(row.timecode_rate),
                circled=row.essence in circled,
                lines=lines.get(row.essence, 0),
                recorded=row.recorded,
                tags=tags.get(row.essence, ()),
            )
            for row in session.scalars(select(Take).where(Take.essence.in_(some)))
        ]
    return tuple(sorted(found, key=lambda t: (natural(t.scene), natural(t.take), t.name)))


def known_names(session: Session) -> KnownNames:
    """The names of speakers, scenes, productions, takes and cuts that are known."""
    speakers, scenes, projects, voiced, takes, cuts = (
        session.scalars(select(column).distinct()).all()
        for column in (
            Speaker.name,
            Take.scene,
            Take.project,
            Speaker.project,
            Take.name,
            CutRow.name,
        )
    )
    files = [path.name for path in session.scalars(select(CutRow.path).distinct())]

    def listed(*names: str) -> tuple[str, ...]:
        return tuple(sorted({name for name in names if name}, key=natural))

    return KnownNames(
        speakers=listed(*speakers),
        scenes=listed(*scenes),
        productions=listed(*projects, *voiced),
        takes=listed(*takes),
        cuts=listed(*cuts, *files),
        tags=tuple(tag_counts(session)),
    )
