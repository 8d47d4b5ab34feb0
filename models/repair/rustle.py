"""Rustle of cloth on a lavalier: found and flagged. Nothing here can mend it.

Cloth crackles: scratches of a millisecond or two at 1 to 8 kHz in irregular crowds. The pulses of
a voice come as regularly as its pitch, and the noise of a fricative has no holes: its envelope
over milliseconds hardly moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.defects import Defect, DefectKind
from core.errors import UsageError
from models.repair.decimate import decimated
from models.repair.patches import Read, Samples
from models.samples import finite

RATE = 16_000
BAND_HZ = (1_500.0, 7_000.0)
TAPS_S = 0.002
BINS_PER_S = 1_000
WINDOW = 128
HOP = 32
BLOCK_S = 20
PITCH_BINS = (3, 16)
FLOOR_SHARE = 20
TINY = 1e-12


@dataclass(frozen=True)
class RustleOptions:
    """What counts as rustle.

    uneven_db: standard deviation of the envelope over 0.1 s. Lower takes fricatives for rustle.
    periodic: correlation of the envelope with itself a pitch later, from which it is a voice.
    above_floor_db: how far it must exceed the quiet parts of the channel.
    shortest_s: less is a consonant or a lip.
    quietest_dbfs: rustle below this is left unsaid.
    """

    uneven_db: float = 6.0
    periodic: float = 0.25
    above_floor_db: float = 15.0
    shortest_s: float = 0.25
    quietest_dbfs: float = -60.0

    def __post_init__(self) -> None:
        if self.uneven_db <= 0 or not 0 < self.periodic < 1 or self.shortest_s <= 0:
            raise UsageError(
                f"Rustle with {self.uneven_db} dB, {self.periodic} and {self.shortest_s} s can't "
                "be told; give a positive unevenness and length, and a correlation below 1."
            )


@dataclass(frozen=True)
class Crackle:
    """What is known of a channel every 32 ms, each over 128 ms.

    level: dBFS at 1.5 to 7 kHz. uneven: standard deviation of the 1 ms envelope in dB.
    periodic: highest correlation of that envelope with itself 3 to 16 ms later.
    """

    level: Samples
    uneven: Samples
    periodic: Samples


def find_rustle(
    read: Read, frames: int, sample_rate: int, options: RustleOptions
) -> tuple[Defect, ...]:
    """The stretches of a channel of `frames` samples that rustle; none below 16 kHz."""
    if sample_rate < RATE:
        return ()
    heard = crackle(read, frames, sample_rate)
    if not len(heard.level):
        return ()
    floor = float(np.percentile(heard.level, FLOOR_SHARE))
    least = max(floor + options.above_floor_db, options.quietest_dbfs)
    there = (heard.level >= least) & (heard.uneven >= options.uneven_db)
    there &= heard.periodic < options.periodic
    found = []
    for first, last in _runs(there):
        start = round(first * HOP * sample_rate / BINS_PER_S)
        end = min(frames, round(((last - 1) * HOP + WINDOW) * sample_rate / BINS_PER_S))
        if (end - start) / sample_rate < options.shortest_s:
            continue
        level = float(np.max(heard.level[first:last]))
        note = f"{level:.0f} dBFS at 1.5 to 7 kHz, crackling; flagged only"
        found.append(Defect(DefectKind.RUSTLE, start, end, note=note))
    return tuple(found)


def crackle(read: Read, frames: int, sample_rate: int) -> Crackle:
    """How a channel of `frames` samples crackles; 2 MB an hour."""
    whole = frames * BINS_PER_S // sample_rate
    count = (whole - WINDOW) // HOP + 1
    if count < 1:
        return Crackle(np.zeros(0), np.zeros(0), np.zeros(0))
    levels, unevens, periods = np.zeros(count), np.zeros(count), np.zeros(count)
    block = BLOCK_S * BINS_PER_S // HOP
    for first in range(0, count, block):
        last = min(count, first + block)
        bins = (last - first - 1) * HOP + WINDOW
        power = _envelope(read, sample_rate, first * HOP, bins)
        windows = np.lib.stride_tricks.sliding_window_view(power, WINDOW)[::HOP]
        levels[first:last] = 10 * np.log10(windows.mean(axis=1) + TINY)
        log = 10 * np.log10(windows + TINY)
        unevens[first:last] = log.std(axis=1)
        periods[first:last] = _periodicity(np.sqrt(windows))
    return Crackle(levels, unevens, periods)


def _periodicity(envelope: Samples) -> Samples:
    from scipy.fft import irfft, rfft

    centred = envelope - envelope.mean(axis=1, keepdims=True)
    spectrum = rfft(centred, 2 * WINDOW, axis=1)
    lags = irfft(np.abs(spectrum) ** 2, 2 * WINDOW, axis=1)[:, : PITCH_BINS[1] + 1]
    overlap = 1 - np.arange(PITCH_BINS[1] + 1) / WINDOW
    correlation = lags / (lags[:, :1] + TINY) / overlap
    return np.asarray(correlation[:, PITCH_BINS[0] :].max(axis=1))


def _envelope(read: Read, sample_rate: int, first: int, count: int) -> Samples:
    """Power at 1.5 to 7 kHz in each of `count` milliseconds from millisecond `first` on."""
    step = max(1, sample_rate // RATE)
    taps = _band_pass(sample_rate)
    half = len(taps) // 2
    start = round(first * sample_rate / BINS_PER_S)
    width = max(1, sample_rate // BINS_PER_S // step)
    edges = np.rint((first + np.arange(count)) * (sample_rate / BINS_PER_S)).astype(np.intp)
    need = int(edges[-1]) - start + (width + 1) * step
    sound = finite(read(start - half, need + 2 * half))
    band = decimated(sound, taps, step)
    squares = np.square(band)
    at = (edges - start) // step
    return np.asarray(np.add.reduceat(squares[: int(at[-1]) + width], at) / width)


@lru_cache(maxsize=8)
def _band_pass(sample_rate: int) -> Samples:
    from scipy.signal import firwin

    step = max(1, sample_rate // RATE)
    half = round(TAPS_S * sample_rate / step) * step // 2
    return np.asarray(firwin(2 * half + 1, BAND_HZ, pass_zero=False, fs=sample_rate))


def _runs(there: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.r_[False, there, False].astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
