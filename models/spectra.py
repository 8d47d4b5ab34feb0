"""Spectra of a channel before and after processing, in step and in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Read = Callable[[int, int], NDArray[np.float64]]
"""read(start, n): n mono samples from `start`, zeros outside the channel."""

FRAME_S = 0.032
BATCH = 512
SILENCE = 1e-20


@dataclass(frozen=True)
class PairedSpectra:
    """Power spectra of both channels, in step."""

    read_raw: Read
    read_clean: Read
    frames: int
    sample_rate: int

    @property
    def size(self) -> int:
        """Samples in a spectral frame, an even number."""
        return round(FRAME_S * self.sample_rate / 2) * 2

    def over(
        self, start: int, end: int
    ) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Batches (frames, bins) of raw and cleaned power that lie wholly in [start, end)."""
        hop = self.size // 2
        count = (end - start - self.size) // hop + 1
        for first in range(0, count, BATCH):
            many = min(BATCH, count - first)
            at, length = start + first * hop, (many + 1) * hop
            yield self._power(self.read_raw(at, length)), self._power(self.read_clean(at, length))

    def band(self, hz: tuple[float, float]) -> slice:
        """The bins of a band; empty where the sample rate does not reach it."""
        width = self.sample_rate / self.size
        return slice(int(np.ceil(hz[0] / width)), int(hz[1] / width) + 1)

    def _power(self, sound: NDArray[np.float64]) -> NDArray[np.float64]:
        window = np.hanning(self.size + 1)[:-1]
        framed = np.lib.stride_tricks.sliding_window_view(sound, self.size)[:: self.size // 2]
        spectrum = np.fft.rfft(framed * window, axis=1)
        return np.asarray(np.square(spectrum.real) + np.square(spectrum.imag), np.float64)


@dataclass
class Moments:
    """Running sums over the frames of the pauses, one value a bin."""

    bins: int
    count: int = 0
    sums: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        self.sums = np.zeros((3, self.bins))

    def add(self, power: NDArray[np.float64]) -> None:
        """Take in a batch (frames, bins)."""
        self.count += len(power)
        square = np.square(power)
        self.sums += np.stack([power.sum(0), square.sum(0), np.square(square).sum(0)])

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean power of each bin."""
        return np.asarray(self.sums[0] / max(1, self.count), np.float64)

    @property
    def kurtosis(self) -> NDArray[np.float64]:
        """Fourth moment of the power over the square of its second (Uemura et al., 2008)."""
        count = max(1, self.count)
        square = np.maximum(np.square(self.sums[1] / count), SILENCE**4)
        return np.asarray(self.sums[2] / count / square, np.float64)
