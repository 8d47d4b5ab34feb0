"""Mended stretches of a channel, laid over the channel as it was recorded."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.samples import finite

Samples = NDArray[np.float64]
Read = Callable[[int, int], Samples]
"""read(start, n): n mono samples from `start`, zeros outside the channel."""


@dataclass(frozen=True)
class Patch:
    """Samples that replace those of the channel from `start` on."""

    start: int
    values: Samples

    @property
    def end(self) -> int:
        """Sample just past the patch."""
        return self.start + len(self.values)


def patched(read: Read, patches: Sequence[Patch]) -> Read:
    """A reader of the channel with the patches in place; every other sample is the same bit.

    patches: in order, none overlapping another.
    """
    starts = [patch.start for patch in patches]
    ends = [patch.end for patch in patches]

    def read_patched(start: int, count: int) -> Samples:
        first, last = bisect_right(ends, start), bisect_left(starts, start + count)
        sound = read(start, count)
        if first >= last:
            return sound
        sound = sound.copy()
        for patch in patches[first:last]:
            low, high = max(start, patch.start), min(start + count, patch.end)
            sound[low - start : high - start] = patch.values[low - patch.start : high - patch.start]
        return sound

    return read_patched


def blocks(read: Read, frames: int, length: int) -> Iterator[tuple[int, Samples]]:
    """The channel in blocks of `length` samples, each with the sample it starts at."""
    for start in range(0, frames, length):
        yield start, finite(read(start, min(length, frames - start)))
