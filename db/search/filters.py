"""Which lines a search is about, as a condition of the database."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePath

from sqlalchemy import ColumnElement, and_, bindparam, func, literal, or_, select

from core.events import EventKind
from core.filters import Filters
from db.codec import storable
from db.events import OF_THE_TAKE
from db.names import lowered, same_name
from db.review import gate_state_is
from db.tables import Asset, CutEvent, CutRow, EventRow, LineRow, Media, Speaker, Take, TakeTag
from db.takes import is_take


def condition(filters: Filters) -> ColumnElement[bool] | None:
    """The condition on LineRow and Take; None where every line will do."""
    parts = [*_of_takes(filters), *_of_lines(filters)]
    if filters.project:
        parts.append(same_name(Take.project, filters.project) | _speaker_in(filters.project))
    if filters.cut:
        parts.append(_played_by(filters.cut, LineRow))
    if filters.events:
        parts.append(_happens(filters.events))
    return and_(*parts) if parts else None


def of_events(filters: Filters) -> ColumnElement[bool] | None:
    """The condition on EventRow and Take, for events themselves; None where all will do.

    What a line must be (speaker, confidence, draft) some line must be that the event happens
    in; of what belongs to a take as a whole, some line of the take.
    """
    parts, lines = _of_takes(filters), _of_lines(filters)
    if filters.project:
        spoken = _of_event(_speaker_in(filters.project))
        parts.append(same_name(Take.project, filters.project) | spoken)
    if filters.cut:
        parts.append(_played_by(filters.cut, EventRow))
    if lines:
        parts.append(_of_event(_around(OF_THE_TAKE), *lines))
    if filters.events:
        parts.append(EventRow.kind.in_([kind.value for kind in filters.events]))
    return and_(*parts) if parts else None


def _of_takes(filters: Filters) -> list[ColumnElement[bool]]:
    """What a take must be."""
    parts: list[ColumnElement[bool]] = []
    if filters.scene:
        parts.append(same_name(Take.scene, filters.scene))
    if filters.take:
        parts.append(is_take(filters.take))
    if filters.circled is not None:
        circled = Take.essence.in_(select(Media.essence).where(Media.circled))
        parts.append(circled if filters.circled else ~circled)
    if filters.recorded_from:
        parts.append(Take.recorded >= filters.recorded_from)
    if filters.recorded_to:
        parts.append((Take.recorded != "") & (Take.recorded <= filters.recorded_to))
    for tag in filters.tags:
        tagged = select(TakeTag.essence).where(TakeTag.tag == tag)
        parts.append(Take.essence.in_(tagged))
    if filters.gates:
        parts.append(Take.essence.in_(gate_state_is(filters.gates)))
    return parts


def _of_lines(filters: Filters) -> list[ColumnElement[bool]]:
    """What a line must be by itself; one that a person corrected is sure and no draft."""
    parts: list[ColumnElement[bool]] = []
    corrected = LineRow.id.in_(
        bindparam(None, sorted(filters.corrected), expanding=True, literal_execute=True)
    )
    if filters.speaker:
        named = select(Speaker.id).where(same_name(Speaker.name, filters.speaker))
        parts.append(LineRow.speaker.in_(named))
    if filters.min_confidence > 0:
        parts.append((LineRow.confidence >= filters.min_confidence) | corrected)
    if filters.draft is not None:
        draft = LineRow.draft & ~corrected
        parts.append(draft if filters.draft else ~draft)
    return parts


def _speaker_in(project: str) -> ColumnElement[bool]:
    named = select(Speaker.id).where(same_name(Speaker.project, project))
    return LineRow.speaker.in_(named)


def _of_event(*parts: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether some line of an event's take fits."""
    return select(LineRow.id).where(LineRow.essence == EventRow.essence, *parts).exists()


def _played_by(cut: str, of: type[LineRow | EventRow]) -> ColumnElement[bool]:
    """Whether an event of a cut of that name plays some of a line, or of what happens."""
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
            Asset.essence == of.essence,
            CutEvent.source_start < of.end_sample,
            func.coalesce(CutEvent.source_end, CutEvent.source_start + CutEvent.record_length)
            > of.start_sample,
        )
    )
    return played.exists()


def _happens(kinds: Collection[EventKind]) -> ColumnElement[bool]:
    """Whether an event of one of these kinds happens where a line is."""
    happens = select(EventRow.id).where(
        EventRow.essence == LineRow.essence,
        EventRow.kind.in_([kind.value for kind in kinds]),
        _around(OF_THE_TAKE & frozenset(kinds)),
    )
    return happens.exists()


def _around(whole: Collection[EventKind]) -> ColumnElement[bool]:
    """Whether an event lies within a line, or is of a kind that counts anywhere in the take."""
    within = and_(
        EventRow.start_sample < LineRow.end_sample, EventRow.end_sample > LineRow.start_sample
    )
    return or_(EventRow.kind.in_([kind.value for kind in whole]), within)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
