"""A sequence nested in another: its events laid into the place of the clip that plays it."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate

from adapters.timelines.fcp7.effects import curve_at
from core.cut import Event, Fade, GainPoint

_ZERO = Fraction(0)


@dataclass(frozen=True)
class Nest:
    """The events of a nest in the order they start, in its own frames.

    starts: where each starts. reach: how far any of those up to each lasts.
    """

    events: tuple[Event, ...]
    starts: tuple[Fraction, ...]
    reach: tuple[Fraction, ...]


def nest_of(events: Iterable[Event]) -> Nest:
    """Events made ready to be laid in many times."""
    ordered = tuple(sorted(events, key=lambda event: event.record_start))
    reach = tuple(accumulate((event.record_end for event in ordered), max))
    return Nest(ordered, tuple(event.record_start for event in ordered), reach)


def laid_in(whole: Event, nest: Nest, scale: Fraction) -> Iterator[Event | None]:
    """The events of a nest as they sound where its clip lies, trimmed to it.

    whole: what the clip would be if the nest were a file, counted from the nest's start; its
    speed is positive. scale: frames of the outer sequence in one of the nest's. Levels add up; a
    fade of the clip goes to the events at its edge. None stands for one that was looked at and
    lies outside.
    """
    first = whole.source_start / scale
    last = (whole.source_start + whole.record_length * whole.speed) / scale
    reached = bisect.bisect_right(nest.reach, first)
    for event in nest.events[reached : bisect.bisect_left(nest.starts, last)]:
        start = whole.record_start + (event.record_start * scale - whole.source_start) / whole.speed
        length = event.record_length * scale / whole.speed
        begin = max(start, whole.record_start)
        end = min(start + length, whole.record_end)
        yield _inside(event, whole, start, length, begin, end, scale) if end > begin else None


def _inside(
    event: Event,
    whole: Event,
    start: Fraction,
    length: Fraction,
    first: Fraction,
    last: Fraction,
    scale: Fraction,
) -> Event:
    speed = event.speed * whole.speed
    head, tail = first - start, start + length - last
    media = event.media
    if media.available_start is not None:
        media = replace(media, available_start=media.available_start * scale)
    if media.available_length is not None:
        media = replace(media, available_length=media.available_length * scale)
    fade_in = _trimmed(event.fade_in, scale / whole.speed, head)
    fade_out = _trimmed(event.fade_out, scale / whole.speed, tail)
    if fade_in is None and first == whole.record_start and whole.fade_in is not None:
        fade_in = replace(whole.fade_in, length=min(whole.fade_in.length, last - first))
    if fade_out is None and last == whole.record_end and whole.fade_out is not None:
        fade_out = replace(whole.fade_out, length=min(whole.fade_out.length, last - first))
    own = [(p.at * scale / whole.speed - head, p.gain_db) for p in event.automation]
    over = _around(whole.automation, first - whole.record_start, last - whole.record_start)
    return replace(
        event,
        record_start=first,
        record_length=last - first,
        source_start=event.source_start * scale + head * speed,
        media=media,
        fade_in=fade_in,
        fade_out=fade_out,
        gain_db=event.gain_db + whole.gain_db,
        automation=_added(own, over, last - first),
        pan=whole.pan if event.pan is None else event.pan,
        speed=speed,
        enabled=event.enabled and whole.enabled,
    )


def _around(
    points: tuple[GainPoint, ...], first: Fraction, last: Fraction
) -> list[tuple[Fraction, float]]:
    """The points of a curve that decide it between two places, counted from the first."""
    start = max(bisect.bisect_left(points, first, key=lambda point: point.at) - 1, 0)
    end = bisect.bisect_right(points, last, key=lambda point: point.at) + 1
    return [(point.at - first, point.gain_db) for point in points[start:end]]


def _trimmed(fade: Fade | None, scale: Fraction, cut_off: Fraction) -> Fade | None:
    """What is left of a fade of which so many frames are cut off."""
    if fade is None or fade.length * scale <= cut_off:
        return None
    return replace(fade, length=fade.length * scale - cut_off)


def _added(
    one: list[tuple[Fraction, float]], other: list[tuple[Fraction, float]], length: Fraction
) -> tuple[GainPoint, ...]:
    """The sum of two level curves over an event: points wherever either has one."""
    if not one and not other:
        return ()
    if not other:
        return tuple(GainPoint(at, level) for at, level in one)
    places = {at for at, _ in (*one, *other) if 0 < at < length} | {_ZERO, length}
    curves = [curve for curve in (one, other) if curve]
    return tuple(
        GainPoint(at, sum(curve_at(curve, at) for curve in curves)) for at in sorted(places)
    )
