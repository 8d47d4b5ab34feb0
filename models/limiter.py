"""A look-ahead true-peak limiter that leaves what is below the ceiling as it is.

The gain is found from the true peak (ITU-R BS.1770-5, annex 2), reaches each peak along a Hann
window of the look-ahead, and comes back exponentially. All channels share it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from models.loudness.true_peak import LEAD, peak_filters

PROCESS_VERSION = "1"

STAGES = 2
"""A moving gain may push a point between the samples up a little; the next stage takes that."""

_GRID = 1 << 14
_CELL = 64
_NOTHING_DB = 1e-3
_SHORT_LEAD = 6


@dataclass(frozen=True)
class LimiterOptions:
    """How a limiter works.

    ceiling_dbtp: highest true peak it lets through. lookahead_ms: time in which the gain comes
    down before a peak; shorter is more audible on low voices. release_ms: time constant of the
    way back; shorter keeps more loudness and roughens the sound, longer may duck what follows.
    margin_db: by which a peak that passes the ceiling is brought below it, so that other meters,
    whose interpolators differ, read no more than the ceiling.
    """

    ceiling_dbtp: float = -1.0
    lookahead_ms: float = 5.0
    release_ms: float = 80.0
    margin_db: float = 0.05


class Limiter:
    """Limits a sound that is fed in blocks; zero lag, and any block size gives the same samples.

    It holds back about a second of sound. Where no peak passes the ceiling within reach, the
    output is the input, bit for bit.
    """

    def __init__(self, sample_rate: int, channels: int, options: LimiterOptions) -> None:
        """sample_rate: Hz. channels: any number; they share one gain."""
        self._stages = [_Stage(sample_rate, channels, options) for _ in range(STAGES)]

    def add(self, block: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Take in samples (n, channels), full scale 1.0; give those that are done, maybe none."""
        sound = np.asarray(block, np.float64)
        for stage in self._stages:
            sound = stage.add(sound)
        return sound

    def finish(self) -> NDArray[np.float64]:
        """The rest: with it as many samples came out as went in. Nothing may be added after."""
        sound = self._stages[0].finish()
        for stage in self._stages[1:]:
            sound = np.concatenate([stage.add(sound), stage.finish()])
        return sound

    @property
    def deepest_db(self) -> float:
        """By how many dB the loudest peak so far was turned down; 0 where none was."""
        return sum(stage.deepest_db for stage in self._stages)


class _Stage:
    """One pass of limiting, in pieces of a fixed grid from the first sample on."""

    def __init__(self, sample_rate: int, channels: int, options: LimiterOptions) -> None:
        self._options = options
        self._rate = sample_rate
        self._ahead = max(1, round(sample_rate * options.lookahead_ms / 1000))
        self._decay = 1000 / (sample_rate * options.release_ms)
        window = np.hanning(self._ahead + 3)[1:-1]
        self._window = window / np.sum(window)
        self._before = np.zeros((LEAD, channels))
        # The gain may have to come down before the first sample: silence goes ahead of it.
        self._open = np.zeros((self._ahead, channels))
        self._skip = self._ahead
        self._held = 0.0
        self._tail = np.zeros(self._ahead)
        self.deepest_db = 0.0

    def add(self, sound: NDArray[np.float64]) -> NDArray[np.float64]:
        self._open = np.concatenate([self._open, sound])
        done = [self._open[:0]]
        while len(self._open) >= _GRID + self._ahead + LEAD:
            done.append(self._piece(_GRID)[self._skip :])
            self._skip = 0
        return np.concatenate(done)

    def finish(self) -> NDArray[np.float64]:
        left = len(self._open) - self._skip
        silence = np.zeros((_GRID + self._ahead + LEAD, self._open.shape[1]))
        return self.add(silence)[:left]

    def _piece(self, count: int) -> NDArray[np.float64]:
        """The next `count` samples, done; those after them that were looked at stay open."""
        seen = np.concatenate([self._before, self._open[: count + self._ahead + LEAD]])
        sound = seen[LEAD : LEAD + count]
        needed = self._needed(seen, count + self._ahead)
        idle = self._held == 0.0 and not np.any(self._tail)
        self._before = seen[count : count + LEAD]
        self._open = self._open[count:]
        if idle and not np.any(needed):
            return sound
        gain_db = self._gain_db(needed, count)
        self.deepest_db = max(self.deepest_db, float(np.max(gain_db)))
        return sound * (10 ** (-gain_db / 20))[:, None]

    def _needed(self, seen: NDArray[np.float64], count: int) -> NDArray[np.float64]:
        """Attenuation in dB that `count` samples need. seen: with LEAD more on either side."""
        ceiling = 10 ** (self._options.ceiling_dbtp / 20)
        peak = _peaks(seen, self._rate, ceiling)[LEAD : LEAD + count]
        needed = np.zeros(count)
        over = peak > ceiling
        target = self._options.ceiling_dbtp - self._options.margin_db
        needed[over] = 20 * np.log10(peak[over]) - target
        return needed

    def _gain_db(self, needed: NDArray[np.float64], count: int) -> NDArray[np.float64]:
        """Attenuation in dB of `count` samples: never less than each of them needs.

        The highest need of the look-ahead is held down to the exponential release, then averaged
        under a window as long as the look-ahead, so it is there in full when the peak comes.
        """
        from scipy.ndimage import maximum_filter1d

        width = self._ahead + 1
        ahead = maximum_filter1d(needed, width, mode="constant", origin=-(width // 2))[:count]
        at = np.arange(1, count + 1) * self._decay
        with np.errstate(divide="ignore"):
            level = np.log(np.concatenate([[self._held], ahead])) + np.concatenate([[0.0], at])
        held = np.exp(np.maximum.accumulate(level)[1:] - at)
        held[held < _NOTHING_DB] = 0.0
        # Rounding in the logarithm must not take anything from what a peak needs.
        held = np.maximum(held, ahead)
        self._held = float(held[-1])
        joined = np.concatenate([self._tail, held])
        self._tail = joined[-self._ahead :]
        smooth: NDArray[np.float64] = np.convolve(joined, self._window, mode="valid")
        return smooth


def _peaks(seen: NDArray[np.float64], sample_rate: int, floor: float) -> NDArray[np.float64]:
    """The highest magnitude at each sample and between it and its neighbours, of any channel.

    seen: (n, channels). Values up to `floor` may be too low: nothing there needs to be known.
    """
    peak: NDArray[np.float64] = np.max(np.abs(seen), axis=1)
    for phases in _interpolators(sample_rate):
        lead = phases.shape[1] // 2
        rows = _worth_a_look(peak, phases, floor)
        for channel in seen.T if len(rows) else ():
            windows = sliding_window_view(channel, 2 * lead)[rows]
            between = np.max(np.abs(windows @ phases.T), axis=1)
            # Row i is what lies between samples i + lead - 1 and i + lead: both answer for it.
            for at in (rows + lead - 1, rows + lead):
                peak[at] = np.maximum(peak[at], between)
    return peak


def _worth_a_look(
    peak: NDArray[np.float64], phases: NDArray[np.float64], floor: float
) -> NDArray[np.int64]:
    """The windows, by their first sample, between whose samples something may pass `floor`."""
    rows = len(peak) - phases.shape[1] + 1
    reach = float(np.max(np.sum(np.abs(phases), axis=1)))
    cells = np.maximum.reduceat(peak, np.arange(0, len(peak), _CELL)) * reach > floor
    cells[:-1] |= cells[1:]
    return np.flatnonzero(np.repeat(cells, _CELL)[:rows])


@cache
def _interpolators(sample_rate: int) -> tuple[NDArray[np.float64], ...]:
    """The meter's own phases, and shorter ones under a Hann window as other meters have them."""
    own = peak_filters(sample_rate)
    if not len(own):
        return ()
    factor = len(own) + 1
    taps = np.arange(1 - _SHORT_LEAD, _SHORT_LEAD + 1)
    short = []
    for k in range(1, factor):
        at = taps - k / factor
        short.append(np.sinc(at) * np.square(np.cos(math.pi * at / (2 * _SHORT_LEAD))))
    return own, np.array(short)
