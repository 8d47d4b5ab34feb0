"""Loudness by somebody else's meter: libebur128, through pyebur128."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray


def libebur128(sound: NDArray[np.float64], rate: int) -> tuple[float, float]:
    """Integrated loudness in LUFS and true peak in dBTP of (frames,) or (frames, channels).

    Skips the test where pyebur128 could not be installed (some Pythons have no wheel of it).
    """
    pyebur128 = pytest.importorskip("pyebur128", reason="pyebur128 has no wheel for this Python")
    channels = 1 if sound.ndim == 1 else sound.shape[1]
    modes = pyebur128.MeasurementMode
    state = pyebur128.R128State(channels, rate, modes.MODE_I | modes.MODE_TRUE_PEAK)
    state.add_frames(np.ascontiguousarray(sound, dtype=np.float64).reshape(-1), len(sound))
    peak = max(pyebur128.get_true_peak(state, channel) for channel in range(channels))
    return pyebur128.get_loudness_global(state), 20 * math.log10(peak)
