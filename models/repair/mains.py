"""Is there mains hum in a channel, and at which frequency: lines at multiples of 50 or 60 Hz.

The evidence is the mean over time of the logarithmic spectrum, a minute at a time: what lasts
stands out of it, speech does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from models.repair.decimate import decimated
from models.repair.patches import Read, Samples
from models.samples import finite

LOW_RATE = 4800
LOW_BAND_HZ = 1_600.0
TAPS_PER_STEP = 32
HOPS_PER_S = 4
BLOCK_S = 60
LINE_WINDOW_HOPS = 8
HOPS_BETWEEN_LINES = 2
LINES_AT_ONCE = 20
PADDING = 4
SEARCH_HZ = 0.4
SEARCH_STEP_HZ = 0.005
HARMONICS_SEARCHED = 8
PEAK_HZ = 1.0
BESIDE_HZ = (2.5, 8.0)
CLEAR_DB = 8.0
FEWEST_HARMONICS = 2
SHORTEST_S = 4
TINY = 1e-20


@dataclass(frozen=True)
class LowBand:
    """How a channel is heard below about 1.6 kHz: one of `step` samples is kept.

    rate: Hz of the kept samples (no whole number for every sample rate). hop: kept samples from
    one frame to the next, about a quarter of a second.
    """

    sample_rate: int
    step: int

    @property
    def rate(self) -> float:
        """Kept samples a second."""
        return self.sample_rate / self.step

    @property
    def hop(self) -> int:
        """Kept samples between frames."""
        return round(self.rate / HOPS_PER_S)

    @property
    def highest_hz(self) -> float:
        """The highest frequency that is heard unchanged."""
        return min(LOW_BAND_HZ, 0.45 * self.rate)


@dataclass(frozen=True)
class Mains:
    """Hum that was found. hz: its fundamental. lines: harmonics that stood out clearly."""

    hz: float
    lines: int


def low_band(sample_rate: int) -> LowBand:
    """The low band of a channel at `sample_rate` Hz."""
    return LowBand(sample_rate, max(1, sample_rate // LOW_RATE))


def read_low(read: Read, band: LowBand, start: int, count: int) -> Samples:
    """`count` kept samples from kept sample `start` on, filtered at zero lag."""
    if band.step == 1:
        return finite(read(start, count))
    half = TAPS_PER_STEP * band.step // 2
    sound = finite(read(start * band.step - half, (count - 1) * band.step + 2 * half + 1))
    return decimated(sound, _low_pass(band), band.step)


@lru_cache(maxsize=16)
def _low_pass(band: LowBand) -> Samples:
    from scipy.signal import firwin

    count = 2 * (TAPS_PER_STEP * band.step // 2) + 1
    window = ("kaiser", 8.0)
    return np.asarray(firwin(count, band.rate / 2, window=window, fs=band.sample_rate))


def find_mains(read: Read, frames: int, sample_rate: int) -> Mains | None:
    """The hum of a channel of `frames` samples at `sample_rate` Hz, or None."""
    band = low_band(sample_rate)
    best: Mains | None = None
    strength = 0.0
    for spectrum, spacing in _line_spectra(read, frames, band):
        for base in (50.0, 60.0):
            hz, heights = _best_fundamental(spectrum, spacing, base)
            clear = heights >= CLEAR_DB
            lines = int(np.sum(clear))
            if lines >= FEWEST_HARMONICS and clear[:3].any() and heights[clear].sum() > strength:
                best, strength = Mains(hz, lines), float(heights[clear].sum())
    return best


def _line_spectra(read: Read, frames: int, band: LowBand) -> Iterator[tuple[Samples, float]]:
    """For each minute its mean logarithmic spectrum in dB, and the spacing of its bins in Hz."""
    length = LINE_WINDOW_HOPS * band.hop
    window = np.hanning(length)
    size = PADDING * length
    minute = BLOCK_S * HOPS_PER_S
    total = frames // band.step // band.hop
    if total < SHORTEST_S * HOPS_PER_S:
        return
    for first in range(0, max(1, total - minute // 2), minute):
        last = total if total - first < 1.5 * minute else first + minute
        frames_inside = range(first, last - LINE_WINDOW_HOPS + 1, HOPS_BETWEEN_LINES)
        logs = np.zeros(size // 2 + 1)
        for some in range(0, len(frames_inside), LINES_AT_ONCE):
            at = frames_inside[some : some + LINES_AT_ONCE]
            kept = read_low(read, band, at[0] * band.hop, (at[-1] - at[0]) * band.hop + length)
            for frame in at:
                start = (frame - at[0]) * band.hop
                line = np.fft.rfft(kept[start : start + length] * window, size)
                logs += 10 * np.log10(line.real**2 + line.imag**2 + TINY)
        yield logs / max(1, len(frames_inside)), band.rate / size


def _best_fundamental(spectrum: Samples, spacing: float, base: float) -> tuple[float, Samples]:
    """The frequency near `base` whose harmonics stand out most, and by how many dB each does.

    A harmonic counts only where the spectrum has its peak there: the flank of a line of some
    machine is no hum.
    """
    candidates = np.arange(base - SEARCH_HZ, base + SEARCH_HZ + SEARCH_STEP_HZ / 2, SEARCH_STEP_HZ)
    heights = np.stack(
        [_heights(spectrum, spacing, k * candidates) for k in range(1, HARMONICS_SEARCHED + 1)],
        axis=1,
    )
    scores = np.where(heights > CLEAR_DB / 2, heights, 0.0).sum(axis=1)
    best = int(np.argmax(scores))
    return float(candidates[best]), heights[best]


def _heights(spectrum: Samples, spacing: float, lines: Samples) -> Samples:
    """By how many dB each line stands out; 0 beside a peak, and where the spectrum has ended.

    lines: in Hz.
    """
    first = np.rint((lines - BESIDE_HZ[1]) / spacing).astype(np.intp)
    last = np.rint((lines + BESIDE_HZ[1]) / spacing).astype(np.intp)
    bins = first[:, None] + np.arange(int((last - first).max()) + 1)
    away = np.abs(bins * spacing - lines[:, None])
    near = spectrum[np.minimum(bins, len(spectrum) - 1)]
    here = np.interp(lines, np.arange(len(spectrum)) * spacing, spectrum)
    peak = np.where(away <= PEAK_HZ, near, -np.inf).max(axis=1)
    beside = (away >= BESIDE_HZ[0]) & (bins <= last[:, None])
    ordered = np.sort(np.where(beside, near, np.inf), axis=1)
    count = beside.sum(axis=1)
    row = np.arange(len(lines))
    median = (ordered[row, (count - 1) // 2] + ordered[row, count // 2]) / 2
    stands = (here >= peak - 1.0) & (last < len(spectrum))
    return np.where(stands, here - median, 0.0)
