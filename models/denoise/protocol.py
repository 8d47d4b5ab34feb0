"""The seam every noise-suppression engine stands behind."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.card import ModelCard

Samples = NDArray[np.float32]


class DenoiseStream(Protocol):
    """One passage on its way through an engine.

    What `push` and `finish` give, joined, is exactly as long as what was pushed, with zero lag,
    and the same for any division into blocks. How much each call gives depends on the lengths
    alone, never on the sound.
    """

    def push(self, block: Samples) -> Samples:
        """The next samples (samples,), any number; gives those that are ready, perhaps none."""
        ...

    def finish(self) -> Samples:
        """What is left when nothing more comes. The stream is spent then."""
        ...


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
        """The rate in Hz of what goes in and comes out."""
        ...

    def stream(self) -> DenoiseStream:
        """A new passage, heard from its first sample; many may run side by side."""
        ...

    def denoise(self, sound: Samples) -> Samples:
        """One whole passage (samples,) at once: what `stream` gives for it, joined."""
        ...


def passed_through(stream: DenoiseStream, sound: Samples) -> Samples:
    """A whole passage (samples,) through a new stream."""
    return np.concatenate([stream.push(sound), stream.finish()])
