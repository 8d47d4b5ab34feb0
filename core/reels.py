"""Reels: the leader and the pops around a programme, and the hour at which a reel starts.

Seconds here are seconds of timecode, as a leader is counted: two seconds are 48 frames at 23.976
as at 24, and 60 at 29.97.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from core.cut import Cut
from core.errors import InputError
from core.time import FrameRate, frames_to_samples, round_half_up, timecode_to_frames

POP_SECONDS = 2
POP_HZ = 1000
POP_DBFS = -20.0
LAST_REEL = 23


@dataclass(frozen=True)
class Leader:
    """What surrounds a programme. head, tail: frames before its first and after its last frame."""

    head: int = 0
    tail: int = 0
    pops: bool = False


NO_LEADER = Leader()


@dataclass(frozen=True)
class Layout:
    """A stem with its leader, in samples at sample_rate Hz.

    reference: samples since midnight of its first sample. head, programme, tail: lengths.
    pops: start, counted from the first sample of the stem, and length of each.
    """

    sample_rate: int
    reference: int
    head: int
    programme: int
    tail: int
    pops: tuple[tuple[int, int], ...] = ()

    @property
    def frames(self) -> int:
        """Samples in all."""
        return self.head + self.programme + self.tail


def leader_of(rate: FrameRate, seconds: float, pops: bool) -> Leader:
    """The leader of so many seconds before a cut, in whole frames (halves up).

    Pops need two seconds and a frame on both sides, and get them.
    """
    head = round_half_up(Fraction(seconds) * rate.nominal)
    room = POP_SECONDS * rate.nominal + 1
    return Leader(max(head, room), room, True) if pops else Leader(head)


def laid_out(cut: Cut, leader: Leader, sample_rate: int) -> Layout:
    """Where leader, programme and pops of a cut lie. sample_rate: the session's, in Hz.

    The first pop sounds during the frame two seconds before the first frame of action (a 2-pop),
    the tail pop during the frame two seconds after the last. A leader that reaches back past
    midnight starts on the day before.
    """
    ends = (-leader.head, Fraction(0), cut.length, cut.length + leader.tail)

    def at(frames: Fraction | int) -> int:
        return frames_to_samples(cut.start + frames, cut.rate.fps, sample_rate)

    start, first, last, end = (at(frames) for frames in ends)
    away = POP_SECONDS * cut.rate.nominal
    frames = (Fraction(-away), cut.length - 1 + away) if leader.pops else ()
    return Layout(
        sample_rate=sample_rate,
        reference=frames_to_samples(
            (cut.start - leader.head) % frames_a_day(cut.rate), cut.rate.fps, sample_rate
        ),
        head=first - start,
        programme=last - first,
        tail=end - last,
        pops=tuple((at(frame) - start, at(frame + 1) - at(frame)) for frame in frames),
    )


def leader_sound(layout: Layout, first: int, count: int) -> NDArray[np.float64]:
    """What sounds in a stem beside its programme, from its sample `first` on, full scale 1.0.

    Silence, and the pops: a sine of 1 kHz at -20 dBFS (peaks of 0.1) from its zero crossing on.
    """
    sound = np.zeros(count)
    for start, length in layout.pops:
        low, high = max(first, start), min(first + count, start + length)
        if low < high:
            turns = np.arange(low - start, high - start) * (POP_HZ / layout.sample_rate)
            sound[low - first : high - first] = 10 ** (POP_DBFS / 20) * np.sin(2 * math.pi * turns)
    return sound


def with_hour_start(cut: Cut, reel: int) -> Cut:
    """The cut as reel n of a film: its first frame is at n hours of timecode.

    Raises InputError for a reel that no day has an hour for.
    """
    if not 1 <= reel <= LAST_REEL:
        raise InputError(f"{cut.name} can't be reel {reel}: reels are counted from 1 to 23.")
    return replace(cut, start=timecode_to_frames(f"{reel:02d}:00:00:00", cut.rate))


def frames_a_day(rate: FrameRate) -> int:
    """Frame numbers from midnight to midnight; drop-frame leaves numbers out 1,296 times a day."""
    return rate.nominal * 86400 - rate.dropped * 1296
