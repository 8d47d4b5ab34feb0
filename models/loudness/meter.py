"""A loudness meter in `EBU mode`: momentary, short-term, integrated, range and true peak.

ITU-R BS.1770-5 (annexes 1 and 2), EBU Tech 3341 (2023) and EBU Tech 3342 (2023).
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from core.errors import UsageError
from models.loudness.true_peak import TruePeakMeter
from models.loudness.weighting import channel_weights, energy, k_weighting, lufs, lufs_of

STEPS_A_SECOND = 10
"""Steps that blocks of integrated loudness, and the curves, move on by (100 ms)."""

MOMENTARY_STEPS = 4
SHORT_TERM_STEPS = 30
ABSOLUTE_GATE = -70.0
RELATIVE_GATE = -10.0
RANGE_GATE = -20.0
RANGE_LOW, RANGE_HIGH = 0.10, 0.95

_MOST_PARTS = 10
_PIECE = 1 << 16


class LoudnessMeter:
    """A meter that is fed blocks in order and can be read at any time.

    The result does not depend on how the sound was divided. Memory: 8 bytes for every 100 ms
    (300 kB an hour). Samples that are no finite number count as silence.

    The maxima of momentary and short-term loudness are taken every 10 ms (at rates that 100 Hz
    does not divide, a little less often): every 100 ms would miss a short sound by up to 1 LU.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        """sample_rate: Hz.

        channels: 1 to 6 in the order of BS.1770 (4 is L R Ls Rs, 6 is L R C LFE Ls Rs).
        Raises UsageError for any other number.
        """
        self._weights = channel_weights(channels)
        self._b, self._a = k_weighting(sample_rate)
        self._state = np.zeros((len(self._a) - 1, channels))
        step = (sample_rate + 5) // 10
        self._parts = max(n for n in range(1, _MOST_PARTS + 1) if step % n == 0)
        self._grain = step // self._parts
        self._open = np.zeros((0, channels))
        self._recent = np.zeros(0)
        self._pending = np.zeros(0)
        self._steps = array("d")
        self._highest = [0.0, 0.0]
        self._peak = TruePeakMeter(sample_rate, channels)

    def add(self, block: NDArray[np.floating[Any]]) -> None:
        """Take in the next samples: float (n, channels), or (n,) for one channel.

        Raises UsageError for another number of channels.
        """
        sound = np.asarray(block, np.float64)
        if sound.ndim == 1:
            sound = sound[:, None]
        if sound.shape[1] != len(self._weights):
            raise UsageError(
                f"The meter was set up for {len(self._weights)} channels and given "
                f"{sound.shape[1]}; measure each layout with a meter of its own."
            )
        for start in range(0, len(sound), _PIECE):
            piece = sound[start : start + _PIECE]
            if not np.isfinite(np.sum(piece)):
                piece = np.nan_to_num(piece, nan=0.0, posinf=0.0, neginf=0.0)
            self._peak.add(piece)
            self._take(piece)

    def momentary(self) -> NDArray[np.float64]:
        """Loudness of the last 400 ms in LUFS, every 100 ms; the first value is that at 400 ms."""
        return lufs_of(self._windows(MOMENTARY_STEPS))

    def short_term(self) -> NDArray[np.float64]:
        """Loudness of the last 3 s in LUFS, every 100 ms; the first value is that at 3 s."""
        return lufs_of(self._windows(SHORT_TERM_STEPS))

    def max_momentary(self) -> float:
        """The highest momentary loudness in LUFS; -inf for silence and for less than 400 ms."""
        return lufs(self._highest[0])

    def max_short_term(self) -> float:
        """The highest short-term loudness in LUFS; -inf for silence and for less than 3 s."""
        return lufs(self._highest[1])

    def integrated(self, gain_db: float = 0.0) -> float:
        """Gated programme loudness in LUFS; -inf for silence and for less than 400 ms.

        gain_db: as if the sound had been that much louder. The absolute gate stays where it is,
        so the result may rise by more than the gain.
        """
        blocks = self._windows(MOMENTARY_STEPS)
        loud = blocks[blocks > energy(ABSOLUTE_GATE - gain_db)]
        if len(loud) == 0:
            return -math.inf
        loud = loud[loud > float(np.mean(loud)) * 10 ** (RELATIVE_GATE / 10)]
        return lufs(float(np.mean(loud))) + gain_db

    def loudness_range(self) -> float:
        """Loudness range in LU (Tech 3342); 0 where less than 3 s is above the gates.

        From the 10th to the 95th percentile of short-term loudness every 100 ms, gated at
        -70 LUFS and 20 LU below the mean of what that gate lets through.
        """
        windows = self._windows(SHORT_TERM_STEPS)
        loud = windows[windows > energy(ABSOLUTE_GATE)]
        if len(loud) == 0:
            return 0.0
        loud = np.sort(loud[loud > float(np.mean(loud)) * 10 ** (RANGE_GATE / 10)])
        low, high = (
            loud[math.floor((len(loud) - 1) * share + 0.5)] for share in (RANGE_LOW, RANGE_HIGH)
        )
        return 10 * math.log10(high / low)

    def true_peak(self) -> float:
        """Highest peak between the samples in dBTP of any channel; -inf for silence.

        Oversampled to at least 192 kHz (BS.1770-5, annex 2).
        """
        return self._peak.dbtp()

    def mean_of(self, steps: Sequence[int] | NDArray[np.integer]) -> float:
        """Loudness in LUFS of some steps of 100 ms together, with no gate; -inf for none.

        steps: numbers of whole steps from 0; those beyond the end are passed over.
        """
        chosen = np.asarray(steps, dtype=np.int64)
        chosen = chosen[(chosen >= 0) & (chosen < len(self._steps))]
        return lufs(float(np.mean(self._energies()[chosen]))) if len(chosen) else -math.inf

    @property
    def steps(self) -> int:
        """Whole steps of 100 ms so far."""
        return len(self._steps)

    def _energies(self) -> NDArray[np.float64]:
        return np.array(self._steps, np.float64)

    def _windows(self, steps: int) -> NDArray[np.float64]:
        """Mean energy of every run of so many steps."""
        if len(self._steps) < steps:
            return np.zeros(0)
        return np.convolve(self._energies(), np.full(steps, 1 / steps), mode="valid")

    def _take(self, sound: NDArray[np.float64]) -> None:
        from scipy.signal import lfilter

        weighted, self._state = lfilter(self._b, self._a, sound, axis=0, zi=self._state)
        joined = np.concatenate([self._open, weighted])
        whole = len(joined) // self._grain * self._grain
        self._open = joined[whole:].copy()
        grains = joined[:whole].reshape(-1, self._grain, len(self._weights))
        power = np.einsum("ijk,ijk->ik", grains, grains) @ self._weights / self._grain
        self._extend(power)

    def _extend(self, power: NDArray[np.float64]) -> None:
        """Note the mean energies of new grains: the maxima, and the steps that became whole."""
        joined = np.concatenate([self._recent, power])
        for i, steps in enumerate((MOMENTARY_STEPS, SHORT_TERM_STEPS)):
            width = steps * self._parts
            fresh = joined[max(0, len(self._recent) - width + 1) :]
            if len(fresh) >= width:
                means = sliding_window_view(fresh, width).mean(axis=1)
                self._highest[i] = max(self._highest[i], float(np.max(means)))
        self._recent = joined[max(0, len(joined) - SHORT_TERM_STEPS * self._parts + 1) :].copy()
        pending = np.concatenate([self._pending, power])
        whole = len(pending) // self._parts * self._parts
        self._pending = pending[whole:].copy()
        self._steps.extend(pending[:whole].reshape(-1, self._parts).mean(axis=1).tolist())
