"""Sound filtered and thinned out, as products of matrices: several times faster than a filter."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from models.repair.patches import Samples

MOST_AT_ONCE = 1 << 16
"""Outputs computed at once; about 4 MB wait then."""


def decimated(sound: Samples, taps: Samples, step: int) -> Samples:
    """Every `step`-th sample of the full overlap of `sound` with the filter `taps`.

    Value k is the sum of `taps[::-1] * sound[k * step :][: len(taps)]`: what `np.convolve(sound,
    taps, "valid")[::step]` gives, but for rounding.
    """
    count = (len(sound) - len(taps)) // step + 1
    if count < 1:
        return np.zeros(0)
    # A row of the matrix on the left holds what `beside` outputs hear, on the right each of them
    # has its own column: some products are with zeros, but all are of the fast kind.
    beside = max(1, min(count, len(taps) // step))
    heard = (beside - 1) * step + len(taps)
    columns = np.zeros((heard, beside))
    for number in range(beside):
        columns[number * step : number * step + len(taps), number] = taps[::-1]
    rows = -(-count // beside)
    missing = (rows - 1) * beside * step + heard - len(sound)
    padded = np.pad(sound, (0, max(0, missing)))
    windows = sliding_window_view(padded, heard)[:: beside * step][:rows]
    at_once = max(1, MOST_AT_ONCE // beside // 8)
    parts = [windows[at : at + at_once] @ columns for at in range(0, rows, at_once)]
    return np.concatenate(parts).ravel()[:count]
