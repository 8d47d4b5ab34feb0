"""What the processing of a channel took from its speech, judged where speech stands clear of noise.

There is no clean original to compare with: only where speech stands well above the noise is a
change of the sound a change of the speech.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.gates_noise import FEWEST_FRAMES, SPEECH_BAND, Floor
from models.spectra import SILENCE, Powers, band, frames_a_second, loss_db, running_median, summed

VOICE_BAND = (200.0, 3_000.0)
SIBILANT_BAND = (4_000.0, 10_000.0)
AIR_BAND = (8_000.0, 20_000.0)
BELOW_AIR_BAND = (4_000.0, 8_000.0)
HIGH_HZ = 8_000.0
CLEAR_RATIO = 10.0 ** (15 / 10)
CERTAIN_RATIO = 10.0 ** (25 / 10)
AUDIBLE_RATIO = 10.0 ** (6 / 10)
SUPPRESSED_RATIO = 10.0 ** (-10 / 10)
REACH_S = 0.6
CARRYING_SHARE = 0.25
WARBLE_BANDS = ((250, 500), (500, 1_000), (1_000, 2_000), (2_000, 4_000), (4_000, 8_000))
WARBLE_HZ = 2.0
BLOCK_FRAMES = 25
WINDOW_BLOCKS = 8
FEWEST_WINDOWS = 4
RANGE = (0.10, 0.95)
GATED_DB = -20.0


@dataclass
class Band:
    """A band of the speech less its noise, summed over the frames that carry it."""

    raw: float = 0.0
    clean: float = 0.0
    frames: int = 0
    asked: int = 0

    def add(
        self, raw: Powers, clean: Powers, floor: Powers, left: Powers, chosen: NDArray[np.bool_]
    ) -> None:
        """Take in the band's power of a passage's frames, of which only the chosen may count.

        floor, left: the noise at each frame, before and after.
        """
        audible = chosen & (raw > np.maximum(AUDIBLE_RATIO * floor, SILENCE))
        self.asked += int(chosen.sum())
        self.frames += int(audible.sum())
        self.raw += float(np.sum(raw[audible] - floor[audible]))
        self.clean += float(np.sum(np.maximum(clean[audible] - left[audible], 0.0)))

    @property
    def loss_db(self) -> float:
        """The loss, or 0 where too few of the chosen frames carry the band to be speech.

        A voice that has none of the band has it now and then by chance of the noise.
        """
        if self.frames < max(FEWEST_FRAMES, CARRYING_SHARE * self.asked):
            return 0.0
        return loss_db(self.raw, self.clean)


@dataclass
class Speech:
    """What became of the speech of a channel, gathered passage by passage."""

    sample_rate: int
    sibilants: Band = field(default_factory=Band)
    air: Band = field(default_factory=Band)
    clear: Powers = field(default_factory=lambda: np.zeros(2))
    cells: Powers = field(default_factory=lambda: np.zeros(2))
    flutter: Powers = field(default_factory=lambda: np.zeros(2))
    level: Powers = field(default_factory=lambda: np.zeros(2))
    blocks: list[Powers] = field(default_factory=list)

    def add(
        self,
        raw: NDArray[np.float32],
        clean: NDArray[np.float32],
        spoken: NDArray[np.bool_],
        floor: Floor,
    ) -> None:
        """Take in the powers (frames, bins) of a passage.

        spoken: for each frame whether it lies in speech. floor: the passage's noise.
        """
        if not spoken.any():
            return
        lift = self._add_consonants(raw, clean, spoken, floor)
        self._add_cells(raw[spoken], clean[spoken], floor, lift[spoken])
        self._add_flutter(raw, clean, spoken, floor)
        self._add_blocks(raw, clean, spoken, floor)

    def _add_consonants(
        self,
        raw: NDArray[np.float32],
        clean: NDArray[np.float32],
        spoken: NDArray[np.bool_],
        floor: Floor,
    ) -> Powers:
        """Sibilants and air; gives how much louder than in the pauses the highs are by and by.

        A consonant is short. What stays loud up there for longer than half of a second or so is
        no speech, but noise that came while somebody spoke.
        """
        rate = self.sample_rate
        reach = round(REACH_S * frames_a_second(rate))

        def of(hz: tuple[float, float]) -> tuple[Powers, Powers, Powers, Powers]:
            bins = band(hz, rate)
            before, after = summed(raw, bins), summed(clean, bins)
            noise = np.maximum(running_median(before, reach), floor.raw[bins].sum())
            left = np.maximum(running_median(after, reach), floor.clean[bins].sum())
            return before, after, noise, left

        voice = summed(raw, band(VOICE_BAND, rate))
        sibilants, air, below = of(SIBILANT_BAND), of(AIR_BAND), of(BELOW_AIR_BAND)
        self.sibilants.add(*sibilants, spoken & (sibilants[0] > voice))
        # Air belongs to a consonant below it; a rustle of its own is noise.
        consonant = (below[0] > CLEAR_RATIO * below[2]) & (AUDIBLE_RATIO * below[0] > air[0])
        self.air.add(*air, spoken & consonant)
        return air[2] / max(float(floor.raw[band(AIR_BAND, rate)].sum()), SILENCE)

    def _add_cells(
        self,
        raw: NDArray[np.float32],
        clean: NDArray[np.float32],
        floor: Floor,
        lift: Powers,
    ) -> None:
        """Level and over-suppression, in the cells of time and frequency that are speech."""
        bins = band(SPEECH_BAND, self.sample_rate)
        high = max(band((HIGH_HZ, SPEECH_BAND[1]), self.sample_rate).start - bins.start, 0)
        before, after = raw[:, bins], clean[:, bins]
        noise = np.maximum(floor.raw[bins], SILENCE).astype(np.float32)
        ratio = before / noise
        ratio[:, high:] /= np.maximum(lift, 1.0)[:, None].astype(np.float32)
        clear = ratio > CLEAR_RATIO
        self.clear += [before[clear].sum(dtype=np.float64), after[clear].sum(dtype=np.float64)]
        certain = ratio > CERTAIN_RATIO
        lost = certain & (after < np.float32(SUPPRESSED_RATIO) * before)
        self.cells += [certain.sum(), lost.sum()]
        self.level += [after.sum(dtype=np.float64), len(after)]

    def _add_flutter(
        self,
        raw: NDArray[np.float32],
        clean: NDArray[np.float32],
        spoken: NDArray[np.bool_],
        floor: Floor,
    ) -> None:
        """How the gain of each band of clear speech flutters about its mean over half a second."""
        reach = round(frames_a_second(self.sample_rate) / WARBLE_HZ / 2)
        for hz in WARBLE_BANDS:
            bins = band(hz, self.sample_rate)
            before, after = summed(raw, bins), summed(clean, bins)
            clear = spoken & (before > np.maximum(CERTAIN_RATIO * floor.raw[bins].sum(), SILENCE))
            if not clear.any():
                continue
            gain = np.zeros(len(before))
            gain[clear] = 10 * np.log10(np.maximum(after[clear] / before[clear], 1e-4))
            kernel = np.ones(2 * reach + 1)
            many = np.convolve(clear, kernel)[reach : reach + len(gain)]
            mean = np.convolve(gain, kernel)[reach : reach + len(gain)] / np.maximum(many, 1)
            counted = clear & (many >= reach)
            self.flutter += [np.sum(np.square(gain - mean)[counted]), counted.sum()]

    def _add_blocks(
        self,
        raw: NDArray[np.float32],
        clean: NDArray[np.float32],
        spoken: NDArray[np.bool_],
        floor: Floor,
    ) -> None:
        """K-weighted speech power of every 0.4 s before and after, and its frames."""
        weights = k_weights(self.sample_rate, raw.shape[1]).astype(np.float32)
        noise = floor.raw @ weights, floor.clean @ weights
        before = np.where(spoken, np.maximum(raw @ weights - noise[0], 0.0), 0.0)
        after = np.where(spoken, np.maximum(clean @ weights - noise[1], 0.0), 0.0)
        table = np.stack([before, after, spoken.astype(np.float64)])
        table = np.pad(table, ((0, 0), (0, -len(raw) % BLOCK_FRAMES)))
        self.blocks.append(table.reshape(3, -1, BLOCK_FRAMES).sum(2))

    @property
    def level_change_db(self) -> float:
        """Change of level where speech stands clear of the noise."""
        return -loss_db(self.clear[0], self.clear[1])

    @property
    def over_suppressed(self) -> float:
        """Share of what certainly was speech that came out more than 10 dB lower."""
        return float(self.cells[1] / self.cells[0]) if self.cells[0] else 0.0

    @property
    def warble_db(self) -> float:
        """Root mean square of the gain's flutter above 2 Hz in clear speech."""
        return float(np.sqrt(self.flutter[0] / self.flutter[1])) if self.flutter[1] else 0.0

    @property
    def power(self) -> float:
        """Mean power of the cleaned speech."""
        return float(self.level[0] / self.level[1]) if self.level[1] else 0.0

    @property
    def range_change(self) -> float:
        """Change of the loudness range of the speech in LU; 0 where it is too short to have one.

        As EBU Tech 3342, over the speech alone: windows of 3.2 s of which a third is speech, those
        more than 20 LU below the mean of all left out, 10th to 95th percentile.
        """
        if not self.blocks:
            return 0.0
        table = np.concatenate(self.blocks, axis=1)
        if table.shape[1] < WINDOW_BLOCKS:
            return 0.0
        kernel = np.ones(WINDOW_BLOCKS)
        raw, clean, count = (np.convolve(row, kernel, "valid") for row in table)
        kept = (count >= WINDOW_BLOCKS * BLOCK_FRAMES / 3) & (raw > SILENCE)
        if not kept.any():
            return 0.0
        loud = kept & (raw / np.maximum(count, 1) > 10 ** (GATED_DB / 10) * _mean(raw, count, kept))
        if loud.sum() < FEWEST_WINDOWS:
            return 0.0
        return _range(clean[loud] / count[loud]) - _range(raw[loud] / count[loud])


def _mean(power: Powers, count: Powers, kept: NDArray[np.bool_]) -> float:
    return float(power[kept].sum() / count[kept].sum())


def _range(power: Powers) -> float:
    low, high = np.quantile(10 * np.log10(np.maximum(power, SILENCE)), RANGE)
    return float(high - low)


def k_weights(sample_rate: int, bins: int) -> Powers:
    """Power response of the K weighting at the bins of a spectrum from 0 Hz to half the rate.

    ITU-R BS.1770-5 annex 1: a shelf of 4 dB above about 1.7 kHz and a high-pass at 38 Hz, here as
    the analogue filters from which its coefficients come.
    """
    s = 1j * np.linspace(0, sample_rate / 2, bins)
    shelf, high, quality, least = 1681.974450955533, 38.13547087602444, 0.7071752369554196, 0.5003
    gain = 10 ** (3.999843853973347 / 20)
    resonance = shelf * s / quality
    top = gain * s**2 + gain**0.4996667741545416 * resonance + shelf**2
    response = top / (s**2 + resonance + shelf**2) * s**2 / (s**2 + high * s / least + high**2)
    return np.asarray(np.abs(response) ** 2, np.float64)
