"""True peak: the highest point of the waveform, also where it lies between the samples.

ITU-R BS.1770-5, annex 2: oversample to at least 192 kHz by a polyphase interpolator and take
the highest magnitude.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

TAPS_A_PHASE = 24
"""Samples that a point between two samples is made of."""

LEAD = TAPS_A_PHASE // 2
"""Samples of them that lie after it."""

_CELL = 64
_TOGETHER = 32
_KAISER_BETA = 5.0


@cache
def peak_filters(sample_rate: int) -> NDArray[np.float64]:
    """The interpolator's phases: shape (phases, 24), each for one new point between two samples.

    Correlated (not convolved) with samples n - 11 … n + 12, phase k gives the point k of
    `factor` parts after sample n. Kaiser-windowed sinc, each phase of unit gain at 0 Hz. The factor
    is 4 below 96 kHz, 2 below 192 kHz; above that there is nothing to add (no phases).
    """
    factor = 4 if sample_rate < 96_000 else 2 if sample_rate < 192_000 else 1
    taps = np.arange(1 - LEAD, LEAD + 1)
    phases = []
    for k in range(1, factor):
        at = taps - k / factor
        window = np.i0(_KAISER_BETA * np.sqrt(1 - np.square(at / LEAD))) / np.i0(_KAISER_BETA)
        phase = np.sinc(at) * window
        phases.append(phase / np.sum(phase))
    return np.array(phases).reshape(-1, TAPS_A_PHASE)


class TruePeakMeter:
    """The true peak of a sound that is fed in blocks. Memory: 24 samples a channel.

    The result does not depend on how the sound was divided. Only where the samples come near
    the highest point so far is anything interpolated: a phase can't raise a sample by more than
    the sum of its taps' magnitudes.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        """sample_rate: Hz. channels: any number."""
        self._phases = peak_filters(sample_rate)
        self._reach = float(np.max(np.sum(np.abs(self._phases), axis=1), initial=1.0))
        self._history = np.zeros((TAPS_A_PHASE - 1, channels))
        self._peak = 0.0

    def add(self, sound: NDArray[np.floating[Any]]) -> None:
        """Take in the next samples: finite floats of shape (n, channels)."""
        joined = np.concatenate([self._history, sound])
        self._peak = self._highest(joined, self._peak)
        self._history = joined[-(TAPS_A_PHASE - 1) :].copy()

    def dbtp(self) -> float:
        """The true peak so far in dBTP, with silence after it; -inf for silence."""
        tail = np.zeros((TAPS_A_PHASE - 1, self._history.shape[1]))
        peak = self._highest(np.concatenate([self._history, tail]), self._peak)
        return 20 * math.log10(peak) if peak > 0 else -math.inf

    def _highest(self, joined: NDArray[np.float64], floor: float) -> float:
        """The highest of `floor` and what lies in and between the samples of (n, channels)."""
        peak = max(floor, float(np.max(joined)), -float(np.min(joined)))
        if len(self._phases) and peak > 0:
            for channel in joined.T:
                peak = self._between(np.ascontiguousarray(channel), peak)
        return peak

    def _between(self, channel: NDArray[np.float64], peak: float) -> float:
        """The highest of `peak` and the points between the samples of one channel."""
        starts = np.arange(0, len(channel), _CELL)
        cells = np.maximum(
            np.maximum.reduceat(channel, starts), -np.minimum.reduceat(channel, starts)
        )
        # A point hears samples of its own cell and at most of the next one.
        heard = np.maximum(cells, np.append(cells[1:], 0.0)) * self._reach
        windows = sliding_window_view(channel, TAPS_A_PHASE)
        candidates = np.flatnonzero(heard > peak)
        candidates = candidates[np.argsort(-heard[candidates])]
        at = 0
        while at < len(candidates) and heard[candidates[at]] > peak:
            # The loudest alone first: it rules most of the others out.
            some = candidates[at : at + (_TOGETHER if at else 1)]
            rows = (some[:, None] * _CELL + np.arange(_CELL)).reshape(-1)
            between = windows[rows[rows < len(windows)]] @ self._phases.T
            peak = max(peak, float(np.max(np.abs(between), initial=0.0)))
            at += len(some)
        return peak
