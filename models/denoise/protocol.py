"""The seam every noise-suppression engine stands behind."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.card import ModelCard


class Denoiser(Protocol):
    """An engine that takes all the noise it can out of a passage of dialogue.

    card: what it is. sample_rate: Hz, the only rate it accepts.
    """

    @property
    def card(self) -> ModelCard:
        """What ran, for reports and provenance."""
        ...

    @property
    def sample_rate(self) -> int:
        """The rate in Hz that `denoise` takes and gives."""
        ...

    def denoise(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        """One passage (samples,), full suppression, the same length, zero lag."""
        ...
