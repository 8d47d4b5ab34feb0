"""A wave file that is never written: any of its bytes, made when they are asked for.

For players that seek by ranges of bytes in sound that lies in several files.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import UsageError

ReadBlock = Callable[[int, int], NDArray[np.float64]]
_PCM, _FLOAT = 1, 3
_BLOCK = 1 << 15
_STEPS = 1 << 23


@dataclass(frozen=True)
class WaveBytes:
    """The shape of a wave file. frames: samples a channel. floating: 32-bit float, else 24-bit."""

    sample_rate: int
    channels: int
    frames: int
    floating: bool

    def __post_init__(self) -> None:
        """Raises UsageError for what no wave file holds: 4 GB or more."""
        if self.size >= 1 << 32:
            raise UsageError("This is too long to be heard in one piece: over 4 GB of sound.")

    @property
    def header(self) -> bytes:
        """All before the first sample (RIFF, `fmt ` and `data`)."""
        bits = 32 if self.floating else 24
        width = self._width
        data = self.frames * width
        form = struct.pack(
            "<HHIIHH",
            _FLOAT if self.floating else _PCM,
            self.channels,
            self.sample_rate,
            self.sample_rate * width,
            width,
            bits,
        )
        whole = 4 + 8 + len(form) + 8 + data + data % 2
        return b"".join(
            (b"RIFF", struct.pack("<I", whole), b"WAVE",
             b"fmt ", struct.pack("<I", len(form)), form,
             b"data", struct.pack("<I", data))
        )  # fmt: skip

    @property
    def size(self) -> int:
        """Bytes in all."""
        data = self.frames * self._width
        return 44 + data + data % 2

    @property
    def _width(self) -> int:
        return self.channels * (4 if self.floating else 3)

    def between(self, first: int, last: int, read: ReadBlock) -> Iterator[bytes]:
        """Bytes first … last (without it) in pieces. read: gives samples `start` to `start + n`,
        shape (n, channels), full scale 1.0; what passes full scale is clipped in 24 bit.
        """
        last = min(last, self.size)
        header = self.header
        if first < len(header):
            yield header[first : min(last, len(header))]
        at = max(first, len(header))
        sound = len(header) + self.frames * self._width
        while at < min(last, sound):
            start = (at - len(header)) // self._width
            count = min(
                _BLOCK, self.frames - start, -(-(last - len(header)) // self._width) - start
            )
            piece = self._coded(read(start, count))
            begins = len(header) + start * self._width
            yield piece[at - begins : last - begins]
            at = begins + len(piece)
        if last > sound and first < self.size:
            yield b"\0" * (last - max(sound, first))

    def _coded(self, block: NDArray[np.float64]) -> bytes:
        if self.floating:
            return block.astype("<f4").tobytes()
        steps = np.clip(np.rint(block * _STEPS), -_STEPS, _STEPS - 1).astype("<i4")
        return steps.view(np.uint8).reshape(*steps.shape, 4)[..., :3].tobytes()
