"""Conform: where each source sample lands in the record, and under which envelope.

Pure integer arithmetic on samples and envelopes in float64. A length in samples is the
difference of two rounded positions, so clips that touch in frames touch in samples.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.cut import Cut, Event, Fade, FadeShape
from core.time import frames_to_samples, round_half_up
from core.words import some

Samples = NDArray[np.float64]
Item = TypeVar("Item")

Retimed = Literal["silence", "original"]
"""What an event gives whose speed can't be conformed: nothing, or its sound at its own speed."""

MUTE_DB = -144.0
"""A gain of this or less is silence: timelines write it for minus infinity."""

SLOWEST, FASTEST = Fraction(1, 10), Fraction(10)
"""Constant speeds that are conformed; beyond them a take would outgrow the cache."""


@dataclass(frozen=True)
class Source:
    """Where an event's sound comes from.

    take: key of the take (its file and channel group). start: sample of the file, at the file's
    own rate, that the event's first record frame plays. sample_rate: of the file.
    channels: of the file, from 0.
    """

    take: str
    start: int
    sample_rate: int
    channels: tuple[int, ...]


@dataclass(frozen=True)
class Placement:
    """A stretch of a take laid into the record; all in samples of the session rate.

    record_start, length: in the record, fades included. speed: source consumed by the record,
    more than 0. keeps_pitch: whether the take is stretched, its pitch kept, or plays faster as on
    tape. source_start: in the take as it is at that speed (a take of n samples has n / speed).
    fade_in, fade_out: lengths, 0 for none, counted from the event's own ends. gain: linear factor.
    automation: further gain as (sample, dB), in order, counted from the event's first sample.
    before, after: samples of the event that lie outside the cut, before its start and past its end.
    """

    event_id: str
    track: str
    take: str
    channels: tuple[int, ...]
    record_start: int
    length: int
    source_start: int
    fade_in: int = 0
    fade_in_shape: FadeShape = FadeShape.EQUAL_POWER
    fade_out: int = 0
    fade_out_shape: FadeShape = FadeShape.EQUAL_POWER
    gain: float = 1.0
    speed: Fraction = Fraction(1)
    keeps_pitch: bool = False
    automation: tuple[tuple[int, float], ...] = ()
    before: int = 0
    after: int = 0

    @property
    def record_end(self) -> int:
        """Sample of the record just past the stretch."""
        return self.record_start + self.length


class Timetable(Generic[Item]):
    """What is on when, found without looking at everything; it keeps the order it was given."""

    def __init__(
        self, items: Sequence[Item], bounds: Callable[[Item], tuple[int, int]], grain: int
    ) -> None:
        """Enter items. bounds: first sample and one past the last. grain: samples of a page."""
        self._items = items
        self._bounds = bounds
        self._grain = grain
        self._pages: dict[int, list[int]] = defaultdict(list)
        for number, item in enumerate(items):
            start, end = bounds(item)
            for page in range(start // grain, -(-end // grain)) if start < end else ():
                self._pages[page].append(number)

    def during(self, first: int, count: int) -> list[Item]:
        """The items that share a sample with first … first + count."""
        pages = range(first // self._grain, -(-(first + count) // self._grain))
        numbers = sorted({number for page in pages for number in self._pages.get(page, ())})
        return [
            self._items[number] for number in numbers if self._touches(number, first, first + count)
        ]

    def _touches(self, number: int, first: int, last: int) -> bool:
        start, end = self._bounds(self._items[number])
        return start < last and end > first


def timetable(laid: Sequence[Placement], grain: int) -> Timetable[Placement]:
    """A timetable of placements by their place in the record."""
    return Timetable(laid, lambda item: (item.record_start, item.record_end), grain)


def cut_length(cut: Cut, sample_rate: int) -> int:
    """Samples from the first to the last frame of a cut."""
    return frames_to_samples(cut.start + cut.length, cut.rate.fps, sample_rate) - start_sample(
        cut, sample_rate
    )


def start_sample(cut: Cut, sample_rate: int) -> int:
    """Samples since midnight, in the cut's timecode, of its first frame (a time reference)."""
    return frames_to_samples(cut.start, cut.rate.fps, sample_rate)


def conformable(event: Event) -> bool:
    """Whether an event's speed is constant, forwards and within what is conformed."""
    return not event.variable_speed and SLOWEST <= event.speed <= FASTEST


def placements(
    cut: Cut, sources: Mapping[str, Source], sample_rate: int, retimed: Retimed = "silence"
) -> tuple[Placement, ...]:
    """Every event of the cut that sounds and has a source, laid into the record.

    sources: by event id; events without one stay silent. Parts of an event that lie outside
    the cut are trimmed. sample_rate: the session's, in Hz. retimed: what becomes of events that
    are not `conformable`; at its own speed, one that runs backwards starts where it would end.
    """
    total = cut_length(cut, sample_rate)
    laid = []
    for track, event in cut.sounding():
        source = sources.get(event.id)
        if source is not None and (retimed == "original" or conformable(event)):
            placement = _placement(cut, track.name, event, source, sample_rate, total)
            if placement.length > 0:
                laid.append(placement)
    return tuple(laid)


def _placement(
    cut: Cut, track: str, event: Event, source: Source, sample_rate: int, total: int
) -> Placement:
    origin = start_sample(cut, sample_rate)

    def at(frames: Fraction) -> int:
        return frames_to_samples(cut.start + frames, cut.rate.fps, sample_rate) - origin

    first, last = at(event.record_start), at(event.record_end)
    fade_in, fade_out = event.fade_in, event.fade_out
    speed = event.speed if conformable(event) else Fraction(1)
    before = max(0, -first)
    take_start = Fraction(_first_played(cut, event, source) * sample_rate, source.sample_rate)
    return Placement(
        event_id=event.id,
        track=track,
        take=source.take,
        channels=source.channels,
        record_start=first + before,
        length=min(last, total) - first - before,
        source_start=round_half_up(take_start / speed) + before,
        fade_in=at(event.record_start + fade_in.length) - first if fade_in else 0,
        fade_in_shape=_shape(fade_in),
        fade_out=last - at(event.record_end - fade_out.length) if fade_out else 0,
        fade_out_shape=_shape(fade_out),
        gain=factor(event.gain_db) if event.gain_db else 1.0,
        speed=speed,
        keeps_pitch=event.keeps_pitch and speed != 1,
        automation=tuple(
            (at(event.record_start + point.at) - first, point.gain_db) for point in event.automation
        ),
        before=before,
        after=max(0, last - total),
    )


def _first_played(cut: Cut, event: Event, source: Source) -> int:
    """The earliest sample of its file that an event plays."""
    if event.speed >= 0 or event.variable_speed:
        return source.start
    return source.start + frames_to_samples(
        event.record_length * event.speed, cut.rate.fps, source.sample_rate
    )


def source_span(placement: Placement, sample_rate: int, file_rate: int) -> tuple[int, int]:
    """Samples of its file that a placement plays: the first, and one past the last.

    sample_rate: of the session. file_rate: of the file. Where the pitch is kept, stretching
    takes some milliseconds around them as well.
    """
    scale = placement.speed * file_rate / sample_rate
    start, end = placement.source_start, placement.source_start + placement.length
    return round_half_up(start * scale), round_half_up(end * scale)


def retime_notes(cut: Cut, retimed: Retimed) -> tuple[str, ...]:
    """The speeds and pan that stems do not follow, a sentence of each kind for an editor."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for _, event in cut.sounding():
        if not conformable(event):
            kinds[_kind(event)].append(event.id)
    outcome = {
        "silence": 'silent in the stems: lay it again by hand, or set retimed = "original" in the '
        "recipe to have it at its own speed",
        "original": "in the stems at its own speed: lay it again by hand",
    }[retimed]
    notes = [f"{some(ids)}: {kind} is {outcome}." for kind, ids in kinds.items()]
    panned = [event.id for _, event in cut.sounding() if event.pan]
    if panned:
        notes.append(
            f"{some(panned)}: pan is kept for the timelines but not applied, as stems have the "
            "channels of their sources."
        )
    return tuple(notes)


def _kind(event: Event) -> str:
    if event.variable_speed:
        return "a speed that changes"
    if event.speed == 0:
        return "a freeze frame"
    if event.speed < 0:
        return "a clip that runs backwards"
    return f"a speed of less than {float(SLOWEST):g} or more than {float(FASTEST):g}"


def _shape(fade: Fade | None) -> FadeShape:
    return fade.shape if fade is not None else FadeShape.EQUAL_POWER


def factor(gain_db: float) -> float:
    """The linear factor of a gain in dB; 0 from MUTE_DB down."""
    return 10 ** (gain_db / 20) if gain_db > MUTE_DB else 0.0


def _rise(shape: FadeShape, first: int, count: int, length: int) -> Samples:
    """Gains of a fade-in of `length` samples, from its sample `first` on (1 past its end)."""
    position = (np.arange(first, first + count, dtype=np.float64) + 0.5) / max(length, 1)
    position = np.clip(position, 0.0, 1.0)
    return position if shape is FadeShape.LINEAR else np.sin(position * (math.pi / 2))


def _automated(points: Sequence[tuple[int, float]], first: int, count: int) -> Samples:
    """Gains of automation from its sample `first` on: straight in dB between points.

    Of two points at one sample the later holds from there on.
    """
    at = np.array([place for place, _ in points], dtype=np.float64)
    level = np.array([gain_db for _, gain_db in points], dtype=np.float64)
    here = np.arange(first, first + count, dtype=np.float64)
    after = np.searchsorted(at, here, side="right")
    left, right = np.maximum(after - 1, 0), np.minimum(after, len(points) - 1)
    width = np.maximum(at[right] - at[left], 1.0)
    part = np.clip((here - at[left]) / width, 0.0, 1.0)
    gain_db = level[left] + (level[right] - level[left]) * part
    return np.where(gain_db > MUTE_DB, 10.0 ** (gain_db / 20), 0.0)


def envelope(placement: Placement, first: int, count: int) -> Samples | None:
    """Gains for samples first … first+count of a placement, or None where all are 1."""
    gains = None
    place = placement.before + first
    if place < placement.fade_in:
        gains = _rise(placement.fade_in_shape, place, count, placement.fade_in)
    to_end = placement.length + placement.after - (first + count)
    if to_end < placement.fade_out:
        falling = _rise(placement.fade_out_shape, to_end, count, placement.fade_out)[::-1]
        gains = falling if gains is None else gains * falling
    if placement.automation:
        moving = _automated(placement.automation, place, count)
        gains = moving if gains is None else gains * moving
    if placement.gain != 1.0:
        gains = np.full(count, placement.gain) if gains is None else gains * placement.gain
    return gains


ReadTake = Callable[[Placement, int, int], Samples]


def render(
    laid: Iterable[Placement], first: int, count: int, width: int, read: ReadTake
) -> Samples:
    """One block of a track: placements that touch it, under their envelopes, summed.

    first, count: samples of the record. width: channels of the result.
    read: gives a placement's samples (count, its channels) from a sample of its take on, full
    scale 1.0. A mono placement sounds on every channel of a wider track.
    Returns float64 of shape (count, width).
    """
    block = np.zeros((count, width), dtype=np.float64)
    for placement in laid:
        start = max(first, placement.record_start)
        end = min(first + count, placement.record_end)
        if start >= end:
            continue
        offset = start - placement.record_start
        sound = read(placement, placement.source_start + offset, end - start)
        gains = envelope(placement, offset, end - start)
        if gains is not None:
            sound = sound * gains[:, None]
        block[start - first : end - first] += sound if sound.shape[1] == width else sound[:, :1]
    return block
