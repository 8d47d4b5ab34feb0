"""Stretches of a take that are nothing but noise: away from speech, breaths, steps and clicks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.octaves import octaves

_SILENCE = 1e-12
_CLICK_S = 0.002
_AROUND = 25
_AT_ONCE = 128
"""Frames of 85 ms that are worked on together: 11 s of sound, some 20 MB."""


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
    frames = np.lib.stride_tricks.sliding_window_view(sound, 2 * hop, axis=0)[::hop]
    scale = sound.shape[1] * hop * float(np.sum(np.square(window)))
    for start in range(0, count, _AT_ONCE):
        spectra = np.fft.rfft(frames[start : min(start + _AT_ONCE, count)] * window, axis=-1)
        power = np.sum(np.square(spectra.real) + np.square(spectra.imag), axis=1) / scale
        for place, band in enumerate(merged):
            levels[start : start + len(power), place] = power[:, band].sum(axis=1)
    return 10 * np.log10(levels + 1e-20)


def _clicks(sound: Sound, sample_rate: int, hop: int, count: int) -> Sound:
    """By how many dB the loudest or softest 2 ms of treble are off each frame's usual."""
    short = max(1, round(_CLICK_S * sample_rate))
    treble = np.diff(sound.mean(axis=1), 2, prepend=[0.0, 0.0])
    frames = np.lib.stride_tricks.sliding_window_view(np.square(treble), 2 * hop)[::hop][:count]
    whole = 2 * hop // short * short
    found = np.empty(count)
    for start in range(0, count, _AT_ONCE):
        some = frames[start : min(start + _AT_ONCE, count), :whole]
        parts = some.reshape(len(some), -1, short).mean(axis=2) + 1e-20
        usual = np.median(parts, axis=1)
        off = np.maximum(parts.max(axis=1) / usual, usual / parts.min(axis=1))
        found[start : start + len(some)] = 10 * np.log10(off)
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
