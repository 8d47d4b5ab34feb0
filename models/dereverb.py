"""The room turned down: late reverberation predicted from what was heard before, and subtracted.

Weighted prediction error (Nakatani, Yoshioka, Kinoshita, Miyoshi and Juang, "Speech Dereverberation
Based on Variance-Normalized Delayed Linear Prediction", IEEE Trans. Audio, Speech, and Language
Processing 18(7), 2010), as NARA-WPE computes it. In every band a linear filter predicts the sound
from the frames that lie 24 ms and more behind; what it can predict is late reverberation. The
direct sound and the first reflections stay, so does whatever is new: words, steps, noise. It is the
signal itself that the filter learns from; there are no weights.
"""

from __future__ import annotations

import importlib.metadata
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import UsageError
from models.card import ModelCard
from models.described import described
from models.samples import finite

process_version = "2"
"""Part of the key of cleaned audio: raised whenever the output bytes of this module change."""

FRAME_S = 0.032
STEP_S = 0.008
DELAY = 3
TAPS = 40
"""Frames that are looked back at, over all channels of a group: 0.32 s for one microphone."""

ROUNDS = 3
TOP_HZ = 16_000.0
FRAMES_A_TAP = 25
BLOCK_S = 9
OVERLAP_S = 1
MOST_DB = 40.0
_KEPT = 3

Samples = NDArray[np.float64]
Read = Callable[[int, int], Samples]
"""read(start, n): n mono samples from `start`, zeros outside the channel."""


@dataclass(frozen=True)
class RoomOptions:
    """How far the room is turned down.

    amount_db: the most by which late reverberation falls. 0 is off; 6 takes half of it, 12 three
        quarters. Higher is drier, and closer to what the filter gets wrong. What the filter can't
        predict, which is most of it in a long hall, stays.
    """

    amount_db: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.amount_db <= MOST_DB:
            raise UsageError(
                f"A room turned down by {self.amount_db} dB is not possible; give 0 to {MOST_DB:g}."
            )

    @property
    def share(self) -> float:
        """Linear share of the prediction that is subtracted, 0 to 1."""
        return 1.0 - float(10 ** (-self.amount_db / 20))


def card() -> ModelCard:
    """What runs, for reports and provenance."""
    version = importlib.metadata.version("nara-wpe")
    return described("nara-wpe").card(f"numpy {np.__version__}", "", version)


def without_room(
    reads: Sequence[Read], frames: int, sample_rate: int, options: RoomOptions
) -> tuple[Read, ...]:
    """A reader for each channel of one microphone group, with its room turned down.

    reads: of the channels, of `frames` samples at `sample_rate` Hz. The filter of a group is one
    (each channel is predicted from all), so its image stays. Zero lag, the same length, the same
    samples however they are read; zeros outside. Above 16 kHz nothing is changed. Blocks of
    BLOCK_S are worked when they are read, with a filter each, and a few of them kept.
    """
    if options.share == 0.0:
        return tuple(reads)
    blocks = _Blocks(reads, frames, sample_rate, options.share)

    def reader(channel: int) -> Read:
        return lambda start, count: blocks.read(channel, start, count)

    return tuple(reader(channel) for channel in range(len(reads)))


class _Blocks:
    """The dry sound of a group on a fixed grid of blocks, each faded over from the one before."""

    def __init__(self, reads: Sequence[Read], frames: int, sample_rate: int, share: float) -> None:
        self._reads, self._frames, self._rate, self._share = reads, frames, sample_rate, share
        self._length, self._overlap = BLOCK_S * sample_rate, OVERLAP_S * sample_rate
        # What is left at the end is worked with the block before it.
        self._count = max(1, frames // self._length)
        self._worked: OrderedDict[int, Samples] = OrderedDict()

    def read(self, channel: int, start: int, count: int) -> Samples:
        """Samples of a channel; zeros outside."""
        out = np.zeros(count)
        first, last = max(start, 0), min(start + count, self._frames)
        for number in range(self._count):
            begin, end = self._bounds(number)
            low, high = max(first, begin), min(last, end)
            if low < high:
                part = self._block(number)[channel, low - begin : high - begin]
                out[low - start : high - start] += part
        return out

    def _bounds(self, number: int) -> tuple[int, int]:
        """First sample and one past the last of a block, the passage of fading over included."""
        last = number == self._count - 1
        end = self._frames if last else (number + 1) * self._length + self._overlap
        return number * self._length, min(end, self._frames)

    def _block(self, number: int) -> Samples:
        """A block (channels, samples), faded in and out where it has neighbours."""
        block = self._worked.pop(number, None)
        if block is None:
            start, end = self._bounds(number)
            sound = np.stack([finite(read(start, end - start)) for read in self._reads])
            block = sound - self._share * _predicted(sound, self._rate)
            ramp = (np.arange(self._overlap) + 0.5) / self._overlap
            if number:
                block[:, : len(ramp)] *= ramp[: block.shape[1]]
            if number < self._count - 1:
                tail = end - (number + 1) * self._length
                block[:, block.shape[1] - tail :] *= 1 - ramp[:tail]
        self._worked[number] = block
        while len(self._worked) > _KEPT:
            self._worked.popitem(last=False)
        return block


def _predicted(sound: Samples, sample_rate: int) -> Samples:
    """The late reverberation in a passage (channels, samples), as far as it can be predicted."""
    from nara_wpe.wpe import wpe_v6

    size, step = _frame(sample_rate)
    spectra = np.stack([_analysed(channel, size, step) for channel in sound])
    width, count = spectra.shape[0], spectra.shape[1]
    taps = min(TAPS // width, count // (FRAMES_A_TAP * width))
    late = np.zeros_like(spectra)
    top = min(spectra.shape[2], int(TOP_HZ * size / sample_rate) + 1)
    for number in range(top if taps > 0 else 0):
        heard = np.ascontiguousarray(spectra[:, :, number])
        # Digital silence has nothing to predict, and nothing to divide by.
        if np.any(heard):
            dry = wpe_v6(heard, taps=taps, delay=DELAY, iterations=ROUNDS)
            late[:, :, number] = heard - dry
    return np.stack([_joined(channel, size, step, sound.shape[1]) for channel in late])


def _frame(sample_rate: int) -> tuple[int, int]:
    """Samples of a frame, four steps long, and of a step."""
    step = max(1, round(STEP_S * sample_rate))
    return 4 * step, step


def _analysed(sound: Samples, size: int, step: int) -> NDArray[np.complex128]:
    """Spectra (frames, bins) under a root of Hann, the sound padded by a frame either side."""
    padded = np.pad(sound, (size, 2 * size))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::step]
    return np.fft.rfft(frames * _window(size), axis=1)


def _joined(spectra: NDArray[np.complex128], size: int, step: int, length: int) -> Samples:
    """The sound of spectra, as `_analysed` gave them for a sound of that length."""
    frames = np.fft.irfft(spectra, size, axis=1) * _window(size) / 2
    sound = np.zeros(len(frames) * step + size)
    for number, frame in enumerate(frames):
        sound[number * step : number * step + size] += frame
    return sound[size : size + length]


def _window(size: int) -> Samples:
    return np.asarray(np.sqrt(np.hanning(size + 1)[:-1]), np.float64)
