"""How a cut is laid out in the slots of an AAF, before anything is written.

A slot is mono and holds one thing after another. A track whose clips have two channels becomes a
slot for each (`A1.L`, `A1.R`); clips that overlap without being a dissolve go to a further slot
of the same name (`A1 (2)`). A fade beside silence is a transition with a filler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from adapters.timelines.named import MediaOfEvents, NamedMedia
from core.cut import Cut, Event, FadeShape, Track
from core.time import round_half_up


@dataclass(frozen=True)
class Silence:
    """A filler. length: edit units."""

    length: int


@dataclass(frozen=True)
class Joint:
    """A transition. cut_point: edit units from its start to the cut that it covers."""

    length: int
    cut_point: int
    shape: FadeShape


@dataclass(frozen=True)
class Clip:
    """A clip. length: edit units. media: what it plays, None where it is offline.

    channel: of the file, from 0.
    """

    event: Event
    media: NamedMedia | None
    channel: int
    length: int


@dataclass(frozen=True)
class PlannedSlot:
    """A slot of the composition. number: its physical track."""

    name: str
    number: int
    track: Track
    parts: tuple[Silence | Joint | Clip, ...]


@dataclass(frozen=True)
class Grid:
    """Edit units of the composition's sound slots. rate: a second, unit: a frame of the cut."""

    rate: Fraction
    unit: Fraction

    def at(self, frames: Fraction) -> int:
        """The edit unit nearest to a position in frames."""
        return round_half_up(frames * self.unit)


def grid_of(cut: Cut, media: MediaOfEvents, active: str) -> Grid:
    """Frames where every edit of the cut lies on one, else samples of its media (48 kHz)."""
    rates = []
    whole = True
    for track in cut.audio_tracks:
        for event in track.events:
            playing = playing_media(media, event, active)
            rates += [playing.sample_rate] if playing is not None else []
            fades = [fade.length for fade in (event.fade_in, event.fade_out) if fade is not None]
            places = [event.record_start, event.record_length, source_offset(event, playing)]
            whole = whole and all(place.denominator == 1 for place in (*places, *fades))
    if whole:
        return Grid(cut.rate.fps, Fraction(1))
    rate = Fraction(max(set(rates), key=rates.count) if rates else 48000)
    return Grid(rate, rate / cut.rate.fps)


def playing_media(media: MediaOfEvents, event: Event, active: str) -> NamedMedia | None:
    """The media of an event that plays: the active one, else any that it has."""
    named = media.get(event.id, {})
    return named.get(active) or next(iter(named.values()), None)


def source_offset(event: Event, media: NamedMedia | None) -> Fraction:
    """Frames from the media's first sample to what the event plays first."""
    start = media.start if media is not None else event.media.available_start or Fraction(0)
    return event.source_start - start


def planned(cut: Cut, media: MediaOfEvents, active: str, grid: Grid) -> tuple[PlannedSlot, ...]:
    """The sound slots of a cut, all of its length."""
    slots: list[PlannedSlot] = []
    total = grid.at(cut.length)
    for track in cut.audio_tracks:
        lanes = _lanes(track.events, grid) or [[]]
        for number, events in enumerate(lanes, 1):
            lane = track.name if number == 1 else f"{track.name} ({number})"
            width = max((len(_channels(one, media, active)) for one in events), default=1)
            for leg in range(width):
                parts = _parts(events, leg, total, media, active, grid)
                slots.append(PlannedSlot(_leg(lane, leg, width), len(slots) + 1, track, parts))
    return tuple(slots)


def _leg(name: str, leg: int, width: int) -> str:
    if width == 1:
        return name
    return f"{name}.{'LR'[leg]}" if width == 2 else f"{name}.{leg + 1}"


def _channels(event: Event, media: MediaOfEvents, active: str) -> tuple[int, ...]:
    playing = playing_media(media, event, active)
    return (playing.channels if playing is not None else event.channels) or (0,)


def _lanes(events: Sequence[Event], grid: Grid) -> list[list[Event]]:
    """Events in as few lanes as hold them without an overlap that is no dissolve."""
    lanes: list[list[Event]] = []
    for event in sorted(events, key=lambda one: one.record_start):
        lane = next((one for one in lanes if _follows(one[-1], event, grid)), None)
        if lane is None:
            lanes.append([event])
        else:
            lane.append(event)
    return lanes


def _follows(before: Event, event: Event, grid: Grid) -> bool:
    overlap = grid.at(before.record_end) - grid.at(event.record_start)
    if overlap <= 0:
        return True
    out, into = _fade(before, grid, last=True), _fade(event, grid, last=False)
    room = grid.at(before.record_end) - grid.at(before.record_start) - overlap
    return out == into == overlap and room >= _fade(before, grid, last=False)


def _fade(event: Event, grid: Grid, *, last: bool) -> int:
    """A fade's length on the grid."""
    fade = event.fade_out if last else event.fade_in
    if fade is None:
        return 0
    edge = event.record_end if last else event.record_start
    inner = edge - fade.length if last else edge + fade.length
    return abs(grid.at(inner) - grid.at(edge))


def _parts(
    events: Sequence[Event],
    leg: int,
    total: int,
    media: MediaOfEvents,
    active: str,
    grid: Grid,
) -> tuple[Silence | Joint | Clip, ...]:
    parts: list[Silence | Joint | Clip] = []
    at = 0
    for index, event in enumerate(events):
        first, last = grid.at(event.record_start), grid.at(event.record_end)
        into, out = _fade(event, grid, last=False), _fade(event, grid, last=True)
        if last <= first:
            continue
        if first < at:
            shape = event.fade_in.shape if event.fade_in else FadeShape.LINEAR
            parts.append(Joint(at - first, (at - first) // 2, shape))
        elif into and event.fade_in is not None:
            parts += [Silence(first - at + into), Joint(into, 0, event.fade_in.shape)]
        elif first > at:
            parts.append(Silence(first - at))
        channels = _channels(event, media, active)
        channel = channels[leg] if leg < len(channels) else channels[0]
        playing = playing_media(media, event, active)
        parts.append(Clip(event, playing, channel, last - first))
        at = last
        following = events[index + 1] if index + 1 < len(events) else None
        meets = following is not None and grid.at(following.record_start) < last
        if out and not meets and event.fade_out is not None:
            parts += [Joint(out, out, event.fade_out.shape), Silence(out)]
    if at < total:
        parts.append(Silence(total - at))
    return tuple(parts)
