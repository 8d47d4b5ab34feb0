"""Which lines a search is about."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePath

from sqlalchemy import ColumnElement, and_, bindparam, func, literal, or_, select

from core.events import EventKind
from core.review import GateState
from db.codec import storable
from db.events import OF_THE_TAKE
from db.names import lowered, same_name
from db.review import gate_state_is
from db.tables import Asset, CutEvent, CutRow, EventRow, LineRow, Media, Speaker, Take, TakeTag
from db.takes import is_take


@dataclass(frozen=True)
class Filters:
    """What a line must be beside holding the words; empty and None: anything.

    project, scene, speaker: by name, in either case of letters. take: as a person names it (see
    `is_take`). circled: the take was circled. cut: the name or file name of a cut that plays some
    of the line. min_confidence: 0 to 1. draft: made by a stand-in, or not. events: one of these
    happens within the line; what belongs to a take as a whole (OF_THE_TAKE) counts anywhere in it.
    recorded_from, recorded_to: the first and the last day (ISO 8601); a take whose day nobody wrote
    down is on none. tags: the take has all of them (see `core.tags`). gates: how the take stands
    with them.
    corrected: numbers of the lines that people corrected whole, for min_confidence and draft.
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
    recorded_from: str = ""
    recorded_to: str = ""
    tags: tuple[str, ...] = ()
    gates: GateState | None = None
    corrected: frozenset[int] = frozenset()

    @property
    def condition(self) -> ColumnElement[bool] | None:
        """The condition on LineRow and Take; None where every line will do."""
        parts = [*self._of_takes(), *self._of_lines()]
        if self.project:
            parts.append(same_name(Take.project, self.project) | _speaker_in(self.project))
        if self.cut:
            parts.append(_played_by(self.cut, LineRow))
        if self.events:
            parts.append(_happens(self.events))
        return and_(*parts) if parts else None

    @property
    def of_events(self) -> ColumnElement[bool] | None:
        """The condition on EventRow and Take, for events themselves; None where all will do.

        What a line must be (speaker, confidence, draft) some line must be that the event happens
        in; of what belongs to a take as a whole, some line of the take.
        """
        parts, lines = self._of_takes(), self._of_lines()
        if self.project:
            spoken = _of_event(_speaker_in(self.project))
            parts.append(same_name(Take.project, self.project) | spoken)
        if self.cut:
            parts.append(_played_by(self.cut, EventRow))
        if lines:
            parts.append(_of_event(_around(OF_THE_TAKE), *lines))
        if self.events:
            parts.append(EventRow.kind.in_([kind.value for kind in self.events]))
        return and_(*parts) if parts else None

    def _of_takes(self) -> list[ColumnElement[bool]]:
        """What a take must be."""
        parts: list[ColumnElement[bool]] = []
        if self.scene:
            parts.append(same_name(Take.scene, self.scene))
        if self.take:
            parts.append(is_take(self.take))
        if self.circled is not None:
            circled = Take.essence.in_(select(Media.essence).where(Media.circled))
            parts.append(circled if self.circled else ~circled)
        if self.recorded_from:
            parts.append(Take.recorded >= self.recorded_from)
        if self.recorded_to:
            parts.append((Take.recorded != "") & (Take.recorded <= self.recorded_to))
        for tag in self.tags:
            tagged = select(TakeTag.essence).where(TakeTag.tag == tag)
            parts.append(Take.essence.in_(tagged))
        if self.gates:
            parts.append(Take.essence.in_(gate_state_is(self.gates)))
        return parts

    def _of_lines(self) -> list[ColumnElement[bool]]:
        """What a line must be by itself; one that a person corrected is sure and no draft."""
        parts: list[ColumnElement[bool]] = []
        corrected = LineRow.id.in_(
            bindparam(None, sorted(self.corrected), expanding=True, literal_execute=True)
        )
        if self.speaker:
            named = select(Speaker.id).where(same_name(Speaker.name, self.speaker))
            parts.append(LineRow.speaker.in_(named))
        if self.min_confidence > 0:
            parts.append((LineRow.confidence >= self.min_confidence) | corrected)
        if self.draft is not None:
            draft = LineRow.draft & ~corrected
            parts.append(draft if self.draft else ~draft)
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
