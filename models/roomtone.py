"""Room tone: any length of sound that matches the noise between the words of a take.

The tone is texture synthesis by random phases: overlapping frames, each the sum of a few grains
of the harvested noise whose phases are drawn anew (random-phase noise after Galerne, Gousseau
and Morel, "Random Phase Textures", IEEE Trans. Image Processing 20(1), 2011; for sound see
Schwarz, "State of the Art in Sound Texture Synthesis", DAFx 2011). No stretch of the harvest is
ever played, so nothing loops; the fine structure of its spectrum, and what its channels have in
common, stay.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.octaves import frame_size, octaves

process_version = "2"

DRAWN = 4
_ROUNDS = 6
_MOST_DB = 30.0
_SILENCE = 1e-12

Sound = NDArray[np.float64]


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


def shaped(grains: Grains, level: Sound, sample_rate: int) -> Grains:
    """The grains under one smooth filter that gives their mean power the level of each octave.

    level: mean square of each octave. The filter goes straight in dB over the logarithm of
    frequency from octave to octave, so that no edge is heard between them.
    """
    size = frame_size(sample_rate)
    bands = octaves(size, sample_rate)
    squares = np.square(np.abs(grains.spectra)).mean(axis=(0, 1)).astype(np.float64)
    squares[1:-1] *= 2
    squares /= size**2
    centres = [math.log2(max(1.0, (band.start + band.stop - 1) / 2)) for band in bands]
    places = np.log2(np.maximum(1.0, np.arange(size // 2 + 1)))
    gains_db = np.zeros(len(bands))
    curve = np.zeros(len(places))
    for _ in range(_ROUNDS):
        power = squares * 10 ** (curve / 10)
        found = np.array([float(power[band].sum()) for band in bands])
        off = 10 * np.log10((level + _SILENCE**2) / (found + _SILENCE**2))
        gains_db += np.clip(off, -_MOST_DB, _MOST_DB)
        curve = np.interp(places, centres, gains_db)
    spectra = grains.spectra * (10 ** (curve / 20)).astype(np.float32)
    power = np.array([_grain_power(spectrum, bands, size) for spectrum in spectra])
    return Grains(spectra, power)


def _grain_power(spectrum: NDArray[np.complexfloating], bands: Sequence[slice], size: int) -> Sound:
    return _octave_power(spectrum.astype(np.complex128), bands, size)


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
