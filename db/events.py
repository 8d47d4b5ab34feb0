"""What happens in takes beside the lines, by the detector that found it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.orm import Session

from core.events import EventKind, SoundEvent
from core.time import FrameRate
from db.codec import now, rate_from_text, storable
from db.tables import EventPass, EventRow, Take
from db.takes import is_take, latest_paths, natural

OF_THE_TAKE = frozenset(
    {
        EventKind.SLATE,
        EventKind.TONE,
        EventKind.POP,
        EventKind.DIRECTION,
        EventKind.SILENCE,
    }
)
"""Events that lie outside the lines, and say something of the whole take."""


@dataclass(frozen=True)
class TakeEvent:
    """An event and the take it happens in; the fields are those of `db.catalogue.TakeLine`.

    The event's positions count from the first sample of the take.
    """

    name: str
    scene: str
    take: str
    tape: str
    essence: str
    path: Path | None
    sample_rate: int
    time_reference: int | None
    timecode_rate: FrameRate | None
    event: SoundEvent


def store_events(
    session: Session, essence: str, detector: str, version: str, events: Sequence[SoundEvent]
) -> None:
    """Remembers what a detector found in a take, in place of what it found there before.

    detector: its name. version: changes whenever its findings may. Raises ValueError for a take
    that is not remembered.
    """
    if session.get(Take, essence) is None:
        raise ValueError(f"Take {essence} is not remembered.")
    forget_events(session, essence, detector)
    done = EventPass(essence=essence, detector=detector, version=version, created=now())
    session.add(done)
    session.flush()
    rows = [
        {
            "event_pass": done.id,
            "essence": essence,
            "kind": event.kind.value,
            "start_sample": event.start,
            "end_sample": event.end,
            "channel": event.channel,
            "confidence": event.confidence,
            "note": storable(event.note),
        }
        for event in events
    ]
    if rows:
        session.execute(insert(EventRow), rows)


def has_events(session: Session, essence: str, detector: str, version: str) -> bool:
    """Whether this version of a detector has been over a take, even if it found nothing."""
    query = select(EventPass.id).where(
        EventPass.essence == essence,
        EventPass.detector == detector,
        EventPass.version == version,
    )
    return session.scalars(query).first() is not None


def forget_events(session: Session, essence: str, detector: str | None = None) -> int:
    """Removes what a detector (None: all) found in a take, and that it was there; how many."""
    passes = select(EventPass.id).where(EventPass.essence == essence)
    if detector is not None:
        passes = passes.where(EventPass.detector == detector)
    numbers = session.scalars(passes).all()
    found = session.scalars(select(EventRow.id).where(EventRow.event_pass.in_(numbers))).all()
    session.execute(delete(EventRow).where(EventRow.event_pass.in_(numbers)))
    session.execute(delete(EventPass).where(EventPass.id.in_(numbers)))
    return len(found)


def events_of(
    session: Session,
    take: str | None = None,
    essence: str | None = None,
    kinds: Collection[EventKind] = (),
    condition: ColumnElement[bool] | None = None,
) -> tuple[TakeEvent, ...]:
    """The events of a take, or of all, by scene, take and start.

    take: as a person names it (see `db.takes.is_take`). essence: sha256 of its sound.
    kinds: only these; empty: all. condition: on EventRow and Take, beside these. What two
    detectors found alike is given once.
    """
    query = select(EventRow, Take).join(Take, Take.essence == EventRow.essence)
    if take is not None:
        query = query.where(is_take(take))
    if essence is not None:
        query = query.where(EventRow.essence == essence)
    if kinds:
        query = query.where(EventRow.kind.in_(sorted(kind.value for kind in kinds)))
    if condition is not None:
        query = query.where(condition)
    answers = session.execute(query).all()
    paths = latest_paths(session, {row.essence for row, _ in answers})
    found = {_take_event(row, of, paths.get(row.essence)) for row, of in answers}
    return tuple(sorted(found, key=_order))


def _take_event(row: EventRow, take: Take, path: Path | None) -> TakeEvent:
    return TakeEvent(
        name=take.name,
        scene=take.scene,
        take=take.take,
        tape=take.tape,
        essence=take.essence,
        path=path,
        sample_rate=take.sample_rate,
        time_reference=take.time_reference,
        timecode_rate=rate_from_text(take.timecode_rate),
        event=SoundEvent(
            kind=EventKind(row.kind),
            start=row.start_sample,
            end=row.end_sample,
            channel=row.channel,
            confidence=row.confidence,
            note=row.note,
        ),
    )


def _order(found: TakeEvent) -> tuple[object, ...]:
    event = found.event
    return (
        natural(found.scene),
        natural(found.take),
        natural(found.name),
        found.essence,
        event.start,
        event.end,
        event.kind,
        -1 if event.channel is None else event.channel,
        event.note,
    )
