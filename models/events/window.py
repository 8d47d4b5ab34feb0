"""A stretch of a sound with what lies around it, as the detectors see it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

AROUND_S = 2
"""Seconds that a detector sees before and after the stretch it is responsible for."""


@dataclass(frozen=True)
class Window:
    """samples: mono, the first of them sample `at` of the sound. first, last: the stretch.

    Each sample of a sound is in the stretch of one window; zeros lie outside the sound.
    """

    samples: NDArray[np.float64]
    at: int
    first: int
    last: int
    sample_rate: int

    def part(self, start: int, end: int) -> NDArray[np.float64]:
        """The samples from start to end of the sound, as far as the window has them."""
        low = max(0, start - self.at)
        return self.samples[low : max(low, end - self.at)]
