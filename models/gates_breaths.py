"""What the processing took from the sound between the words: breaths, gasps, sighs, sobs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.spectra import SILENCE, band, frames_a_second, loss_db, running_median, summed

BREATH_BAND = (500.0, 8_000.0)
FLOOR_REACH_S = 1.0
NEAR_SPEECH_S = 1.0
SHORTEST_S = 0.1
LONGEST_S = 0.8
AUDIBLE_RATIO = 10.0 ** (6 / 10)
PEAK_RATIO = 10.0 ** (12 / 10)
FEWEST = 2


@dataclass
class Breaths:
    """Sound between the words that is long and loud enough to be a breath, and its loss."""

    sample_rate: int
    count: int = 0
    raw: float = 0.0
    clean: float = 0.0

    def add(
        self,
        raw: NDArray[np.float32],
        clean: NDArray[np.float32],
        spoken: NDArray[np.bool_],
    ) -> None:
        """Take in the powers (frames, bins) of a passage.

        spoken: for each frame whether it touches speech. The noise is the median of what lies
        within a second on either side, speech left out: what stays loud for longer is noise too.
        """
        between = np.flatnonzero(~spoken)
        if len(between) in (0, len(spoken)):
            return
        bins = band(BREATH_BAND, self.sample_rate)
        rate = frames_a_second(self.sample_rate)
        reach = round(FLOOR_REACH_S * rate)
        before, after = summed(raw, bins), summed(clean, bins)
        noise, left = np.zeros(len(raw)), np.zeros(len(raw))
        noise[between] = running_median(before[between], reach)
        left[between] = running_median(after[between], reach)
        heard = ~spoken & _near(spoken, round(NEAR_SPEECH_S * rate))
        audible = heard & (before > np.maximum(AUDIBLE_RATIO * noise, SILENCE))
        for start, end in _runs(audible):
            long_enough = SHORTEST_S * rate <= end - start <= LONGEST_S * rate
            if not long_enough or before[start:end].max() < PEAK_RATIO * noise[start:end].max():
                continue
            self.count += 1
            self.raw += float(np.sum(before[start:end] - noise[start:end]))
            self.clean += float(np.sum(np.maximum(after[start:end] - left[start:end], 0.0)))

    @property
    def loss_db(self) -> float:
        """The loss, 0 where one such sound or none was heard."""
        return loss_db(self.raw, self.clean) if self.count >= FEWEST else 0.0


def _near(spoken: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Frames no further than `reach` from one that is spoken."""
    return np.asarray(np.convolve(spoken, np.ones(2 * reach + 1), "same")[: len(spoken)] > 0.5)


def _runs(chosen: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and past-last of every run of chosen frames."""
    edges = np.flatnonzero(np.diff(np.r_[False, chosen, False].astype(np.int8)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]
