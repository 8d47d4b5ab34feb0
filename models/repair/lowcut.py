"""What lies below a frequency is taken out of some stretches, at zero lag; the rest is not touched.

The low part is heard at a low sample rate through a filter of linear phase and subtracted under
an envelope, so that a stretch begins and ends smoothly and is the same bit outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from models.repair.mains import LowBand, read_low
from models.repair.patches import Read, Samples

LOW_RATE = 1_200
TAPS_PER_STEP = 32
SECTION_STEPS = 600
STOP_DB = 50.0


@dataclass(frozen=True)
class Cut:
    """A stretch whose low part is turned down.

    start, end: samples, the envelope's own edges. fade: samples of its raised-cosine flanks.
    depth: share of the low part that goes, 1 is all of it.
    """

    start: int
    end: int
    fade: int
    depth: float


def low_rate_band(sample_rate: int) -> LowBand:
    """The band below about 500 Hz of a channel at `sample_rate` Hz."""
    return LowBand(sample_rate, max(1, sample_rate // LOW_RATE))


@lru_cache(maxsize=16)
def low_pass(rate: float, hz: float, width_hz: float) -> Samples:
    """Taps of a low-pass of linear phase, an odd number of them; half its gain is at `hz`."""
    from scipy.signal import firwin, kaiserord

    count, beta = kaiserord(STOP_DB, width_hz / (rate / 2))
    return np.asarray(firwin(int(count) | 1, hz, window=("kaiser", beta), fs=rate))


def low_part(read: Read, band: LowBand, taps: Samples, start: int, count: int) -> Samples:
    """`count` kept samples of the channel through `taps`, from kept sample `start` on."""
    half = len(taps) // 2
    return np.convolve(read_low(read, band, start - half, count + 2 * half), taps, "valid")


def without_low(
    read: Read, frames: int, sample_rate: int, cuts: Sequence[Cut], hz: float, width_hz: float
) -> Read:
    """A reader of a channel of `frames` samples whose part below `hz` is turned down in the cuts.

    cuts: in order, none overlapping another. width_hz: of the filter's flank. The same bytes for
    every way of reading, since every section is always computed whole.
    """
    band = low_rate_band(sample_rate)
    taps = low_pass(band.rate, hz, width_hz)
    section = SECTION_STEPS * band.step

    def read_cut(start: int, count: int) -> Samples:
        sound = read(start, count)
        copied = False
        first, last = max(0, start), min(frames, start + count)
        for number in range(first // section, -(-last // section)):
            low, high = max(first, number * section), min(last, (number + 1) * section)
            if low >= high or not any(cut.start < high and low < cut.end for cut in cuts):
                continue
            if not copied:
                sound, copied = sound.copy(), True
            origin = number * section
            taken = _section(read, band, taps, number) * envelope(cuts, origin, section)
            sound[low - start : high - start] -= taken[low - origin : high - origin]
        return sound

    return read_cut


def envelope(cuts: Sequence[Cut], start: int, count: int) -> Samples:
    """How much of the low part goes at each of `count` samples from `start` on."""
    depth = np.zeros(count)
    for cut in cuts:
        low, high = max(cut.start, start), min(cut.end, start + count)
        if low >= high:
            continue
        at = np.arange(low, high)
        edge = np.minimum(at - cut.start + 0.5, cut.end - at - 0.5) / max(1, cut.fade)
        depth[low - start : high - start] = cut.depth * np.sin(np.pi / 2 * np.clip(edge, 0, 1)) ** 2
    return depth


def covered(cuts: Sequence[Cut]) -> int:
    """How many samples the cuts touch."""
    return sum(cut.end - cut.start for cut in cuts)


def _section(read: Read, band: LowBand, taps: Samples, number: int) -> Samples:
    """The low part of a section at the full rate."""
    from scipy.signal import upfirdn

    if band.step == 1:
        return low_part(read, band, taps, number * SECTION_STEPS, SECTION_STEPS)
    beside = TAPS_PER_STEP // 2 + 1
    kept = low_part(read, band, taps, number * SECTION_STEPS - beside, SECTION_STEPS + 2 * beside)
    smooth = _interpolator(band.sample_rate, band.step)
    full = upfirdn(smooth, kept, band.step)
    first = beside * band.step + len(smooth) // 2
    return np.asarray(full[first : first + SECTION_STEPS * band.step])


@lru_cache(maxsize=16)
def _interpolator(sample_rate: int, step: int) -> Samples:
    from scipy.signal import firwin

    half = TAPS_PER_STEP * step // 2
    window = ("kaiser", 8.0)
    return np.asarray(
        step * firwin(2 * half + 1, sample_rate / step / 2, window=window, fs=sample_rate)
    )
