"""Samples as any step may get them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def finite(sound: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """A copy in double precision in which samples that are no finite number are 0."""
    copy = np.array(sound, np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        # The sum tells in one quick look: it is no number where one of the samples is none.
        whole = bool(np.isfinite(copy.sum()))
    if not whole:
        np.nan_to_num(copy, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    return copy
