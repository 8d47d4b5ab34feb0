"""What the processing did to the image of a microphone group: phase and level between channels."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.gates_noise import Floor
from models.spectra import SILENCE, Powers, band

IMAGE_BAND = (150.0, 12_000.0)
CLEAR_RATIO = 10.0 ** (15 / 10)
RELATED = 0.3
FEWEST_CELLS = 500


@dataclass
class Image:
    """Two channels of a group, in the cells where speech stands 15 dB above the noise of both.

    sums: power of the one, of the other and their cross power, before (row 0) and after (row 1).
    """

    sample_rate: int
    cells: int = 0
    sums: NDArray[np.complex128] = field(default_factory=lambda: np.zeros((2, 3), np.complex128))

    def add(
        self,
        one: tuple[NDArray[np.complex64], NDArray[np.complex64]],
        other: tuple[NDArray[np.complex64], NDArray[np.complex64]],
        floors: tuple[Floor, Floor],
    ) -> None:
        """Take in the spectra (frames, bins) of speech in a passage, each before and after."""
        bins = band(IMAGE_BAND, self.sample_rate)
        clear = np.ones(one[0][:, bins].shape, bool)
        for pair, floor in zip((one, other), floors, strict=True):
            least = np.maximum(CLEAR_RATIO * floor.raw[bins], SILENCE)
            clear &= np.square(np.abs(pair[0][:, bins])) > least
        self.cells += int(clear.sum())
        for row in range(2):
            left, right = one[row][:, bins][clear], other[row][:, bins][clear]
            self.sums[row] += (
                np.vdot(left, left),
                np.vdot(right, right),
                np.vdot(right, left),
            )

    @property
    def correlation_lost(self) -> float:
        """By how much the correlation of the channels fell, 0 to 2; 0 where they are unrelated.

        Of channels in opposite phase it is that of the one with the other turned round.
        """
        before, after = self._correlations()
        if self._unrelated:
            return 0.0
        return float((before - after) * np.sign(before))

    @property
    def mono_change_db(self) -> float:
        """Change of the level of the mono sum beyond that of its channels; 0 where unrelated."""
        if self._unrelated:
            return 0.0
        gains = [self._sum_gain(row) for row in range(2)]
        # A sum that cancels all but entirely is no level to compare with.
        return float(10 * np.log10(max(gains[1], 0.01) / max(gains[0], 0.01)))

    @property
    def _unrelated(self) -> bool:
        return self.cells < FEWEST_CELLS or abs(float(self._correlations()[0])) < RELATED

    def _correlations(self) -> Powers:
        power = np.sqrt(np.abs(self.sums[:, 0]) * np.abs(self.sums[:, 1]))
        return np.asarray(self.sums[:, 2].real / np.maximum(power, SILENCE), np.float64)

    def _sum_gain(self, row: int) -> float:
        apart = float(self.sums[row, :2].real.sum())
        return (apart + 2 * float(self.sums[row, 2].real)) / max(apart, SILENCE)
