"""Two light passes: an engine that hears what it left itself, the first time under a limit."""

from __future__ import annotations

import numpy as np

from models.denoise.protocol import DenoiseStream, Samples

FIRST_LIMIT_DB = 6.0


class TwoPasses:
    """A stream through two of the same engine's streams, one behind the other.

    The first takes half of the limit's dB (6 dB where there is none), the second all it can of
    the rest. As any stream: lengths kept, zero lag.
    """

    def __init__(self, first: DenoiseStream, second: DenoiseStream, limit_db: float | None) -> None:
        """first, second: new streams of one engine. limit_db: of both passes together."""
        half = FIRST_LIMIT_DB if limit_db is None else limit_db / 2
        self._kept = np.float32(10 ** (-half / 20))
        self._first, self._second = first, second
        self._waiting = np.zeros(0, np.float32)

    def push(self, block: Samples) -> Samples:
        """The next samples (samples,); gives those that are ready, perhaps none."""
        self._waiting = np.concatenate([self._waiting, block])
        return self._second.push(self._light(self._first.push(block)))

    def finish(self) -> Samples:
        """What is left when nothing more comes. The stream is spent then."""
        last = self._second.push(self._light(self._first.finish()))
        return np.concatenate([last, self._second.finish()])

    def _light(self, wet: Samples) -> Samples:
        """The first pass: what waits, and the engine's answer to it, under the limit."""
        raw, self._waiting = self._waiting[: len(wet)], self._waiting[len(wet) :]
        return np.asarray(self._kept * raw + (1 - self._kept) * wet[: len(raw)], np.float32)
