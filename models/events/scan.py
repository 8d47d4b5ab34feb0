"""One pass over a channel for slates, tone, pops and digital silence, in blocks of any size.

Memory does not grow with the length of the sound.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.events.claps import Clap, find_claps
from models.events.silence import Zeros
from models.events.tones import Tone, Tones
from models.events.window import AROUND_S, Window

SCAN_VERSION = "1"
"""Raised whenever the detectors may find anything else than before."""

STRETCH_S = 20


@dataclass(frozen=True)
class Scan:
    """What was found in a channel, in its samples. zeros: start and end of each run."""

    claps: tuple[Clap, ...]
    tones: tuple[Tone, ...]
    zeros: tuple[tuple[int, int], ...]


@dataclass
class Scanner:
    """Takes a channel block by block, from its first sample to its last.

    transients: also look for claps and tones, not for digital silence alone.
    """

    sample_rate: int
    transients: bool = True
    heard: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._zeros = Zeros(self.sample_rate)
        self._tones = Tones(self.sample_rate)
        self._around = AROUND_S * self.sample_rate
        # The sound before its start is silence.
        self._held = np.zeros(self._around)
        self._next = 0
        self._claps: list[Clap] = []
        self._found: list[Tone] = []
        self._runs: list[tuple[int, int]] = []

    def add(self, block: NDArray[np.floating]) -> None:
        """The next samples of the channel."""
        self.heard += len(block)
        self._runs += self._zeros.add(block)
        if not self.transients:
            return
        self._held = np.concatenate((self._held, block))
        while self.heard - self._next >= STRETCH_S * self.sample_rate + self._around:
            self._look(self._next + STRETCH_S * self.sample_rate)

    def finish(self) -> Scan:
        """What was found in all of it."""
        self._runs += self._zeros.finish()
        if self.transients:
            self._held = np.concatenate((self._held, np.zeros(self._around)))
            window = self._look(self.heard)
            self._found += self._tones.finish(window)
        return Scan(tuple(self._claps), tuple(self._found), tuple(self._runs))

    def _look(self, last: int) -> Window:
        """Look through the stretch up to a sample, and let go of what is not needed any more."""
        at = self._next - self._around
        end = last + self._around
        window = Window(self._held[: end - at], at, self._next, last, self.sample_rate)
        self._claps += find_claps(window)
        self._found += self._tones.add(window)
        self._held = self._held[last - self._next :]
        self._next = last
        return window
