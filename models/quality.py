"""The gates: what the processing of a channel took that it should not have.

There is no clean original to compare with, so speech is judged where it stands well above the
noise of the pauses: there a change can only be a change of the speech.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from config.recipes import GateLimits
from models.spectra import SILENCE, Moments, PairedSpectra, Read

__all__ = ["Gate", "GateLimits", "judge"]

SPEECH_BAND = (100.0, 16_000.0)
VOICE_BAND = (200.0, 3_000.0)
SIBILANT_BAND = (4_000.0, 10_000.0)
AIR_BAND = (8_000.0, 20_000.0)
BELOW_AIR_BAND = (2_000.0, 8_000.0)
CLEAR_RATIO = 10.0 ** (15 / 10)
CERTAIN_RATIO = 10.0 ** (25 / 10)
AUDIBLE_RATIO = 10.0 ** (6 / 10)
SUPPRESSED_RATIO = 10.0 ** (-10 / 10)
PAUSE_GUARD_S = 0.25
LAG_S = 0.1
FEWEST_FRAMES = 8
QUIET_SHARE = 0.1
LAG_WINDOWS = 8
CLIPPED = 1.0 - 2.0**-23


@dataclass(frozen=True)
class Gate:
    """One measurement of a cleaned channel against its original.

    value, limit: in `unit`. passed: whether the value keeps the limit. meaning: a sentence that
    says what was measured, for the person who has to decide.
    """

    name: str
    value: float
    unit: str
    limit: float
    passed: bool
    meaning: str


def judge(
    read_raw: Read,
    read_clean: Read,
    frames: int,
    sample_rate: int,
    speech: Sequence[tuple[int, int]],
    limits: GateLimits,
    clean_frames: int,
) -> tuple[Gate, ...]:
    """Judge one cleaned channel.

    read_raw, read_clean: read(start, n) gives n mono float64 samples, zeros outside.
    frames, clean_frames: samples that the original and the cleaned channel have.
    sample_rate: Hz of both. speech: spans (start, end) in samples in which somebody speaks.
    Gives a gate for each of lag, length, clipping, speech level, sibilants, air, over-suppression,
    musical noise and noise. Both channels are read three times, in blocks; memory does not grow
    with the length.
    """
    spectra = PairedSpectra(read_raw, read_clean, frames, sample_rate)
    spans = _merged(speech, frames)
    pauses = _measure_pauses(spectra, _gaps(spans, frames, round(PAUSE_GUARD_S * sample_rate)))
    voice = _measure_speech(spectra, spans, pauses)
    lag = _lag(read_raw, read_clean, spans or [(0, frames)], sample_rate)
    clipped = _newly_clipped(read_raw, read_clean, frames)
    length = clean_frames - frames
    return (
        _gate("lag", lag, "samples", limits.lag_samples, "The cleaned sound lags the original."),
        _gate("length", length, "samples", limits.length_samples, "The length has changed."),
        _gate(
            "clipping",
            clipped,
            "samples",
            limits.clipped_samples,
            "Samples at full scale that were not there in the original.",
        ),
        _gate(
            "speech level",
            voice.level_change_db,
            "dB",
            limits.level_change_db,
            "Change of level where speech stands 15 dB above the noise.",
        ),
        _one_sided(
            "sibilants",
            voice.sibilant_loss_db,
            "dB",
            limits.sibilant_loss_db,
            "Loss at 4-10 kHz in s, sh and the like.",
        ),
        _one_sided(
            "air", voice.air_loss_db, "dB", limits.air_loss_db, "Loss at 8-20 kHz in speech."
        ),
        _one_sided(
            "over-suppressed",
            voice.over_suppressed,
            "share",
            limits.over_suppressed,
            "Share of what stands 25 dB above the noise that came out more than 10 dB lower.",
        ),
        _one_sided(
            "musical noise",
            pauses.musical_noise,
            "ln ratio",
            limits.musical_noise,
            "How much more single tones stand out of the pauses than before (log-kurtosis ratio).",
        ),
        _one_sided(
            "noise",
            -pauses.taken_db,
            "dB",
            limits.noise_added_db,
            "Change of level in the pauses; negative is noise taken.",
        ),
    )


def _gate(name: str, value: float, unit: str, limit: float, meaning: str) -> Gate:
    """A gate that fails on a change either way."""
    return Gate(name, float(value), unit, float(limit), abs(value) <= limit, meaning)


def _one_sided(name: str, value: float, unit: str, limit: float, meaning: str) -> Gate:
    """A gate that fails on a rise only."""
    return Gate(name, float(value), unit, float(limit), value <= limit, meaning)


@dataclass(frozen=True)
class _Pauses:
    """raw, clean: mean noise power of each bin. musical_noise, taken_db: the two gates."""

    raw: NDArray[np.float64]
    clean: NDArray[np.float64]
    musical_noise: float
    taken_db: float


@dataclass(frozen=True)
class _Voice:
    level_change_db: float
    sibilant_loss_db: float
    air_loss_db: float
    over_suppressed: float


def _measure_pauses(spectra: PairedSpectra, pauses: list[tuple[int, int]]) -> _Pauses:
    """The noise of the pauses before and after; of the quietest tenth where there is no pause."""
    raw, clean = _noise_of(spectra, pauses, float("inf"))
    if raw.count < FEWEST_FRAMES:
        whole = [(0, spectra.frames)]
        levels = np.concatenate(
            [np.zeros(0), *(before.sum(1) for before, _ in spectra.over(0, spectra.frames))]
        )
        sounding = levels[levels > SILENCE]
        quiet = float(np.quantile(sounding, QUIET_SHARE)) if len(sounding) else 0.0
        raw, clean = _noise_of(spectra, whole, quiet)
    band = spectra.band(SPEECH_BAND)
    ratios = np.zeros(1)
    if raw.count >= FEWEST_FRAMES:
        ratios = np.log(clean.kurtosis[band] / np.maximum(raw.kurtosis[band], SILENCE))
    taken = _loss_db(float(raw.mean[band].sum()), float(clean.mean[band].sum()))
    return _Pauses(raw.mean, clean.mean, float(np.median(ratios)), taken)


def _noise_of(
    spectra: PairedSpectra, spans: list[tuple[int, int]], loudest: float
) -> tuple[Moments, Moments]:
    """Moments of the frames whose original power is not above `loudest`."""
    bins = spectra.size // 2 + 1
    raw, clean = Moments(bins), Moments(bins)
    for start, end in spans:
        for before, after in spectra.over(start, end):
            level = before.sum(1)
            # A frame of digital silence, before or after, says nothing about noise.
            counted = (level > SILENCE) & (after.sum(1) > SILENCE) & (level <= loudest)
            raw.add(before[counted])
            clean.add(after[counted])
    return raw, clean


@dataclass
class _Band:
    """A band of the speech, less the noise of the pauses, summed over the frames that carry it."""

    bins: slice
    noise: _Pauses
    frames: int = 0
    whole: float = 0.0
    raw: float = 0.0
    clean: float = 0.0

    def add(
        self,
        before: NDArray[np.float64],
        after: NDArray[np.float64],
        chosen: NDArray[np.bool_],
    ) -> None:
        """Take in a batch (frames, bins), of which only the chosen frames may count."""
        floor, left = self._floors()
        raw, clean = before[:, self.bins].sum(1), after[:, self.bins].sum(1)
        audible = chosen & (raw > max(AUDIBLE_RATIO * floor, SILENCE))
        self.frames += len(raw)
        self.whole += float(raw.sum())
        self.raw += float(np.sum(raw[audible] - floor))
        self.clean += float(np.sum(np.maximum(clean[audible] - left, 0.0)))

    @property
    def loss_db(self) -> float:
        """The loss, or 0 where speech brings no more into the band than the noise has."""
        if self.whole <= 2 * self._floors()[0] * self.frames:
            return 0.0
        return _loss_db(self.raw, self.clean)

    def _floors(self) -> tuple[float, float]:
        return float(self.noise.raw[self.bins].sum()), float(self.noise.clean[self.bins].sum())


def _measure_speech(spectra: PairedSpectra, spans: list[tuple[int, int]], noise: _Pauses) -> _Voice:
    """Level, sibilants, air and over-suppression where speech stands clear of the noise."""
    speech, voice = spectra.band(SPEECH_BAND), spectra.band(VOICE_BAND)
    sibilants = _Band(spectra.band(SIBILANT_BAND), noise)
    air = _Band(spectra.band(AIR_BAND), noise)
    below_air = spectra.band(BELOW_AIR_BAND)
    clear, cells = np.zeros(2), np.zeros(2)
    for start, end in spans:
        for before, after in spectra.over(start, end):
            raw, clean = before[:, speech], after[:, speech]
            stands_out = raw > np.maximum(CLEAR_RATIO * noise.raw[speech], SILENCE)
            clear += [raw[stands_out].sum(), clean[stands_out].sum()]
            certain = raw > np.maximum(CERTAIN_RATIO * noise.raw[speech], SILENCE)
            cells += [certain.sum(), np.sum(certain & (clean < SUPPRESSED_RATIO * raw))]
            hissing = before[:, sibilants.bins].sum(1) > before[:, voice].sum(1)
            sibilants.add(before, after, hissing)
            below = before[:, below_air]
            # Air belongs to a consonant below it; a rustle of its own is noise.
            consonant = below.sum(1) > AUDIBLE_RATIO * float(noise.raw[below_air].sum())
            air.add(before, after, consonant & (below.sum(1) > before[:, air.bins].sum(1)))
    return _Voice(
        level_change_db=-_loss_db(clear[0], clear[1]),
        sibilant_loss_db=sibilants.loss_db,
        air_loss_db=air.loss_db,
        over_suppressed=float(cells[1] / cells[0]) if cells[0] else 0.0,
    )


def _loss_db(raw: float, clean: float) -> float:
    """How much lower the cleaned power is, at most 120 dB; 0 where the original has none."""
    if raw <= SILENCE:
        return 0.0
    return float(10 * np.log10(raw / max(clean, raw * 1e-12)))


def _lag(read_raw: Read, read_clean: Read, spans: list[tuple[int, int]], sample_rate: int) -> int:
    """Samples by which the cleaned channel comes later, from windows spread over the speech."""
    reach = round(LAG_S * sample_rate)
    length = sample_rate
    total = np.zeros(2 * reach + 1)
    for at in _spread([(start, end - start) for start, end in spans], LAG_WINDOWS):
        first = at - length // 2
        raw = np.diff(read_raw(first, length))
        clean = np.diff(read_clean(first - reach, length + 2 * reach))
        size = 1 << (len(clean) + len(raw)).bit_length()
        product = np.fft.rfft(clean, size) * np.conj(np.fft.rfft(raw, size))
        total += np.fft.irfft(product, size)[: 2 * reach + 1]
    if not np.any(total):
        return 0
    return int(np.argmax(total)) - reach


def _spread(spans: list[tuple[int, int]], count: int) -> list[int]:
    """`count` positions spread evenly over spans of (start, length)."""
    whole = sum(length for _, length in spans)
    positions = []
    for k in range(count):
        offset = whole * (2 * k + 1) // (2 * count)
        for start, length in spans:
            if offset < length:
                positions.append(start + offset)
                break
            offset -= length
    return positions


def _newly_clipped(read_raw: Read, read_clean: Read, frames: int) -> int:
    """Samples at full scale in the cleaned channel that were below it before."""
    count, block = 0, 1 << 20
    for start in range(0, frames, block):
        n = min(block, frames - start)
        hot = np.abs(read_clean(start, n)) >= CLIPPED
        if np.any(hot):
            count += int(np.sum(hot & (np.abs(read_raw(start, n)) < CLIPPED)))
    return count


def _merged(spans: Sequence[tuple[int, int]], frames: int) -> list[tuple[int, int]]:
    """Spans in order, within the channel, overlapping ones made one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted((max(0, a), min(frames, b)) for a, b in spans):
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _gaps(spans: list[tuple[int, int]], frames: int, guard: int) -> list[tuple[int, int]]:
    """What lies between the spans, at least `guard` samples away from any of them."""
    starts = [0, *(end + guard for _, end in spans)]
    ends = [*(start - guard for start, _ in spans), frames]
    return [(a, b) for a, b in zip(starts, ends, strict=True) if b > a]
