"""Spectra of a channel before and after processing, in step, in one reading of both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Read = Callable[[int, int], NDArray[np.float64]]
"""read(start, n): n mono samples from `start`, zeros outside the channel."""

Powers = NDArray[np.float64]
FRAME_S = 0.032
BATCH = 500
SILENCE = 1e-20


@dataclass(frozen=True)
class Passage:
    """About eight seconds of a channel before and after.

    start: first sample. raw, clean: the samples, every sample of the channel in one passage.
    first: number of the first spectral frame. before, after: complex spectra (frames, bins).
    """

    start: int
    raw: NDArray[np.float64]
    clean: NDArray[np.float64]
    first: int
    before: NDArray[np.complex64]
    after: NDArray[np.complex64]


@dataclass(frozen=True)
class Paired:
    """A channel of `frames` samples at `sample_rate` Hz before and after processing."""

    read_raw: Read
    read_clean: Read
    frames: int
    sample_rate: int

    @property
    def size(self) -> int:
        """Samples in a spectral frame, an even number."""
        return frame_size(self.sample_rate)

    @property
    def count(self) -> int:
        """Spectral frames that lie wholly in the channel; frame k starts at sample k·size/2."""
        return max(0, (self.frames - self.size) // (self.size // 2) + 1)

    def passages(self) -> Iterator[Passage]:
        """The channel from its first sample to its last; memory does not grow with the length."""
        hop = self.size // 2
        for first in range(0, max(1, self.count), BATCH):
            many = min(BATCH, self.count - first)
            start = first * hop
            last = first + BATCH >= self.count
            own = self.frames - start if last else many * hop
            length = max(own, (many + 1) * hop)
            raw, clean = self.read_raw(start, length), self.read_clean(start, length)
            yield Passage(
                start,
                raw[:own],
                clean[:own],
                first,
                self._spectra(raw, many),
                self._spectra(clean, many),
            )

    def _spectra(self, sound: NDArray[np.float64], many: int) -> NDArray[np.complex64]:
        from scipy.fft import rfft

        if many <= 0:
            return np.zeros((0, self.size // 2 + 1), np.complex64)
        window = np.hanning(self.size + 1)[:-1].astype(np.float32)
        single = sound[: (many + 1) * (self.size // 2)].astype(np.float32)
        framed = np.lib.stride_tricks.sliding_window_view(single, self.size)
        return np.asarray(rfft(framed[:: self.size // 2] * window, axis=1), np.complex64)


def frame_size(sample_rate: int) -> int:
    """Samples in a spectral frame at that rate in Hz."""
    return round(FRAME_S * sample_rate / 2) * 2


def frames_a_second(sample_rate: int) -> float:
    """Spectral frames in a second."""
    return sample_rate / (frame_size(sample_rate) // 2)


def band(hz: tuple[float, float], sample_rate: int) -> slice:
    """The bins of a band; empty where the sample rate does not reach it."""
    size = frame_size(sample_rate)
    width = sample_rate / size
    return slice(int(np.ceil(hz[0] / width)), min(int(hz[1] / width), size // 2) + 1)


def power(spectrum: NDArray[np.complex64]) -> NDArray[np.float32]:
    """Power of complex spectra, of the same shape."""
    return np.asarray(np.square(spectrum.real) + np.square(spectrum.imag), np.float32)


def summed(powers: NDArray[np.float32], bins: slice) -> Powers:
    """Power in a band of every frame."""
    return np.asarray(powers[:, bins].sum(1, dtype=np.float64), np.float64)


def loss_db(raw: float, clean: float) -> float:
    """How much lower the cleaned power is, at most 120 dB; 0 where the original has none."""
    if raw <= SILENCE:
        return 0.0
    return float(10 * np.log10(raw / max(clean, raw * 1e-12)))


def running_median(values: Powers, reach: int) -> Powers:
    """The median of every third of the values within `reach` of each, itself among them."""
    if len(values) == 0:
        return values
    reach = reach // 3 * 3
    around = np.lib.stride_tricks.sliding_window_view(
        np.pad(values, reach, mode="edge"), 2 * reach + 1
    )
    return np.asarray(np.median(around[:, ::3], axis=1), np.float64)


@dataclass
class Moments:
    """Running sums over the frames of the pauses, one value a bin."""

    bins: int
    count: int = 0
    sums: Powers = field(init=False)

    def __post_init__(self) -> None:
        self.sums = np.zeros((3, self.bins))

    def add(self, powers: NDArray[np.float32]) -> None:
        """Take in a batch (frames, bins)."""
        self.count += len(powers)
        value = powers.astype(np.float64)
        square = np.square(value)
        self.sums += np.stack([value.sum(0), square.sum(0), np.square(square).sum(0)])

    @property
    def mean(self) -> Powers:
        """Mean power of each bin."""
        return np.asarray(self.sums[0] / max(1, self.count), np.float64)

    @property
    def kurtosis(self) -> Powers:
        """Fourth moment of the power over the square of its second (Uemura et al., 2008)."""
        count = max(1, self.count)
        square = np.maximum(np.square(self.sums[1] / count), SILENCE**4)
        return np.asarray(self.sums[2] / count / square, np.float64)
