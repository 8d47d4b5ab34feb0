"""What the ear makes of a sound before it is measured: K-weighting and channel weights."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from core.errors import UsageError

OFFSET = -0.691
CHANNEL_WEIGHTS = {
    1: (1.0,),
    2: (1.0, 1.0),
    3: (1.0, 1.0, 1.0),
    4: (1.0, 1.0, 1.41, 1.41),
    5: (1.0, 1.0, 1.0, 1.41, 1.41),
    6: (1.0, 1.0, 1.0, 0.0, 1.41, 1.41),
}
"""BS.1770-5, table 4: surrounds count 1.5 dB more, the LFE not at all."""

SHELF_HZ, SHELF_Q = 1681.9744509555319, 0.7071752369554193
SHELF_DB = 3.99984385397
HIGH_PASS_HZ, HIGH_PASS_Q = 38.13547087613982, 0.5003270373253953

MOST_CHANNELS = max(CHANNEL_WEIGHTS)


def channel_weights(channels: int) -> NDArray[np.float64]:
    """The weight of each channel's power: 1 to 6, in the order of BS.1770.

    4 is L R Ls Rs, 5 is L R C Ls Rs, 6 is L R C LFE Ls Rs. Raises UsageError for any other number.
    """
    if channels not in CHANNEL_WEIGHTS:
        raise UsageError(f"Loudness is defined for 1 to 6 channels, not for {channels}.")
    return np.array(CHANNEL_WEIGHTS[channels])


def k_weighting(sample_rate: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """K-weighting as one filter of fourth order: (b, a), five coefficients each.

    A shelf of +4 dB above 1.7 kHz, then a high-pass at 38 Hz (BS.1770-5, annex 1). The document
    gives coefficients at 48 kHz only; these are the filters behind them, for any sample rate
    (B. De Man, Evaluation of Implementations of the EBU R128 Loudness Measurement, AES 145, 2018),
    which pyloudnorm designs.
    """
    from pyloudnorm import IIRfilter

    shelf = IIRfilter(SHELF_DB, SHELF_Q, SHELF_HZ, sample_rate, "high_shelf_DeMan")
    high_pass = IIRfilter(0.0, HIGH_PASS_Q, HIGH_PASS_HZ, sample_rate, "high_pass_DeMan")
    (shelf_b, shelf_a), (pass_b, pass_a) = (
        stage.generate_coefficients() for stage in (shelf, high_pass)
    )
    return np.convolve(shelf_b, pass_b), np.convolve(shelf_a, pass_a)


def energy(lufs: float) -> float:
    """The weighted mean square of a loudness in LUFS."""
    return float(10 ** ((lufs - OFFSET) / 10))


def lufs(mean_square: float) -> float:
    """The loudness in LUFS of a weighted mean square; -inf for silence."""
    return OFFSET + 10 * math.log10(mean_square) if mean_square > 0 else -math.inf


def lufs_of(mean_squares: NDArray[np.float64]) -> NDArray[np.float64]:
    """The loudness in LUFS of weighted mean squares; -inf for silence."""
    with np.errstate(divide="ignore"):
        return OFFSET + 10 * np.log10(np.maximum(mean_squares, 0.0))
