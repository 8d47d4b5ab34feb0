"""To the 16 kHz that every speech engine listens at, and from its samples back to the source's."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from core.time import round_half_up

SPEECH_RATE = 16_000


def to_16k(sound: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """A mono sound (samples,) at sample_rate Hz, resampled to 16 kHz by soxr (HQ, zero lag).

    Holds 64 kB a second of sound. A sound already at 16 kHz is returned as it is.
    """
    import soxr

    if sample_rate == SPEECH_RATE:
        return sound
    resampled: NDArray[np.float32] = soxr.resample(sound, sample_rate, SPEECH_RATE)
    return resampled.astype(np.float32, copy=False)


def rescale(value: int, old_rate: int, new_rate: int) -> int:
    """The sample at new_rate nearest to a sample position at old_rate (halves up)."""
    return round_half_up(Fraction(value * new_rate, old_rate))
