"""Claps: sudden, short, broad in the spectrum and louder than all around them.

A slate's clap is all of that at once. A digital click has no decay, the burst of a `t` is softer
than the vowel beside it, a door has no treble, and music and speech go on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.events.window import Window

FRAMES_PER_S = 1000
RISE_DB = 18.0
REST_MS = 40
ABOVE_ROOM_DB = 20.0
LOUDER_DB = 3.0
NEAR_S = 0.75
BAND_RISE_DB = 10.0
BANDS_HZ = ((1000, 2000), (2000, 4000), (4000, 8000))
RINGS_DB = -30.0
GONE_DB = -18.0
SURE_DB = 40.0
ONE_TONE = 0.98
FLOOR = 1e-12


@dataclass(frozen=True)
class Clap:
    """start: the sample at which it sets in. end: where it has fallen by 20 dB.

    above_db: how far it stands above the room before it. strength: 0 to 1.
    """

    start: int
    end: int
    above_db: float
    strength: float


def find_claps(window: Window) -> tuple[Clap, ...]:
    """The claps of a window's stretch."""
    rate = window.sample_rate
    treble = np.diff(window.samples, n=2, prepend=np.zeros(2))
    levels = _levels(treble, rate)
    # The loudest of the 40 ms before, the two last left out: a clap sets in within them.
    before = _highest_before(levels, REST_MS, 2)
    found: list[Clap] = []
    for frame in np.flatnonzero(levels >= before + RISE_DB):
        at = window.at + int(frame) * rate // FRAMES_PER_S
        # One that set in just before the stretch rings on into it, and is not another.
        if not window.first - rate // 5 <= at < window.last + rate // 100:
            continue
        if found and at < found[-1].start + rate // 5:
            continue
        clap = _clap(window, treble, levels, int(frame))
        if clap is not None:
            found.append(clap)
    return tuple(clap for clap in found if window.first <= clap.start < window.last)


def _levels(treble: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """Level of each millisecond, in dB."""
    edges = np.arange(len(treble) * FRAMES_PER_S // rate + 1) * rate // FRAMES_PER_S
    if len(edges) < 2:
        return np.zeros(0)
    power = np.add.reduceat(np.square(treble), edges[:-1]) / np.diff(
        np.append(edges[:-1], len(treble))
    )
    return np.asarray(10 * np.log10(power + FLOOR))


def _highest_before(levels: NDArray[np.float64], count: int, gap: int) -> NDArray[np.float64]:
    """For each frame the highest of `count` frames that end `gap` before it; high at the start."""
    from scipy.ndimage import maximum_filter1d

    highest = maximum_filter1d(levels, count, origin=(count - 1) // 2, mode="constant", cval=1e3)
    return np.concatenate((np.full(gap, 1e3), highest[:-gap])) if len(levels) > gap else highest


def _clap(
    window: Window, treble: NDArray[np.float64], levels: NDArray[np.float64], frame: int
) -> Clap | None:
    """The clap that sets in at a frame, if all of it speaks for one."""
    rate = window.sample_rate
    peak = float(np.max(levels[frame : frame + 6]))
    later = levels[frame : frame + 300]
    if len(later) < 300 or frame < REST_MS:
        return None
    rest = float(10 * np.log10(np.mean(10 ** (levels[frame - REST_MS : frame - 2] / 10)) + FLOOR))
    rings = float(np.max(later[5:12]))
    if rings < max(peak + RINGS_DB, rest + 6) or float(np.max(later[150:])) > peak + GONE_DB:
        return None
    start = _onset(treble, frame, rate)
    loudest = float(np.max(np.abs(window.samples[start : start + rate // 50])))
    near = round(NEAR_S * rate)
    beside = np.concatenate(
        (
            window.samples[max(0, start - near) : max(0, start - rate // 500)],
            window.samples[start + rate // 4 : start + rate // 4 + near],
        )
    )
    if loudest < float(np.max(np.abs(beside), initial=0.0)) * 10 ** (LOUDER_DB / 20):
        return None
    room = window.samples[max(0, start - rate // 5) : max(0, start - rate // 500)]
    room_power = float(np.mean(np.square(room))) if len(room) else 0.0
    above = float(20 * np.log10(loudest / np.sqrt(room_power + FLOOR)))
    if above < ABOVE_ROOM_DB or not _is_broad(window, start) or _is_sine(window, start):
        return None
    fallen = np.flatnonzero(later < peak - 20)
    fallen = fallen[fallen > int(np.argmax(later[:6]))]
    length = int(fallen[0]) if len(fallen) else 150
    strength = min(1.0, (above - ABOVE_ROOM_DB) / (SURE_DB - ABOVE_ROOM_DB) * 0.5 + 0.5)
    first = window.at + start
    return Clap(first, first + max(length, 1) * rate // FRAMES_PER_S, above, strength)


def _onset(treble: NDArray[np.float64], frame: int, rate: int) -> int:
    """The sample of the window at which the sound leaves what was before."""
    at = frame * rate // FRAMES_PER_S
    rest = treble[max(0, at - rate // 50) : max(1, at - rate // 500)]
    low = max(0, at - rate // 500)
    rise = np.abs(treble[low : at + rate // 200])
    least = max(6 * float(np.sqrt(np.mean(np.square(rest)))), 0.1 * float(np.max(rise)))
    over = np.flatnonzero(rise >= least)
    return low + (int(over[0]) if len(over) else at - low)


def _is_broad(window: Window, start: int) -> bool:
    """Whether every octave from 1 to 8 kHz rises above what was before.

    Below that the noise of a room is too strong to tell anything by.
    """
    rate = window.sample_rate
    count = rate // 50
    if start < 5 * count:
        return False
    now = _bands(window.samples[start : start + count], rate)
    then = np.mean(
        [
            _bands(window.samples[start - (k + 1) * count - 96 : start - k * count - 96], rate)
            for k in range(4)
        ],
        axis=0,
    )
    return bool(np.all(10 * np.log10((now + FLOOR) / (then + FLOOR)) >= BAND_RISE_DB))


def _is_sine(window: Window, start: int) -> bool:
    """Whether what rings after the onset is one tone: then it is a pop, or tone switched on."""
    rate = window.sample_rate
    sound = window.samples[start + rate // 200 : start + rate // 40]
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    top = int(np.argmax(power))
    return bool(power[max(0, top - 2) : top + 3].sum() >= ONE_TONE * power.sum())


def _bands(sound: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """Power of a stretch in each octave, as far as the rate has them."""
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound) * 2)[-len(sound) :])) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / rate)
    return np.array(
        [
            power[(hz >= low) & (hz < high)].sum() / len(sound)
            for low, high in BANDS_HZ
            if high <= rate / 2
        ]
    )
