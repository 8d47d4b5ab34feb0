"""Which lines a search is about."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePath

from sqlalchemy import ColumnElement, and_, func, literal, or_, select

from core.events import EventKind
from db.codec import storable
from db.events import OF_THE_TAKE
from db.names import lowered, same_name
from db.tables import Asset, CutEvent, CutRow, EventRow, LineRow, Media, Speaker, Take
from db.takes import is_take


@dataclass(frozen=True)
class Filters:
    """What a line must be beside holding the words; empty and None: anything.

    project, scene, speaker: by name, in either case of letters. take: as a person names it (see
    `is_take`). circled: the take was circled. cut: the name or file name of a cut that plays some
    of the line. min_confidence: 0 to 1. draft: made by a stand-in, or not. events: one of these
    happens within the line; what belongs to a take as a whole (OF_THE_TAKE) counts anywhere in it.
    """

    project: str = ""
    scene: str = ""
    take: str = ""
    speaker: str = ""
    circled: bool | None = None
    cut: str = ""
    min_confidence: float = 0.0
    draft: bool | None = None
    events: tuple[EventKind, ...] = ()

    @property
    def condition(self) -> ColumnElement[bool] | None:
        """The condition on LineRow and Take; None where every line will do."""
        parts: list[ColumnElement[bool]] = []
        if self.project:
            parts.append(same_name(Take.project, self.project) | _speaker_in(self.project))
        if self.scene:
            parts.append(same_name(Take.scene, self.scene))
        if self.take:
            parts.append(is_take(self.take))
        if self.speaker:
            named = select(Speaker.id).where(same_name(Speaker.name, self.speaker))
            parts.append(LineRow.speaker.in_(named))
        if self.circled is not None:
            circled = select(Media.essence).where(Media.circled)
            within = LineRow.essence.in_(circled)
            parts.append(within if self.circled else ~within)
        if self.cut:
            parts.append(_played_by(self.cut))
        if self.min_confidence > 0:
            parts.append(LineRow.confidence >= self.min_confidence)
        if self.draft is not None:
            parts.append(LineRow.draft.is_(self.draft))
        if self.events:
            parts.append(_happens(self.events))
        return and_(*parts) if parts else None


def _speaker_in(project: str) -> ColumnElement[bool]:
    named = select(Speaker.id).where(same_name(Speaker.project, project))
    return LineRow.speaker.in_(named)


def _played_by(cut: str) -> ColumnElement[bool]:
    """Whether an event of a cut of that name plays some of a line."""
    asked = cut.strip()
    name = lowered(literal(_escaped(storable(PurePath(asked).name))))
    named = or_(
        same_name(CutRow.name, asked),
        lowered(CutRow.path).like(literal("%/") + name, escape="\\"),
        lowered(CutRow.path).like(literal("%\\\\") + name, escape="\\"),
    )
    played = (
        select(CutEvent.id)
        .join(CutRow, CutRow.id == CutEvent.cut)
        .join(Asset, Asset.sha256 == CutEvent.asset)
        .where(
            named,
            Asset.essence == LineRow.essence,
            CutEvent.source_start < LineRow.end_sample,
            func.coalesce(CutEvent.source_end, CutEvent.source_start + CutEvent.record_length)
            > LineRow.start_sample,
        )
    )
    return played.exists()


def _happens(kinds: Collection[EventKind]) -> ColumnElement[bool]:
    """Whether an event of one of these kinds happens where a line is."""
    whole = EventRow.kind.in_([kind.value for kind in kinds if kind in OF_THE_TAKE])
    within = and_(
        EventRow.start_sample < LineRow.end_sample, EventRow.end_sample > LineRow.start_sample
    )
    happens = select(EventRow.id).where(
        EventRow.essence == LineRow.essence,
        EventRow.kind.in_([kind.value for kind in kinds]),
        or_(whole, within),
    )
    return happens.exists()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
