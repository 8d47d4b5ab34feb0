"""Whether a sound was cut from another, sample for sample, and where it lies there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adapters.media.decode import Sound
from core.errors import InputError

BLOCK = 1 << 20
WINDOW = 256
_BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16}
_LEAST = 4
"""So many different values a window needs, to be told from silence and from a held value."""

Samples = NDArray[np.float64]


@dataclass(frozen=True)
class Match:
    """Where an excerpt lies: samples start … end of the whole, its first channel in `channel`.

    bits: to how many its samples agree; 24 stands for all that our files hold.
    """

    start: int
    end: int
    channel: int
    bits: int


@dataclass(frozen=True)
class _Probe:
    """A telling window of an excerpt. at: its first sample there. values: of the first channel."""

    at: int
    values: Samples
    tolerance: float
    bits: int


class Excerpt:
    """A sound that may be part of others."""

    def __init__(self, path: Path) -> None:
        """Find a window by which it can be told. Raises InputError where it can't be read."""
        self.path = path
        with Sound(path) as sound:
            self.sample_rate, self.channels = sound.sample_rate, sound.channels
            self.frames = sound.frames
            bits = _BITS.get(sound.subtype, 24)
            # Rounding or cutting off to fewer bits, and dither, move a sample by a step at most.
            tolerance = 0.0 if bits == 24 else 1.01 * 2.0 ** (1 - bits)
            self._probe = _probe(sound, tolerance, bits)

    @property
    def telling(self) -> bool:
        """Whether it holds anything by which it could be told from other sounds."""
        return self._probe is not None

    def found_in(self, path: Path) -> Match | None:
        """Where it lies in another sound of its sample rate, the first place; None if nowhere.

        A mono excerpt may be one channel of the other; else both have the same channels. Raises
        InputError where the other can't be read.
        """
        if self._probe is None:
            return None
        with Sound(path) as whole, Sound(self.path) as own:
            fits = self.channels in (1, whole.channels) and whole.frames >= self.frames
            if whole.sample_rate != self.sample_rate or not fits:
                return None
            for start, channel in self._candidates(whole, self._probe):
                if self._agrees(own, whole, start, channel, self._probe.tolerance):
                    return Match(start, start + self.frames, channel, self._probe.bits)
        return None

    def _candidates(self, whole: Sound, probe: _Probe) -> Iterator[tuple[int, int]]:
        """Where the probe's window is found: the excerpt's start there, and the channel."""
        count, peak = len(probe.values), int(np.argmax(np.abs(probe.values)))
        channels = range(whole.channels) if self.channels == 1 else range(1)
        last = whole.frames - self.frames + probe.at
        for first in range(probe.at, last + 1, BLOCK):
            size = min(BLOCK, last + 1 - first)
            block = whole.read(first, size + count - 1, range(whole.channels))
            for channel in channels:
                sound = block[:, channel]
                near = np.abs(sound[peak : peak + size] - probe.values[peak]) <= probe.tolerance
                for place in np.flatnonzero(near):
                    apart = np.abs(sound[place : place + count] - probe.values)
                    if apart.max() <= probe.tolerance:
                        yield first + int(place) - probe.at, channel

    def _agrees(self, own: Sound, whole: Sound, start: int, channel: int, tolerance: float) -> bool:
        picked = [channel] if self.channels == 1 else range(self.channels)
        for at in range(0, self.frames, BLOCK):
            count = min(BLOCK, self.frames - at)
            mine = own.read(at, count, range(self.channels))
            theirs = whole.read(start + at, count, picked)
            if np.abs(mine - theirs).max(initial=0.0) > tolerance:
                return False
        return True


def same_sound(one: Path, other: Path) -> bool:
    """Whether two files hold the same samples, whatever their headers say. Raises InputError."""
    with Sound(one) as first, Sound(other) as second:
        if (first.frames, first.channels, first.sample_rate) != (
            second.frames,
            second.channels,
            second.sample_rate,
        ):
            return False
        every = range(first.channels)
        return all(
            np.array_equal(first.read(at, BLOCK, every), second.read(at, BLOCK, every))
            for at in range(0, first.frames, BLOCK)
        )


def is_readable(path: Path) -> bool:
    """Whether a file can be opened as sound."""
    try:
        with Sound(path):
            return True
    except InputError:
        return False


def _probe(sound: Sound, tolerance: float, bits: int) -> _Probe | None:
    """The window around the loudest sample of the first channel; None in silence."""
    loudest, place = 0.0, 0
    for at in range(0, sound.frames, BLOCK):
        block = np.abs(sound.read(at, min(BLOCK, sound.frames - at), [0])[:, 0])
        if block.size and block.max() > loudest:
            loudest, place = float(block.max()), at + int(np.argmax(block))
    start = max(0, min(place - WINDOW // 2, sound.frames - WINDOW))
    values = sound.read(start, min(WINDOW, sound.frames), [0])[:, 0]
    steps = np.unique(np.rint(values / max(tolerance, 2.0**-23)))
    if loudest <= 2 * tolerance or len(steps) < _LEAST:
        return None
    return _Probe(start, values, tolerance, bits)
