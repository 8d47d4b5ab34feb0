"""The background that is heard next to a cut: its level in every octave.

Noise moves through a take, cleaned noise by several dB from pause to pause. A fill has to meet what
lies next to the cut, not what the take has as a rule; so this looks at the last moments before the
cut (or the first after it), frame by frame, and leaves out those in which somebody speaks or
anything else rises from the background. The median over frames is the background: a burst of the
noise does not move it. Where speech goes up to the cut, the lowest levels of its frames say what
the background is at the most (after Martin, "Noise Power Spectral Density Estimation Based on
Optimal Smoothing and Minimum Statistics", IEEE Trans. Speech and Audio Processing 9(5), 2001).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.noise_only import Sound, Stretch
from models.octaves import frame_size, octaves

FAR_S = 6.0
NEAR_S = 0.5
CLOSE_S = 1.5
UNDER_S = 1.0
LEAST = 5
_FLOOR_S = 2.0
_FLOOR = (0.2, -0.8416)
"""A quantile, and the same of the standard normal distribution."""
_RISES_DB = 12.0
_MOST_RISING = 1
_MARGIN_DB = 2.0
_LOW_HZ = (100.0, 200.0)
_SPEECH_HZ = (180.0, 12_000.0)
_TINY = 1e-20


@dataclass(frozen=True)
class Background:
    """What is heard next to an edge, mean square in each octave (`models.octaves`).

    level: of the background, or None where it is nowhere heard alone. most: what it is at the
    most right at the edge, under what is said there; infinite where the level is right there.
    """

    level: Sound | None
    most: Sound


def background_next_to(
    sound: Sound, sample_rate: int, speech: Iterable[Stretch], *, at_end: bool
) -> Background | None:
    """The background next to an edge of a stretch.

    sound: (n, channels), what is played next to the edge, without fades, FAR_S of it at the most.
    speech: where somebody speaks, in its samples. at_end: whether the edge is its end, else its
    start. The nearest NEAR_S without speech or a rise count, in the lowest octaves up to three
    times as much. None where the sound is too short to tell, or digital silence.
    """
    levels = _levels(sound if at_end else sound[::-1], sample_rate)
    heard = levels.max(axis=1, initial=-math.inf) > 10 * math.log10(_TINY) + 10
    if np.count_nonzero(heard) < LEAST:
        return None
    free = _free(len(levels), len(sound), sample_rate, speech, at_end=at_end)
    found = np.flatnonzero(heard & free & _without_rise(levels, sample_rate))
    near = levels[heard][: _frames(UNDER_S, sample_rate)]
    share, normal = _FLOOR
    most = _mean_square(np.quantile(near, share, axis=0) + _MARGIN_DB, normal, sample_rate)
    if len(found) < LEAST:
        return Background(None, most)
    usual = [
        np.median(levels[found[: _frames(seconds, sample_rate)], band])
        for band, seconds in enumerate(_seconds(sample_rate))
    ]
    level = _mean_square(np.array(usual), 0.0, sample_rate)
    if found[LEAST - 1] < _frames(CLOSE_S, sample_rate):
        most = np.full(len(level), np.inf)
    return Background(level, most)


def _free(
    count: int, length: int, sample_rate: int, speech: Iterable[Stretch], *, at_end: bool
) -> NDArray[np.bool_]:
    """Whether frames, counted from the edge, have no speech in them."""
    size, hop = _size(sample_rate), _hop(sample_rate)
    free = np.ones(count, np.bool_)
    for start, end in speech:
        near, far = (length - end, length - start) if at_end else (start, end)
        if far > 0 and near < length:
            free[max(0, math.floor((near - size) / hop) + 1) : max(0, math.ceil(far / hop))] = False
    return free


def _without_rise(levels: Sound, sample_rate: int) -> NDArray[np.bool_]:
    """Whether hardly an octave of a frame stands out from the low levels of the frames around."""
    from scipy.ndimage import percentile_filter

    size = min(_frames(_FLOOR_S, sample_rate), len(levels))
    floor = percentile_filter(levels, 100 * _FLOOR[0], size=(size, 1), mode="nearest")
    rises = levels > floor + _RISES_DB
    bands = octaves(_size(sample_rate), sample_rate)
    hertz = np.array([band.start for band in bands]) * sample_rate / _size(sample_rate)
    told = (hertz > _SPEECH_HZ[0]) & (hertz < _SPEECH_HZ[1])
    return np.asarray(rises[:, told].sum(axis=1) <= _MOST_RISING, np.bool_)


def _levels(sound: Sound, sample_rate: int) -> Sound:
    """dB in each octave of frames of a quarter of a tone's, from the edge (the end) backwards."""
    size, hop = _size(sample_rate), _hop(sample_rate)
    window = np.hanning(size + 1)[:-1]
    scale = 2.0 / (size * float(np.sum(np.square(window))) * sound.shape[1])
    bands = octaves(size, sample_rate)
    found = []
    for end in range(len(sound), size - 1, -hop):
        spectrum = np.fft.rfft(sound[end - size : end] * window[:, None], axis=0)
        power = np.sum(np.square(spectrum.real) + np.square(spectrum.imag), axis=1) * scale
        found.append([10 * math.log10(float(power[band].sum()) + _TINY) for band in bands])
    return np.array(found).reshape(-1, len(bands))


def _mean_square(level_db: Sound, normal: float, sample_rate: int) -> Sound:
    """The mean power of noise whose frames have that quantile (Wilson and Hilferty, 1931).

    normal: the quantile of the standard normal distribution. Of n bins under a Hann window about
    2n / 1.94 degrees of freedom are left.
    """
    bins = np.array([band.stop - band.start for band in octaves(_size(sample_rate), sample_rate)])
    spread = 2 / (9 * np.maximum(2.0 * bins / 1.94, 1.0))
    cube = np.maximum(1 - spread + normal * np.sqrt(spread), 0.3)
    return np.asarray(10 ** (level_db / 10) / cube**3, np.float64)


def _seconds(sample_rate: int) -> Sound:
    """How much of the background each octave is measured over: the low ones tell little a frame."""
    bands = octaves(_size(sample_rate), sample_rate)
    ends = np.array([band.stop for band in bands]) * sample_rate / _size(sample_rate)
    return np.where(ends < _LOW_HZ[0], 3 * NEAR_S, np.where(ends < _LOW_HZ[1], 2 * NEAR_S, NEAR_S))


def _frames(seconds: float, sample_rate: int) -> int:
    return round(seconds * sample_rate / _hop(sample_rate))


def _size(sample_rate: int) -> int:
    return frame_size(sample_rate) // 4


def _hop(sample_rate: int) -> int:
    return _size(sample_rate) // 2
