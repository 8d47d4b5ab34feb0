"""Room tone: the noise between the words of a take, and any length of sound that matches it.

The tone is texture synthesis by random phases: overlapping frames, each the sum of a few grains
of the harvested noise whose phases are drawn anew (random-phase noise after Galerne, Gousseau
and Morel, "Random Phase Textures", IEEE Trans. Image Processing 20(1), 2011; for sound see
Schwarz, "State of the Art in Sound Texture Synthesis", DAFx 2011). No stretch of the harvest is
ever played, so nothing loops; the fine structure of its spectrum, and what its channels have in
common, stay.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

process_version = "1"

GRAIN_S = 0.34
"""Seconds of the longest grain, and of a frame of the tone: room for hum and its harmonics."""

DRAWN = 4
_OCTAVE_HZ = 31.25
_SILENCE = 1e-12
_CLICK_S = 0.002
_AROUND = 25

Sound = NDArray[np.float64]
Stretch = tuple[int, int]


@dataclass(frozen=True)
class HarvestOptions:
    """What counts as noise and nothing else.

    before_speech_s, after_speech_s: kept away from speech; more after it, where the room rings.
    tolerance_db: by how much an octave may be louder than it usually is (the median of a
        second of pauses, in frames of 85 ms); lower leaves out soft breaths and steps, higher
        keeps noise that moves. It may be half as much again softer.
    low_tolerance_db: the same below 180 Hz, where so short a frame tells little.
    click_db: by how much 2 ms of treble may stand out, or drop out; lower finds smaller clicks.
    shortest_s: a stretch is at least this long.
    """

    before_speech_s: float = 0.06
    after_speech_s: float = 0.2
    tolerance_db: float = 6.0
    low_tolerance_db: float = 8.0
    click_db: float = 8.0
    shortest_s: float = 0.12


def noise_only(
    sound: Sound, sample_rate: int, speech: Iterable[Stretch], options: HarvestOptions
) -> tuple[Stretch, ...]:
    """Where a sound is nothing but noise: away from speech, breaths, steps, clicks and silence.

    sound: (n, channels), a minute or two of a take at the most, all held in memory. speech: where
    somebody speaks, in its samples. Returns stretches (start, end) in order. Judged by level and
    by stability in each octave; where noise moves by more than the tolerance, its usual level
    counts.
    """
    hop = max(1, round(0.0425 * sample_rate))
    count = len(sound) // hop - 1
    if count < 1:
        return ()
    free = _free(len(sound), sample_rate, speech, options)
    quiet = np.array([bool(free[i * hop : (i + 2) * hop].all()) for i in range(count)])
    levels = _levels(sound, sample_rate, hop, count)
    clicks = _clicks(sound, sample_rate, hop, count)
    power = 10 ** (levels / 10)
    quiet &= power.sum(axis=1) > _SILENCE
    if not quiet.any():
        return ()
    tolerance = np.full(levels.shape[1], options.tolerance_db)
    tolerance[0] = options.low_tolerance_db
    off = np.full(levels.shape, np.inf)
    off[quiet] = levels[quiet] - _usual(levels[quiet], options.tolerance_db)
    quiet &= ((off < tolerance) & (off > -1.5 * tolerance)).all(axis=1)
    quiet &= clicks < options.click_db + np.median(clicks[quiet]) if quiet.any() else quiet
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(np.int8)))
    shortest = round(options.shortest_s * sample_rate)
    found = ((int(a) * hop, (int(b) + 1) * hop) for a, b in edges.reshape(-1, 2))
    return tuple(item for item in found if item[1] - item[0] >= shortest)


def _usual(levels: Sound, most_above_db: float) -> Sound:
    """The median of each octave over the frames of about a second around each frame.

    Where a pause is mostly breath or rustle that would be the breath's: so not much above what
    all the frames have.
    """
    from scipy.ndimage import median_filter

    around = median_filter(levels, (_AROUND, 1), mode="nearest")
    most = np.percentile(levels, 40, axis=0) + most_above_db
    return np.asarray(np.minimum(around, most), np.float64)


def _free(
    length: int, sample_rate: int, speech: Iterable[Stretch], options: HarvestOptions
) -> NDArray[np.bool_]:
    before = round(options.before_speech_s * sample_rate)
    after = round(options.after_speech_s * sample_rate)
    free = np.ones(length, dtype=np.bool_)
    for start, end in speech:
        free[max(0, start - before) : max(0, end + after)] = False
    return free


def _levels(sound: Sound, sample_rate: int, hop: int, count: int) -> Sound:
    """Level in dB of each frame of two hops in the octaves, all below 180 Hz as one."""
    window = np.hanning(2 * hop + 1)[:-1]
    bands = octaves(2 * hop, sample_rate)
    low = [band for band in bands if band.stop * sample_rate / (2 * hop) < 200]
    merged = [slice(0, low[-1].stop), *bands[len(low) :]] if low else list(bands)
    levels = np.empty((count, len(merged)))
    for i in range(count):
        frame = sound[i * hop : (i + 2) * hop] * window[:, None]
        spectrum = np.fft.rfft(frame, axis=0)
        power = np.sum(np.square(spectrum.real) + np.square(spectrum.imag), axis=1)
        power /= sound.shape[1] * hop * float(np.sum(np.square(window)))
        levels[i] = [10 * math.log10(float(power[band].sum()) + 1e-20) for band in merged]
    return levels


def _clicks(sound: Sound, sample_rate: int, hop: int, count: int) -> Sound:
    """By how many dB the loudest or softest 2 ms of treble are off each frame's usual."""
    short = max(1, round(_CLICK_S * sample_rate))
    treble = np.diff(sound.mean(axis=1), 2, prepend=[0.0, 0.0])
    found = np.zeros(count)
    for i in range(count):
        part = np.square(treble[i * hop : (i + 2) * hop])
        parts = part[: len(part) // short * short].reshape(-1, short).mean(axis=1) + 1e-20
        usual = float(np.median(parts))
        found[i] = 10 * math.log10(max(float(parts.max()) / usual, usual / float(parts.min())))
    return found


def nearest(stretches: Iterable[Stretch], place: int, most: int) -> tuple[Stretch, ...]:
    """The stretches, or parts of them, next to a place: at most `most` samples in all.

    Noise moves through a take; what lies next to a cut is what the tone has to match there.
    """
    chosen: list[Stretch] = []
    left = most
    for start, end in sorted(stretches, key=lambda item: _distance(item, place)):
        if left <= 0:
            break
        if end - start > left:
            if abs(end - place) < abs(start - place):
                start = end - left  # noqa: PLW2901
            else:
                end = start + left  # noqa: PLW2901
        chosen.append((start, end))
        left -= end - start
    return tuple(sorted(chosen))


def _distance(stretch: Stretch, place: int) -> int:
    start, end = stretch
    return max(start - place, place - end, 0)


def octaves(size: int, sample_rate: int) -> tuple[slice, ...]:
    """The bins of each octave (31.25 Hz … 16 kHz and on) in an rfft of `size` samples.

    The lowest takes all below it along, the highest all above. They cover every bin once.
    """
    edges = [0]
    edge = _OCTAVE_HZ * math.sqrt(2)
    while edge < sample_rate / 2:
        at = round(edge * size / sample_rate)
        if at > edges[-1]:
            edges.append(at)
        edge *= 2
    edges.append(size // 2 + 1)
    if len(edges) > 2 and edges[-1] - edges[-2] < (edges[-2] - edges[-3]) // 4:
        edges.pop(-2)
    return tuple(slice(a, b) for a, b in itertools.pairwise(edges))


def frame_size(sample_rate: int) -> int:
    """Samples of a frame of tone: a power of two, about GRAIN_S long."""
    return max(64, 1 << round(math.log2(GRAIN_S * sample_rate)))


@dataclass(frozen=True)
class Grains:
    """Spectra of harvested noise.

    spectra: complex64 (grains, channels, bins) of an rfft of `frame_size` samples, scaled so that
    their power is that of the noise. power: (grains, octaves), mean square over the channels.
    """

    spectra: NDArray[np.complex64]
    power: Sound

    @property
    def level(self) -> Sound:
        """The mean power of the octaves: what a tone is held to."""
        return np.asarray(self.power.mean(axis=0), np.float64)


def grains_of(parts: Sequence[Sound], sample_rate: int) -> Grains | None:
    """Grains from stretches of noise, (n, channels) each; None where there is nothing to take.

    A grain is as long as its stretch allows, up to a frame; those of one stretch overlap by half.
    """
    size = frame_size(sample_rate)
    spectra, powers = [], []
    bands = octaves(size, sample_rate)
    for part in parts:
        length = min(size, len(part))
        if length < size // 8:
            continue
        window = np.hanning(length + 1)[:-1]
        scale = math.sqrt(size / float(np.sum(np.square(window))))
        for start in range(0, len(part) - length + 1, max(1, length // 2)):
            grain = part[start : start + length]
            grain = (grain - grain.mean(axis=0)) * window[:, None]
            spectrum = np.fft.rfft(grain.T, size, axis=1) * scale
            power = _octave_power(spectrum, bands, size)
            if power.sum() > _SILENCE:
                spectra.append(spectrum.astype(np.complex64))
                powers.append(power)
    return Grains(np.array(spectra), np.array(powers)) if spectra else None


def _octave_power(
    spectrum: NDArray[np.complexfloating], bands: Sequence[slice], size: int
) -> Sound:
    """Mean square of each octave, over the channels, of an rfft (channels, bins)."""
    squares = (np.square(spectrum.real) + np.square(spectrum.imag)).mean(axis=0)
    squares[1:-1] *= 2
    return np.array([float(squares[band].sum()) for band in bands]) / size**2


@dataclass(frozen=True)
class Tone:
    """An endless tone, read anywhere: the same samples however it is divided into blocks.

    grains: what it is made of. level: power of each octave that every frame is held to. seed:
    128 bits; the same seed, grains and level are the same tone. Memory is that of the grains and
    a block.
    """

    grains: Grains
    level: Sound
    sample_rate: int
    seed: int

    def read(self, first: int, count: int) -> Sound:
        """Samples first … first + count (0 or more) of the tone, (count, channels)."""
        size = frame_size(self.sample_rate)
        hop = size // 2
        channels = self.grains.spectra.shape[1]
        window = np.sin(np.pi * (np.arange(size) + 0.5) / size)[:, None]
        frames = range(first // hop, -(-(first + count) // hop) + 1)
        sound = np.zeros((len(frames) * hop + hop, channels))
        for i, number in enumerate(frames):
            sound[i * hop : i * hop + size] += window * self._frame(number, size)
        offset = first - (frames[0] - 1) * hop
        return sound[offset : offset + count]

    def _frame(self, number: int, size: int) -> Sound:
        """One frame: a few grains with new phases, each octave at its level."""
        random = np.random.Generator(np.random.Philox(key=self.seed, counter=number << 64))
        spectra = self.grains.spectra
        chosen = random.integers(0, len(spectra), DRAWN)
        phases = np.exp(2j * np.pi * random.random((DRAWN, spectra.shape[2])))
        spectrum = np.einsum("dcf,df->cf", spectra[chosen], phases)
        # Of a real sound the lowest and the highest bin have no phase.
        spectrum[:, [0, -1]] = 0
        bands = octaves(size, self.sample_rate)
        power = _octave_power(spectrum, bands, size)
        for band, wanted, got in zip(bands, self.level, power, strict=True):
            spectrum[:, band] *= math.sqrt(wanted / got) if got > 0 else 0.0
        return np.asarray(np.fft.irfft(spectrum, size, axis=1).T, np.float64)
