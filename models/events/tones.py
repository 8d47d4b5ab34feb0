"""Steady sines: line-up tone, and pops of a frame."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.events.window import Window

FRAME_S = 0.0107
LOWEST_HZ, HIGHEST_HZ = 250.0, 12_000.0
PURE = 0.95
QUIETEST_DB = -60.0
DRIFT_HZ = 25.0
STEADY_DB = 1.0
STEADY_SHARE = 0.9
LINE_UP_S = 0.75
POP_S = (0.014, 0.05)
ISOLATED_S = 0.3
ISOLATED_DB = 20.0
EDGE = 0.1


@dataclass(frozen=True)
class Tone:
    """A steady sine. start, end: samples. hz: its frequency. level_db: dBFS of its peak.

    pop: it is about a frame long and stands alone, else it is line-up tone.
    """

    start: int
    end: int
    hz: float
    level_db: float
    pop: bool


@dataclass(frozen=True)
class _Run:
    """Frames in a row with the same frequency.

    steady: frames within 1 dB of the loudest. spread: of nine tenths of the frequencies, in Hz.
    """

    start: int
    last: int
    hz: float
    loudest: float
    frames: int
    steady: int
    spread: float
    refined: bool = False


@dataclass
class Tones:
    """Finds tones in windows that follow each other; a tone may span any number of them."""

    sample_rate: int
    _open: _Run | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.size = 2 ** round(np.log2(FRAME_S * self.sample_rate))
        self.hop = self.size // 2

    def add(self, window: Window) -> tuple[Tone, ...]:
        """The tones that end in a window's stretch."""
        first = -(-window.first // self.hop)
        count = max(0, -(-window.last // self.hop) - first)
        hz, level = self._frames(window, first, count)
        found = []
        for run in _runs(hz, level, first, self._open):
            if run.last == first + count - 1:
                self._open = self._refined(window, run)
                break
            found.append(self._tone(window, self._refined(window, run)))
        else:
            self._open = None
        return tuple(tone for tone in found if tone is not None)

    def finish(self, window: Window) -> tuple[Tone, ...]:
        """The tone that the sound ends with, if there is one. window: the last that was added."""
        run, self._open = self._open, None
        tone = self._tone(window, run) if run is not None else None
        return (tone,) if tone is not None else ()

    def _frames(
        self, window: Window, first: int, count: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Frequency (0 where a frame is no pure tone) and peak level in dBFS of each frame."""
        if count == 0:
            return np.zeros(0), np.zeros(0)
        low = first * self.hop - window.at
        sound = window.samples[low : low + (count - 1) * self.hop + self.size]
        if len(sound) < (count - 1) * self.hop + self.size:
            sound = np.pad(sound, (0, (count - 1) * self.hop + self.size - len(sound)))
        frames = np.lib.stride_tricks.sliding_window_view(sound, self.size)[:: self.hop]
        shape = np.hanning(self.size + 1)[:-1]
        power = np.abs(np.fft.rfft((frames * shape).astype(np.float32), axis=1)) ** 2
        power[:, 0] = 0.0
        total = power.sum(axis=1) + 1e-20
        middle = power[:, 3:-3].argmax(axis=1) + 3
        rows = np.arange(count)
        near = sum(power[rows, middle + k] for k in range(-2, 3))
        left, top, right = (np.sqrt(power[rows, middle + k]) for k in (-1, 0, 1))
        # Exact for one sine under a Hann window: its two largest bins say where between them.
        ratio = np.maximum(left, right) / (top + 1e-20)
        shift = np.where(right >= left, 1, -1) * (2 * ratio - 1) / (ratio + 1)
        hz = (middle + shift) * self.sample_rate / self.size
        # A sine of amplitude A has a power of A² · sum(shape²) · size / 4 in half the spectrum.
        level = 10 * np.log10(4 * near / (np.sum(shape**2) * self.size) + 1e-20)
        pure = (near >= PURE * total) & (level >= QUIETEST_DB)
        pure &= (hz >= LOWEST_HZ) & (hz <= HIGHEST_HZ)
        return np.where(pure, hz, 0.0).astype(np.float64), level.astype(np.float64)

    def _refined(self, window: Window, run: _Run) -> _Run:
        """The run with its start to the sample."""
        if run.refined:
            return run
        at = run.start * self.hop
        low, high = max(window.at, at - self.size), at + self.size
        over = np.abs(window.part(low, high)) >= EDGE * 10 ** (run.loudest / 20)
        start = low + int(np.argmax(over)) if over.any() else at
        return replace(run, start=max(0, start), refined=True)

    def _tone(self, window: Window, run: _Run) -> Tone | None:
        """What a run that has ended is: line-up tone, a pop or nothing of the kind."""
        at = run.last * self.hop
        low = max(window.at, at)
        over = np.abs(window.part(low, at + 2 * self.size)) >= EDGE * 10 ** (run.loudest / 20)
        end = low + (int(np.flatnonzero(over)[-1]) + 1 if over.any() else self.size)
        seconds = (end - run.start) / self.sample_rate
        tone = Tone(run.start, end, run.hz, run.loudest, pop=False)
        steady = run.steady >= STEADY_SHARE * (run.frames - 2) and run.spread <= DRIFT_HZ
        if seconds >= LINE_UP_S:
            return tone if steady else None
        if seconds < POP_S[0] or not steady or not self._stands_alone(window, tone):
            return None
        return replace(tone, pop=seconds <= POP_S[1])

    def _stands_alone(self, window: Window, tone: Tone) -> bool:
        """Whether all is far quieter for 0.3 s before and after a tone."""
        margin, far = self.sample_rate // 500, round(ISOLATED_S * self.sample_rate)
        least = 10 ** ((tone.level_db - ISOLATED_DB) / 20)
        return all(
            float(np.max(np.abs(part), initial=0.0)) < least
            for part in (
                window.part(tone.start - far, tone.start - margin),
                window.part(tone.end + margin, tone.end + far),
            )
        )


def _runs(
    hz: NDArray[np.float64], level: NDArray[np.float64], first: int, opened: _Run | None
) -> list[_Run]:
    """The runs of frames, the first of which may go on with one that is open."""
    breaks = np.flatnonzero(np.abs(np.diff(hz)) > DRIFT_HZ) + 1
    edges = [0, *breaks.tolist(), len(hz)]
    found = []
    if opened is not None and not (len(hz) and hz[0] > 0 and abs(hz[0] - opened.hz) <= DRIFT_HZ):
        found.append(opened)
        opened = None
    for low, high in pairwise(edges):
        if high == low or hz[low] == 0:
            continue
        loudest = float(level[low:high].max())
        run = _Run(
            start=first + low,
            last=first + high - 1,
            hz=float(np.median(hz[low:high])),
            loudest=loudest,
            frames=high - low,
            steady=int(np.sum(level[low:high] >= loudest - STEADY_DB)),
            spread=float(np.subtract(*np.percentile(hz[low:high], (95, 5)))),
        )
        if low == 0 and opened is not None:
            alike = abs(opened.loudest - loudest) <= STEADY_DB
            run = _Run(
                start=opened.start,
                last=run.last,
                hz=(opened.hz * opened.frames + run.hz * run.frames) / (opened.frames + run.frames),
                loudest=max(opened.loudest, loudest),
                frames=opened.frames + run.frames,
                steady=opened.steady + run.steady if alike else max(opened.steady, run.steady),
                spread=max(opened.spread, run.spread, abs(opened.hz - run.hz)),
                refined=opened.refined,
            )
        found.append(run)
    return found
