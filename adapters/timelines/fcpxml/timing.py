"""When a story element plays, and at what speed: offsets, retimes and rate conforms.

- `offset` counts in the parent's timeline, `start` is where the element's own timeline begins;
  where it is missing, an asset begins with its media, a compound clip with its timecode.
- A rate conform (on unless `scaleEnabled` is 0) plays a frame of the source for a frame of the
  timeline: the element's own timeline then runs at the source's pace.
- A `timeMap` maps the element's own timeline to the media's: two points make a constant speed.
- `audioStart` and `audioDuration` are where the sound of a split edit begins and how long it is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from xml.etree.ElementTree import Element

from adapters.timelines.fcpxml.ledger import Ledger
from adapters.timelines.fcpxml.resources import Asset, Resources, source_rate
from adapters.timelines.fcpxml.sounds import Span, View
from adapters.timelines.fcpxml.values import seconds, tame

_SAME_SPEED = Fraction(1, 10_000)


@dataclass(frozen=True)
class Timing:
    """When an element plays, in seconds.

    offset, duration: in its parent's timeline. start: of its own timeline. conform: seconds of
    its own timeline in a second of the parent's. media_start: where its media or contents begin,
    slope: seconds of them in a second of the parent's timeline, 0 for a freeze.
    variable: the slope is the mean of a speed that changes.
    """

    offset: Fraction
    duration: Fraction
    start: Fraction
    conform: Fraction
    media_start: Fraction
    slope: Fraction
    keeps_pitch: bool
    variable: bool
    sound: Span

    @property
    def end(self) -> Fraction:
        """Where it ends in its parent's timeline."""
        return self.offset + self.duration

    def media(self, time: Fraction) -> Fraction:
        """The media time that plays at a time of the parent's timeline."""
        return tame(self.media_start + (time - self.offset) * self.slope)

    def local_view(self, view: View) -> View:
        """The element's own timeline in the record, where its parent has a view."""
        return View(view.record(self.offset), self.start, view.speed * self.conform)

    def media_view(self, view: View) -> View | None:
        """Its media or contents in the record, or None for a freeze."""
        if self.slope == 0:
            return None
        return View(view.record(self.offset), self.media_start, view.speed * self.slope)


def read_timing(
    element: Element,
    offset: Fraction,
    held: Span | None,
    fps: Fraction,
    resources: Resources,
    ledger: Ledger,
) -> Timing:
    """The timing of an element.

    offset: where it lies if it does not say. held: what it refers to begins and ends with, in
    the media's own time. fps: of the timeline it lies in.
    """
    asset = resources.asset(element.get("ref", ""))
    points = _map(element, ledger)
    length = _time(element, "duration", ledger)
    if length is None and held is not None:
        length = held.last - held.first
    if length is None or length <= 0:
        ledger.warn(f"{named(element)} has no length and is left out.")
        length = Fraction(0)
    own = _time(element, "start", ledger)
    if own is None:
        own = points[0][0] if points else held.first if held is not None else Fraction(0)
    at = _time(element, "offset", ledger)
    at = offset if at is None else at
    conform = _conform(element, asset, fps, resources, ledger)
    begins, slope, variable = _mapped(points, own, length * conform)
    if points and asset is not None and _counts_from_zero(points, asset):
        begins += asset.start
    head, sound_length = (
        _time(element, "audioStart", ledger),
        _time(element, "audioDuration", ledger),
    )
    heard = at if head is None else at + (head - own) / conform
    return Timing(
        offset=at,
        duration=length,
        start=own,
        conform=conform,
        media_start=begins,
        slope=slope * conform,
        keeps_pitch=bool(points) and _keeps_pitch(element),
        variable=variable,
        sound=Span(
            heard, heard + (length if sound_length is None else max(sound_length, Fraction(0)))
        ),
    )


def named(element: Element) -> str:
    """An element for a sentence: its tag and name."""
    name = element.get("name") or element.get("ref") or ""
    return f"{element.tag} {name[:80]!r}"


def _time(element: Element, name: str, ledger: Ledger) -> Fraction | None:
    text = element.get(name)
    if text is None:
        return None
    value = seconds(text)
    if value is None:
        ledger.warn(f"{named(element)} has a {name} that is no time ({text[:40]!r}).")
    return value


def _keeps_pitch(element: Element) -> bool:
    mapping = element.find("timeMap")
    return mapping is not None and mapping.get("preservesPitch", "1") != "0"


def _conform(
    element: Element, asset: Asset | None, fps: Fraction, resources: Resources, ledger: Ledger
) -> Fraction:
    item = element.find("conform-rate")
    if item is None or item.get("scaleEnabled", "1") == "0":
        return Fraction(1)
    rate = source_rate(item.get("srcFrameRate"))
    rate = rate or resources.rates.get(element.get("format", ""))
    rate = rate or (asset.fps if asset is not None else None)
    if rate is None:
        ledger.warn(f"{named(element)} is rate-conformed from a rate that is not given: ignored.")
        return Fraction(1)
    return fps / rate


def _map(element: Element, ledger: Ledger) -> list[tuple[Fraction, Fraction]]:
    """The points of a `timeMap` by time: own time and media time; none without two."""
    mapping = element.find("timeMap")
    if mapping is None:
        return []
    points: dict[Fraction, Fraction] = {}
    for point in mapping.iterfind("timept"):
        ledger.step()
        time, value = seconds(point.get("time")), seconds(point.get("value"))
        if time is not None and value is not None:
            points[time] = value
    if len(points) < 2:
        ledger.warn(f"{named(element)} has a retime that can't be read: it plays at its own speed.")
        return []
    return sorted(points.items())


def _mapped(
    points: Sequence[tuple[Fraction, Fraction]], start: Fraction, length: Fraction
) -> tuple[Fraction, Fraction, bool]:
    """Media time at the start, mean speed over the length, and whether the speed changes."""
    if not points:
        return start, Fraction(1), False
    end = start + length
    first, last = _at(points, start), _at(points, end)
    segments = range(_segment(points, start), _segment(points, end) + 1)
    slopes = [_slope(points, index) for index in segments if length == 0 or points[index][0] < end]
    mean = tame((last - first) / length) if length > 0 else _slope(points, segments[0])
    changes = bool(slopes) and max(slopes) - min(slopes) > _SAME_SPEED
    return tame(first), mean, changes


def _segment(points: Sequence[tuple[Fraction, Fraction]], time: Fraction) -> int:
    found = bisect_right(points, time, key=lambda point: point[0]) - 1
    return min(max(found, 0), len(points) - 2)


def _slope(points: Sequence[tuple[Fraction, Fraction]], index: int) -> Fraction:
    (time, value), (later, next_value) = points[index], points[index + 1]
    return (next_value - value) / (later - time)


def _at(points: Sequence[tuple[Fraction, Fraction]], time: Fraction) -> Fraction:
    index = _segment(points, time)
    return points[index][1] + (time - points[index][0]) * _slope(points, index)


def _counts_from_zero(points: Sequence[tuple[Fraction, Fraction]], asset: Asset) -> bool:
    """Whether a map leaves out the timecode that its asset begins at."""
    return asset.start > 0 and max(value for _, value in points) < asset.start
