"""Where a sound lies in another that holds it: normalised cross-correlation of whitened spectra.

Whitening divides a spectrum by its own level over some 30 Hz, so that neither equalisation nor
tonal music decides, and what counts is where the waveform agrees (a form of the generalised
cross-correlation of Knapp and Carter, IEEE Trans. ASSP 24, 1976, smoothed to keep its scale).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]


@dataclass(frozen=True)
class SyncOptions:
    """How sounds are compared.

    window_s: how far to either side is looked. Wider finds what is further out, and takes longer
        and a surer match.
    tolerance_s: what is less far out counts as in sync. The least that rounding of resampled
        sound and filters of a mixdown leave alone is about a tenth of a millisecond.
    shortest_s, longest_s: a shorter stretch is not judged; of a longer one the loudest part is.
    quiet_dbfs: a stretch whose RMS lies below is not judged.
    least_sharpness: peak of the correlation over its standard deviation away from it (at least
        that of noise in the band). Chance reaches 5.5 over two seconds of lags. Lower takes
        chance for a match, higher loses what is buried in music.
    low_hz, high_hz: the band that is compared.
    """

    window_s: float = 1.0
    tolerance_s: float = 0.00025
    shortest_s: float = 0.25
    longest_s: float = 10.0
    quiet_dbfs: float = -60.0
    least_sharpness: float = 8.0
    low_hz: float = 120.0
    high_hz: float = 8000.0


@dataclass(frozen=True)
class Match:
    """Where a sound was found.

    lag: samples that it lies later than expected, with parts of a sample. confidence: 0 to 1, the
    correlation there. sharpness: of its peak over chance (see SyncOptions.least_sharpness).
    inverted: whether its polarity is turned.
    """

    lag: float
    confidence: float
    sharpness: float
    inverted: bool


def find(sound: Samples, guide: Samples, sample_rate: int, options: SyncOptions) -> Match:
    """Find a sound in a guide.

    sound: mono, shape (n,). guide: mono, shape (n + 2 w,), both at sample_rate Hz; expected is
    guide[w + k] == sound[k] at any gain. Lags of at most w samples are looked at. Where the peak
    at the expected place is nearly as high as the highest, it is taken: a voice repeats itself.
    """
    reach = (len(guide) - len(sound)) // 2
    correlation = _correlation(sound, guide, sample_rate, options)
    height = np.abs(correlation)
    chance = max(float(np.median(height)) / 0.6745, _chance(len(sound), sample_rate, options))
    best = int(np.argmax(height))
    near = max(1, round(options.tolerance_s * sample_rate))
    around = height[max(0, reach - near) : reach + near + 1]
    if len(around) and around.max() >= 0.8 * height[best]:
        best = _climbed(height, max(0, reach - near) + int(np.argmax(around)))
    return Match(
        lag=best + _between(height, best) - reach,
        confidence=min(1.0, float(height[best])),
        sharpness=float(height[best]) / chance,
        inverted=bool(correlation[best] < 0),
    )


def _climbed(height: Samples, place: int) -> int:
    """The peak that a place lies on: what is highest within the tolerance may be its slope."""
    for step in (-1, 1):
        while 0 <= place + step < len(height) and height[place + step] > height[place]:
            place += step
    return place


def without(target: Samples, other: Samples, block: int = 4096) -> Samples:
    """A sound less all of it that follows from another by any filter shorter than a block.

    target, other: mono, of one length and rate. For each frequency the share of `target` that is
    coherent with `other` over the whole stretch is taken out. Returns the shape of `target`.
    """
    from scipy.signal import istft, stft

    size = min(block, max(256, 2 ** int(math.log2(max(len(target) // 8, 256)))))
    spectra = [
        stft(item, nperseg=size, noverlap=size * 3 // 4, boundary="zeros", padded=True)[2]
        for item in (target, other)
    ]
    power = np.sum(np.abs(spectra[1]) ** 2, axis=1)
    cross = np.sum(spectra[0] * np.conj(spectra[1]), axis=1)
    transfer = cross / (power + 1e-9 * power.max() + 1e-30)
    rest = spectra[0] - transfer[:, None] * spectra[1]
    sound: Samples = istft(rest, nperseg=size, noverlap=size * 3 // 4, boundary=True)[1]
    out = np.zeros(len(target))
    count = min(len(target), len(sound))
    out[:count] = sound[:count]
    return out


def rms_dbfs(sound: Samples) -> float:
    """RMS level of a sound (full scale 1.0) in dBFS, -inf for silence."""
    mean = float(np.mean(np.square(sound))) if len(sound) else 0.0
    return 10 * math.log10(mean) if mean > 0 else -math.inf


ENVELOPE_HZ = 200
"""Values a second of `envelope`."""


def envelope(sound: Samples, sample_rate: int) -> Samples:
    """Level of the voice band in dB, ENVELOPE_HZ values a second, for finding a rough offset.

    sound: mono, shape (n,); returns shape (n * ENVELOPE_HZ // sample_rate,). A first difference
    takes the rumble; nothing is lower than -70 dBFS.
    """
    hop = sample_rate // ENVELOPE_HZ
    count = len(sound) // hop
    bright = np.diff(sound, prepend=sound[:1])[: count * hop]
    power = np.mean(np.square(bright.reshape(count, hop)), axis=1) if count else np.zeros(0)
    return np.asarray(10 * np.log10(power + 1e-7), np.float64)


def rough_offset(sound: Samples, guide: Samples) -> tuple[int, float]:
    """By how many values an envelope lies later in another, and how sharp that is.

    sound, guide: of `envelope`, of any lengths, expected to start together. Sharpness as of
    Match; below 6 it may be chance.
    """
    from scipy.signal import fftconvolve

    rate = ENVELOPE_HZ
    flat = []
    for item in (sound, guide):
        smooth = np.convolve(item, np.ones(2 * rate) / (2 * rate), "same") if len(item) else item
        flat.append(item - smooth)
    correlation = fftconvolve(flat[1], flat[0][::-1])
    height = np.maximum(correlation, 0)
    if not height.any():
        return 0, 0.0
    best = int(np.argmax(height))
    middle = float(np.median(np.abs(correlation))) / 0.6745 + 1e-12
    return best - (len(sound) - 1), float(height[best]) / middle


def _chance(count: int, sample_rate: int, options: SyncOptions) -> float:
    """Standard deviation of the correlation of two unlike noises in the band: 1 / √(2 B T)."""
    band = min(options.high_hz, 0.45 * sample_rate) - options.low_hz
    return 1 / math.sqrt(2 * band * count / sample_rate)


def _correlation(sound: Samples, guide: Samples, sample_rate: int, options: SyncOptions) -> Samples:
    """Normalised correlation at each lag, shape (len(guide) - len(sound) + 1,)."""
    size = 1 << (len(guide) + len(sound)).bit_length()
    ours, theirs = (_whitened(item, size, sample_rate, options) for item in (sound, guide))
    raw = np.fft.irfft(theirs * np.conj(ours), size)[: len(guide) - len(sound) + 1]
    heard = np.fft.irfft(theirs, size)[: len(guide)]
    energy = np.concatenate(([0.0], np.cumsum(np.square(heard))))
    local = energy[len(sound) :] - energy[: len(energy) - len(sound)]
    own = float(np.sum(np.square(np.fft.irfft(ours, size))))
    # Next to no energy is no reason to divide by it.
    floor = 1e-3 * float(local.max(initial=0.0)) + 1e-20
    scaled: Samples = raw / np.sqrt(own * np.maximum(local, floor) + 1e-30)
    return scaled


def _whitened(
    sound: Samples, size: int, sample_rate: int, options: SyncOptions
) -> NDArray[np.complex128]:
    """The spectrum within the band, each part divided by the level around it."""
    spectrum = np.fft.rfft(sound, size)
    width = max(3, round(30 * size / sample_rate) | 1)
    power = np.concatenate(([0.0], np.cumsum(np.abs(spectrum) ** 2)))
    bins = np.arange(len(spectrum))
    low = np.maximum(bins - width // 2, 0)
    high = np.minimum(bins + width // 2 + 1, len(spectrum))
    level = np.sqrt((power[high] - power[low]) / (high - low))
    hertz = bins * sample_rate / size
    band = (hertz >= options.low_hz) & (hertz <= min(options.high_hz, 0.45 * sample_rate))
    # What lies 70 dB below the rest is noise of the format, not of the place.
    floor = 3e-4 * float(level[band].max(initial=0.0)) + 1e-30
    return np.asarray(np.where(band, spectrum / (level + floor), 0.0), np.complex128)


def _between(height: Samples, best: int) -> float:
    """Where a peak's top lies between samples, by the parabola through it and its neighbours."""
    if not 0 < best < len(height) - 1:
        return 0.0
    before, at, after = (float(value) for value in height[best - 1 : best + 2])
    bend = before - 2 * at + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0
