"""Finishing of the dialogue in a listening mix: filters, then a gentle compressor.

The filters are Bristow-Johnson's (Audio EQ Cookbook; W3C Note, 2021) and of minimum phase: the
sound keeps its length and starts where it did. The compressor is feed-forward with a soft knee in
dB (Giannoulis, Massberg and Reiss, JAES 60(6), 2012). It hears the power of all channels together,
as a loudness meter does, and they share its gain.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config.finishing import Finishing

PROCESS_VERSION = "1"

STEPS_A_SECOND = 1000
"""How often the compressor looks at the level."""

_BUTTERWORTH_4 = (0.54119610, 1.30656296)
_LEVEL_S = 0.01
_PIECE_STEPS = 1000
_SILENCE = 1e-12


class Finisher:
    """Finishes a sound that is fed in blocks; zero lag, any block size gives the same samples.

    With everything off the output is the input, bit for bit.
    """

    def __init__(
        self, sample_rate: int, channels: int, finishing: Finishing, dialogue_lufs: float
    ) -> None:
        """sample_rate: Hz. dialogue_lufs: loudness that the compressor's threshold counts from.

        For a programme without dialogue (-inf) nothing is compressed.
        """
        self._sections = _sections(sample_rate, finishing)
        self._state = np.zeros((len(self._sections), 2, channels))
        self._compressor = None
        if finishing.compresses and math.isfinite(dialogue_lufs):
            threshold = dialogue_lufs + finishing.threshold_lu
            self._compressor = _Compressor(sample_rate, channels, finishing, threshold)

    def add(self, block: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Take in samples (n, channels), full scale 1.0; give those that are done, maybe none."""
        from scipy.signal import sosfilt

        sound = np.asarray(block, np.float64)
        if len(self._sections) and len(sound):
            sound, self._state = sosfilt(self._sections, sound, axis=0, zi=self._state)
        return sound if self._compressor is None else self._compressor.add(sound)

    def finish(self) -> NDArray[np.float64]:
        """The rest: with it as many samples came out as went in. Nothing may be added after."""
        if self._compressor is None:
            return np.zeros((0, self._state.shape[2]))
        return self._compressor.finish()


class _Compressor:
    """Looks at the level every millisecond, in pieces of a second from the first sample on."""

    def __init__(
        self, sample_rate: int, channels: int, finishing: Finishing, threshold_db: float
    ) -> None:
        self._slope = 1 - 1 / finishing.ratio
        self._threshold = threshold_db
        self._knee = finishing.knee_db
        self._step = max(1, round(sample_rate / STEPS_A_SECOND))
        seconds = self._step / sample_rate
        self._follow = math.exp(-seconds / _LEVEL_S)
        self._attack = math.exp(-1000 * seconds / finishing.attack_ms)
        self._release = math.exp(-1000 * seconds / finishing.release_ms)
        self._power = np.zeros(1)
        self._reduction = 0.0
        self._open = np.zeros((0, channels))

    def add(self, sound: NDArray[np.float64]) -> NDArray[np.float64]:
        joined = np.concatenate([self._open, sound])
        size = _PIECE_STEPS * self._step
        done = [joined[:0]]
        while len(joined) >= size:
            done.append(self._compressed(joined[:size]))
            joined = joined[size:]
        self._open = joined.copy()
        return np.concatenate(done)

    def finish(self) -> NDArray[np.float64]:
        left = len(self._open)
        return self.add(np.zeros((_PIECE_STEPS * self._step - left, self._open.shape[1])))[:left]

    def _compressed(self, sound: NDArray[np.float64]) -> NDArray[np.float64]:
        from scipy.signal import lfilter

        cells = sound.reshape(-1, self._step, sound.shape[1])
        power = np.sum(np.mean(np.square(cells), axis=1), axis=1)
        keep = self._follow
        power, self._power = lfilter([1 - keep], [1, -keep], power, zi=self._power)
        wanted = _reduction_db(
            10 * np.log10(power + _SILENCE), self._threshold, self._slope, self._knee
        )
        before, reached = self._reduction, []
        for target in wanted.tolist():
            pole = self._attack if target > self._reduction else self._release
            self._reduction = target + pole * (self._reduction - target)
            reached.append(self._reduction)
        ends = np.array(reached)
        starts = np.concatenate([[before], ends[:-1]])
        along = np.arange(1, self._step + 1) / self._step
        reduction = starts[:, None] + (ends - starts)[:, None] * along
        gain: NDArray[np.float64] = 10 ** (-reduction.reshape(-1) / 20)
        return sound * gain[:, None]


def _reduction_db(
    level: NDArray[np.float64], threshold: float, slope: float, knee: float
) -> NDArray[np.float64]:
    """By how many dB a level in dB is turned down: a line above the knee, a parabola in it."""
    over = level - threshold
    if knee == 0:
        return slope * np.maximum(over, 0.0)
    bend = np.clip(over + knee / 2, 0.0, knee)
    return slope * np.where(over > knee / 2, over, np.square(bend) / (2 * knee))


def _sections(sample_rate: int, finishing: Finishing) -> NDArray[np.float64]:
    """The filters that are on, as second-order sections (n, 6)."""
    sections = []
    if finishing.high_pass_hz:
        sections += [_high_pass(sample_rate, finishing.high_pass_hz, q) for q in _BUTTERWORTH_4]
    if finishing.mud_cut_db:
        sections.append(
            _bell(sample_rate, finishing.mud_hz, finishing.mud_q, -finishing.mud_cut_db)
        )
    if finishing.presence_db:
        sections.append(
            _bell(sample_rate, finishing.presence_hz, finishing.presence_q, finishing.presence_db)
        )
    return np.array(sections).reshape(-1, 6)


def _high_pass(sample_rate: int, hertz: float, q: float) -> list[float]:
    turn = 2 * math.pi * hertz / sample_rate
    alpha, cosine = math.sin(turn) / (2 * q), math.cos(turn)
    b = (1 + cosine) / 2
    return _section([b, -2 * b, b], [1 + alpha, -2 * cosine, 1 - alpha])


def _bell(sample_rate: int, hertz: float, q: float, gain_db: float) -> list[float]:
    turn = 2 * math.pi * min(hertz, 0.45 * sample_rate) / sample_rate
    alpha, cosine = math.sin(turn) / (2 * q), math.cos(turn)
    rise = 10 ** (gain_db / 40)
    return _section(
        [1 + alpha * rise, -2 * cosine, 1 - alpha * rise],
        [1 + alpha / rise, -2 * cosine, 1 - alpha / rise],
    )


def _section(b: list[float], a: list[float]) -> list[float]:
    return [value / a[0] for value in (*b, *a)]
