"""Events moved, cut, sped up and faded as a whole, as a nested timeline asks of what it holds.

A fade that is cut through, or that lies over several events, can't be a Fade any more: it
becomes gain automation that follows its curve within a quarter of a decibel where it is heard.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import replace
from fractions import Fraction

from core.cut import Event, Fade, FadeShape, GainPoint

SILENCE_DB = -144.0
_STEPS = 24


def moved(event: Event, by: Fraction) -> Event:
    """The event later in the record by so many frames."""
    return event if not by else replace(event, record_start=event.record_start + by)


def sped(event: Event, speed: Fraction) -> Event:
    """The event as it plays when the record around it runs `speed` times as fast (not 0).

    Where the speed is negative, the record is mirrored at its zero: what was first comes last.
    """
    if speed == 1:
        return event
    rate = abs(speed)
    length = event.record_length / rate
    fades = (_quicker(event.fade_in, rate), _quicker(event.fade_out, rate))
    points = tuple(replace(point, at=point.at / rate) for point in event.automation)
    start, source = event.record_start / rate, event.source_start
    if speed < 0:
        start = -event.record_end / rate
        source += event.record_length * event.speed
        fades = (fades[1], fades[0])
        points = tuple(replace(point, at=length - point.at) for point in reversed(points))
    return replace(
        event,
        record_start=start,
        record_length=length,
        source_start=source,
        speed=event.speed * speed,
        fade_in=fades[0],
        fade_out=fades[1],
        automation=points,
    )


def frozen(event: Event, at: Fraction, length: Fraction) -> Event | None:
    """The event's frame at a place of the record, held from 0 for `length`; None if it is silent.

    Its level is the event's own; fades and automation stand still as well and are left out.
    """
    if not event.record_start <= at < event.record_end:
        return None
    return replace(
        event,
        record_start=Fraction(0),
        record_length=length,
        source_start=event.source_start + (at - event.record_start) * event.speed,
        speed=Fraction(0),
        fade_in=None,
        fade_out=None,
        automation=(),
    )


def trimmed(event: Event, first: Fraction, last: Fraction | None) -> Event | None:
    """What of an event lies between two places of the record, or None where nothing does."""
    head = max(Fraction(0), first - event.record_start)
    tail = Fraction(0) if last is None else max(Fraction(0), event.record_end - last)
    if not head and not tail:
        return event
    length = event.record_length - head - tail
    if length <= 0:
        return None
    rising, falling = event.fade_in, event.fade_out
    cut = replace(
        event,
        record_start=event.record_start + head,
        record_length=length,
        source_start=event.source_start + head * event.speed,
        automation=_within(event.automation, head, length),
        fade_in=None,
        fade_out=None,
    )
    if rising is not None:
        cut = risen(cut, cut.record_start - head, rising)
    if falling is not None:
        cut = fallen(cut, cut.record_end + tail, falling)
    return cut


def risen(event: Event, start: Fraction, fade: Fade) -> Event:
    """The event under a fade-in that starts at a place of the record."""
    first = start - event.record_start
    if first + fade.length <= 0:
        return event
    whole = first == 0 and fade.length <= event.record_length and event.fade_in is None
    if whole:
        return replace(event, fade_in=fade)
    return _under(event, _curve(first, fade, rising=True))


def fallen(event: Event, end: Fraction, fade: Fade) -> Event:
    """The event under a fade-out that ends at a place of the record."""
    last = end - event.record_start
    if last - fade.length >= event.record_length:
        return event
    whole = (
        last == event.record_length
        and fade.length <= event.record_length
        and event.fade_out is None
    )
    if whole:
        return replace(event, fade_out=fade)
    return _under(event, _curve(last - fade.length, fade, rising=False))


def levelled(event: Event, gain_db: float, points: tuple[GainPoint, ...], at: Fraction) -> Event:
    """The event with more gain and automation on top; the points count from `at` in the record."""
    if gain_db:
        event = replace(event, gain_db=max(SILENCE_DB, event.gain_db + gain_db))
    if not points:
        return event
    return _under(event, _within(points, event.record_start - at, event.record_length))


def _quicker(fade: Fade | None, rate: Fraction) -> Fade | None:
    return None if fade is None else replace(fade, length=fade.length / rate)


def _under(event: Event, points: tuple[GainPoint, ...]) -> Event:
    both = _summed(event.automation, points)
    return replace(event, automation=_within(both, Fraction(0), event.record_length))


def _curve(first: Fraction, fade: Fade, *, rising: bool) -> tuple[GainPoint, ...]:
    """A fade as points; close together where its level in dB changes fast."""
    points = []
    for step in range(_STEPS + 1):
        part = Fraction(step, _STEPS) ** 2
        gain = float(part)
        if fade.shape is FadeShape.EQUAL_POWER:
            gain = math.sin(gain * math.pi / 2)
        level = round(20 * math.log10(gain), 3) if gain > 0 else SILENCE_DB
        at = first + fade.length * (part if rising else 1 - part)
        points.append(GainPoint(at, level))
    return tuple(points if rising else reversed(points))


def level_at(points: tuple[GainPoint, ...], at: Fraction) -> float:
    """The level in dB that automation gives at a place; 0 without any."""
    if not points:
        return 0.0
    after = bisect_right(points, at, key=lambda point: point.at)
    if after in (0, len(points)):
        return points[0 if after == 0 else -1].gain_db
    left, right = points[after - 1], points[after]
    part = float((at - left.at) / (right.at - left.at))
    return left.gain_db + part * (right.gain_db - left.gain_db)


def _summed(ours: tuple[GainPoint, ...], theirs: tuple[GainPoint, ...]) -> tuple[GainPoint, ...]:
    """Both levels added, exact at every point of either and between them."""
    if not ours or not theirs:
        return ours or theirs
    places = sorted({point.at for point in (*ours, *theirs)})
    return tuple(
        GainPoint(at, max(SILENCE_DB, level_at(ours, at) + level_at(theirs, at))) for at in places
    )


def _within(
    points: tuple[GainPoint, ...], first: Fraction, length: Fraction
) -> tuple[GainPoint, ...]:
    """Points of the stretch from `first` on, counted from there; the level at its ends stays."""
    if not points:
        return ()
    last = first + length
    start = GainPoint(Fraction(0), level_at(points, first))
    if points[0].at >= last or points[-1].at <= first:
        return (start,)
    after = bisect_right(points, first, key=lambda point: point.at)
    before = bisect_left(points, last, key=lambda point: point.at)
    inside = (replace(point, at=point.at - first) for point in points[after:before])
    return (start, *inside, GainPoint(length, level_at(points, last)))
