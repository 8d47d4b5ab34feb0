"""Where cuts play takes, by the cuts as they were read last."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session, aliased

from core.time import FrameRate
from db.chunks import chunks
from db.codec import rate_from_text
from db.tables import Asset, CutEvent, CutRow


@dataclass(frozen=True)
class Play:
    """An event of a cut that plays a stretch of a take.

    cut: its name; path: of its file; start: its first frame, since midnight. record_start,
    record_length: samples of the session, from the cut's start. source_start, source_end: samples
    of the take. take_key: of the cleaned sound that was delivered; empty where it was untouched.
    """

    cut: str
    path: Path
    rate: FrameRate
    start: int
    event: str
    record_start: int
    record_length: int
    essence: str
    channels: tuple[int, ...]
    source_start: int
    source_end: int
    take_key: str


def plays_of(session: Session, essences: Collection[str]) -> tuple[Play, ...]:
    """Where cuts play these takes, by cut and place in the record."""
    query = (
        select(CutRow, CutEvent, Asset.essence)
        .join(CutEvent, CutEvent.cut == CutRow.id)
        .join(Asset, Asset.sha256 == CutEvent.asset)
        .where(is_read_last())
    )
    found = []
    for some in chunks(sorted(set(essences))):
        for cut, event, essence in session.execute(query.where(Asset.essence.in_(some))).tuples():
            rate = rate_from_text(cut.rate)
            if rate is None or event.source_start is None:
                continue
            end = event.source_end
            found.append(
                Play(
                    cut=cut.name,
                    path=cut.path,
                    rate=rate,
                    start=cut.start,
                    event=event.event,
                    record_start=event.record_start,
                    record_length=event.record_length,
                    essence=essence,
                    channels=tuple(event.channels),
                    source_start=event.source_start,
                    source_end=event.source_start + event.record_length if end is None else end,
                    take_key=event.take_key,
                )
            )
    return tuple(sorted(found, key=lambda play: (str(play.path), play.record_start, play.event)))


def is_read_last() -> ColumnElement[bool]:
    """Whether a row of `cuts` is what its file held when it was read last.

    Of files that hold the same cut, the one that was read last.
    """
    later = aliased(CutRow)
    same = or_(later.path == CutRow.path, later.digest == CutRow.digest)
    return ~exists().where(same, later.read_at > CutRow.read_at)
