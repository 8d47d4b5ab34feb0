"""Digital silence: nothing but zeros, as a dead transmitter or a switched-off track leaves it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

SHORTEST_S = 0.5


class Zeros:
    """Finds runs of zeros of half a second or more, whatever the blocks they come in."""

    def __init__(self, sample_rate: int) -> None:
        self._least = round(SHORTEST_S * sample_rate)
        self._at = 0
        self._sounded = -1

    def add(self, block: NDArray[np.floating]) -> tuple[tuple[int, int], ...]:
        """The runs that end in the next block of the sound: start and end, in its samples."""
        sounding = np.flatnonzero(block) + self._at
        edges = np.concatenate(([self._sounded], sounding))
        self._at += len(block)
        if len(sounding):
            self._sounded = int(sounding[-1])
        return tuple(self._runs(edges))

    def finish(self) -> tuple[tuple[int, int], ...]:
        """The run that the sound ends with, if there is one."""
        return tuple(self._runs(np.array([self._sounded, self._at])))

    def _runs(self, edges: NDArray[np.integer]) -> Iterator[tuple[int, int]]:
        for place in np.flatnonzero(np.diff(edges) > self._least):
            yield int(edges[place]) + 1, int(edges[place + 1])
