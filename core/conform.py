"""Conform: where each source sample lands in the record, and under which envelope.

Pure integer arithmetic on samples and envelopes in float64. A length in samples is the
difference of two rounded positions, so clips that touch in frames touch in samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from core.cut import Cut, Event, Fade, FadeShape
from core.time import frames_to_samples, round_half_up

Samples = NDArray[np.float64]


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

    record_start, length: in the record, fades included. source_start: in the take.
    fade_in, fade_out: lengths, 0 for none. gain: linear factor.
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

    @property
    def record_end(self) -> int:
        """Sample of the record just past the stretch."""
        return self.record_start + self.length


def cut_length(cut: Cut, sample_rate: int) -> int:
    """Samples from the first to the last frame of a cut."""
    return frames_to_samples(cut.start + cut.length, cut.rate.fps, sample_rate) - start_sample(
        cut, sample_rate
    )


def start_sample(cut: Cut, sample_rate: int) -> int:
    """Samples since midnight, in the cut's timecode, of its first frame (a time reference)."""
    return frames_to_samples(cut.start, cut.rate.fps, sample_rate)


def placements(cut: Cut, sources: Mapping[str, Source], sample_rate: int) -> tuple[Placement, ...]:
    """Every event of the enabled audio tracks that has a source, laid into the record.

    sources: by event id; events without one stay silent. Parts of an event that lie outside
    the cut are trimmed. sample_rate: the session's, in Hz.
    """
    total = cut_length(cut, sample_rate)
    laid = []
    for track in cut.audio_tracks:
        for event in track.events:
            source = sources.get(event.id)
            if source is not None and event.enabled and track.enabled:
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
    rising = at(event.record_start + fade_in.length) - first if fade_in else 0
    falling = last - at(event.record_end - fade_out.length) if fade_out else 0
    source_start = round_half_up(Fraction(source.start * sample_rate, source.sample_rate))
    head = max(0, -first)
    return Placement(
        event_id=event.id,
        track=track,
        take=source.take,
        channels=source.channels,
        record_start=first + head,
        length=min(last, total) - first - head,
        source_start=source_start + head,
        fade_in=max(0, rising - head),
        fade_in_shape=_shape(fade_in),
        fade_out=max(0, falling - max(0, last - total)),
        fade_out_shape=_shape(fade_out),
        gain=10 ** (event.gain_db / 20) if event.gain_db else 1.0,
    )


def _shape(fade: Fade | None) -> FadeShape:
    return fade.shape if fade is not None else FadeShape.EQUAL_POWER


def _rise(shape: FadeShape, first: int, count: int, length: int) -> Samples:
    """Gains of a fade-in of `length` samples, from its sample `first` on (1 past its end)."""
    position = (np.arange(first, first + count, dtype=np.float64) + 0.5) / max(length, 1)
    position = np.clip(position, 0.0, 1.0)
    return position if shape is FadeShape.LINEAR else np.sin(position * (math.pi / 2))


def envelope(placement: Placement, first: int, count: int) -> Samples | None:
    """Gains for samples first … first+count of a placement, or None where all are 1."""
    gains = None
    if first < placement.fade_in:
        gains = _rise(placement.fade_in_shape, first, count, placement.fade_in)
    to_end = placement.length - (first + count)
    if to_end < placement.fade_out:
        falling = _rise(placement.fade_out_shape, to_end, count, placement.fade_out)[::-1]
        gains = falling if gains is None else gains * falling
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
