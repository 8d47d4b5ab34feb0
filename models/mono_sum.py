"""What two microphones of one voice do to each other when both are in the mix: comb filtering.

Two copies of a sound, one `t` seconds late, cancel where `t` is half a period: at
(2k + 1) / 2t, or, with one polarity turned, at k / t. Louder is only whole where both come at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.alignment import Read, delayed

_SIZE_S = 0.04
_BATCH = 256
_LOWEST_HZ, _HIGHEST_HZ = 100.0, 8000.0
_SILENCE = 1e-16


@dataclass(frozen=True)
class MonoSum:
    """What a sum loses against the same two sounds in step.

    delay: samples by which the second comes later. inverted: whether its polarity is turned.
    notch_hz: the lowest frequency that cancels (0: all that is low does); None where it lies
    above the band of the voice, 8 kHz. level_db: change of the whole band, 100 Hz to 8 kHz.
    worst_db, worst_hz: the third of an octave that loses most, and its middle.
    """

    delay: float
    inverted: bool
    notch_hz: float | None
    level_db: float
    worst_db: float
    worst_hz: float


def notch_hz(delay_s: float, *, inverted: bool) -> float | None:
    """The lowest frequency at which two equal sounds cancel; None where none does below 8 kHz."""
    if inverted:
        return 0.0
    if abs(delay_s) * 2 * _HIGHEST_HZ < 1:
        return None
    return 1 / (2 * abs(delay_s))


def mono_sum(
    first: Read,
    second: Read,
    start: int,
    frames: int,
    sample_rate: int,
    delay: float,
    *,
    inverted: bool,
) -> MonoSum:
    """What the sum of two channels loses over a stretch, because one comes later.

    first, second: as they sound together, at their gains. start, frames: the stretch in samples.
    delay: samples by which the second comes later. It is put in step, and turned where it is
    inverted, and the two sums are compared. Read in blocks.
    """
    size = round(_SIZE_S * sample_rate / 2) * 2
    sign = -1.0 if inverted else 1.0
    moved = delayed(second, -delay)
    as_is, in_step = np.zeros(size // 2 + 1), np.zeros(size // 2 + 1)
    window = np.hanning(size + 1)[:-1]
    hop = size // 2
    count = max(1, (frames - size) // hop + 1)
    for at in range(0, count, _BATCH):
        many = min(_BATCH, count - at)
        begin, length = start + at * hop, (many + 1) * hop
        one = first(begin, length)
        as_is += _power(one + second(begin, length), window)
        in_step += _power(one + sign * moved(begin, length), window)
    level, worst, where = _losses(as_is, in_step, sample_rate / size)
    return MonoSum(
        delay=delay,
        inverted=inverted,
        notch_hz=notch_hz(delay / sample_rate, inverted=inverted),
        level_db=level,
        worst_db=worst,
        worst_hz=where,
    )


def _power(sound: NDArray[np.float64], window: NDArray[np.float64]) -> NDArray[np.float64]:
    framed = np.lib.stride_tricks.sliding_window_view(sound, len(window))[:: len(window) // 2]
    spectra = np.fft.rfft(framed * window, axis=1)
    return np.asarray(np.sum(np.abs(spectra) ** 2, axis=0), np.float64)


def _losses(
    as_is: NDArray[np.float64], in_step: NDArray[np.float64], width: float
) -> tuple[float, float, float]:
    """Change in dB of the band, of the worst third of an octave, and the middle of that."""
    bands = int(3 * math.log2(_HIGHEST_HZ / _LOWEST_HZ))
    edges = _LOWEST_HZ * 2 ** (np.arange(bands + 1) / 3)
    bins = np.clip(np.ceil(edges / width).astype(int), 0, len(as_is))
    whole = slice(bins[0], bins[-1])
    level = _change(float(as_is[whole].sum()), float(in_step[whole].sum()))
    # A band in which next to nothing sounds can't be missed.
    least = 1e-3 * float(in_step[whole].max(initial=0.0))
    worst, where = 0.0, 0.0
    for low, high, edge in zip(bins[:-1], bins[1:], edges[:-1], strict=True):
        if high > low and float(in_step[low:high].mean()) > least:
            change = _change(float(as_is[low:high].sum()), float(in_step[low:high].sum()))
            if change < worst:
                worst, where = change, float(edge) * 2 ** (1 / 6)
    return level, worst, where


def _change(power: float, before: float) -> float:
    if before <= _SILENCE:
        return 0.0
    return 10 * math.log10(max(power, 1e-12 * before) / before)
