"""How loud a channel is at its low end over time: what rumble and thumps are found by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.repair.lowcut import low_pass, low_rate_band
from models.repair.mains import LowBand, read_low
from models.repair.patches import Read, Samples

FRAMES_PER_S = 50
BLOCK_FRAMES = 1_000
RUMBLE_HZ = 36.0
THUMP_HZ = (22.0, 75.0)
VOICE_HZ = 150.0
FLANK_HZ = 14.0
VOICE_SHARE = 95
TINY = 1e-20


@dataclass(frozen=True)
class LowLevels:
    """Mean powers of a channel in frames of about 20 ms, full scale 1.0.

    hop: samples of a frame. rumble: below 36 Hz. thump: 22 to 75 Hz, below the voice. voice:
    150 to about 500 Hz, where every voice is loudest. voice_power: of the loud part of the
    channel, as the 95th percentile of half seconds.
    """

    hop: int
    rumble: Samples
    thump: Samples
    voice: Samples

    @property
    def voice_power(self) -> float:
        """Power at 150 to 500 Hz where somebody speaks (the 95th percentile of half seconds)."""
        halves = averaged(self.voice, FRAMES_PER_S // 2)
        return float(np.percentile(halves, VOICE_SHARE)) if len(halves) else 0.0


def low_levels(read: Read, frames: int, sample_rate: int) -> LowLevels:
    """The low levels of a channel of `frames` samples at `sample_rate` Hz; 4 MB an hour."""
    band = low_rate_band(sample_rate)
    hop = round(band.rate / FRAMES_PER_S)
    count = frames // (hop * band.step)
    levels = np.zeros((count, 3))
    for first in range(0, count, BLOCK_FRAMES):
        last = min(count, first + BLOCK_FRAMES)
        levels[first:last] = _levels(read, band, hop, first, last)
    return LowLevels(hop * band.step, levels[:, 0], levels[:, 1], levels[:, 2])


def averaged(levels: Samples, count: int) -> Samples:
    """Means of every `count` frames, the rest left out."""
    whole = len(levels) // count * count
    return np.asarray(levels[:whole].reshape(-1, count).mean(axis=1))


def decibels(power: Samples | float) -> Samples:
    """Power in dB, -200 for none."""
    return np.asarray(10 * np.log10(np.asarray(power) + TINY))


def _levels(read: Read, band: LowBand, hop: int, first: int, last: int) -> Samples:
    from scipy.signal import fftconvolve

    filters = [low_pass(band.rate, hz, FLANK_HZ) for hz in (RUMBLE_HZ, *THUMP_HZ, VOICE_HZ)]
    half = len(filters[0]) // 2
    kept = read_low(read, band, first * hop - half, (last - first) * hop + 2 * half)
    below = [fftconvolve(kept, taps, "valid") for taps in filters]
    middle = kept[half : len(kept) - half]
    parts = (below[0], below[2] - below[1], middle - below[3])
    return np.stack([np.square(part).reshape(-1, hop).mean(axis=1) for part in parts], axis=1)
