"""The noise of a channel: what it was in the pauses, what is left, and how it changed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.spectra import SILENCE, Moments, Powers, band, loss_db

SPEECH_BAND = (100.0, 16_000.0)
FEWEST_FRAMES = 8
QUIET_SHARE = 0.1


@dataclass(frozen=True)
class Floor:
    """Mean noise power of each bin in a passage, before and after."""

    raw: Powers
    clean: Powers


@dataclass
class Noise:
    """The noise of a channel, gathered passage by passage.

    Where a channel has no pause, its quietest moments stand for it.
    """

    sample_rate: int
    bins: int
    pauses: tuple[Moments, Moments] = field(init=False)
    quiet: tuple[Moments, Moments] = field(init=False)
    last: Floor | None = None

    def __post_init__(self) -> None:
        self.pauses = (Moments(self.bins), Moments(self.bins))
        self.quiet = (Moments(self.bins), Moments(self.bins))

    def add(
        self, raw: NDArray[np.float32], clean: NDArray[np.float32], paused: NDArray[np.bool_]
    ) -> Floor:
        """Take in the powers (frames, bins) of a passage; gives the noise to judge it by.

        paused: for each frame whether it lies in a pause. The noise is that of the pauses of the
        passage, else of the last one that had any, else of its quietest tenth.
        """
        level = raw.sum(1, dtype=np.float64)
        # A frame of digital silence, before or after, says nothing about noise.
        sounding = (level > SILENCE) & (clean.sum(1, dtype=np.float64) > SILENCE)
        calm = np.zeros(len(raw), bool)
        if sounding.any():
            calm = sounding & (level <= np.quantile(level[sounding], QUIET_SHARE))
        paused = paused & sounding
        for moments, chosen in ((self.pauses, paused), (self.quiet, calm)):
            moments[0].add(raw[chosen])
            moments[1].add(clean[chosen])
        if paused.sum() >= FEWEST_FRAMES:
            self.last = _mean(raw[paused], clean[paused])
        if self.last is not None:
            return self.last
        return _mean(raw[calm], clean[calm])

    @property
    def musical_noise(self) -> float:
        """Logarithm of the ratio of kurtoses, the median over the bins; 0 is none added."""
        raw, clean = self._moments
        if raw.count < FEWEST_FRAMES:
            return 0.0
        bins = band(SPEECH_BAND, self.sample_rate)
        ratios = np.log(clean.kurtosis[bins] / np.maximum(raw.kurtosis[bins], SILENCE))
        return float(np.median(ratios))

    @property
    def taken_db(self) -> float:
        """By how much the pauses became quieter."""
        raw, clean = self._moments
        bins = band(SPEECH_BAND, self.sample_rate)
        return loss_db(float(raw.mean[bins].sum()), float(clean.mean[bins].sum()))

    @property
    def left(self) -> float:
        """Mean power of what is left in the pauses."""
        return float(self._moments[1].mean[band(SPEECH_BAND, self.sample_rate)].sum())

    @property
    def _moments(self) -> tuple[Moments, Moments]:
        return self.pauses if self.pauses[0].count >= FEWEST_FRAMES else self.quiet


def _mean(raw: NDArray[np.float32], clean: NDArray[np.float32]) -> Floor:
    if len(raw) == 0:
        nothing = np.zeros(raw.shape[1])
        return Floor(nothing, nothing)
    return Floor(raw.mean(0, dtype=np.float64), clean.mean(0, dtype=np.float64))
