"""Time stretching that keeps the pitch, by waveform similarity (WSOLA).

The sound is laid again from overlapping segments under windows that sum to 1. Each segment comes
from near where the speed puts it, moved by up to 12 ms to where it best continues the one before
(Verhelst and Roelands, ICASSP 1993). Where the segments come from is a plan of its own, made once
from the original: laying the original and the cleaned sound by one plan is one linear process,
so their difference is the stretched difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from core.time import round_half_up

Read = Callable[[int, int], NDArray[np.float64]]
"""Samples from a position on, shape (count, channels); zeros outside the sound."""

process_version = "1"

_HOP_HZ = 42
_SEARCH_HZ = 84
_BLOCK_SEGMENTS = 64
_SCORE_STEPS = 1e6
_SILENCE = 1e-12


@dataclass(frozen=True)
class StretchPlan:
    """Where each segment comes from.

    hop: samples between segments; a segment has twice as many. centres: for segment k, whose
    middle lands at k * hop, the sample of the source in its middle. frames: of the result.
    """

    hop: int
    centres: NDArray[np.int64]
    frames: int


def stretched_frames(frames: int, speed: Fraction) -> int:
    """Samples of a sound of `frames` samples at a speed (source consumed by the result)."""
    return round_half_up(Fraction(frames) / speed)


def plan_stretch(read: Read, frames: int, sample_rate: int, speed: Fraction) -> StretchPlan:
    """The plan for a sound at a speed (more than 0), its pitch kept.

    read: the original; its channels are judged by their sum. frames: its length in samples.
    At a speed of 1 every segment stays where it is.
    """
    hop = round(sample_rate / _HOP_HZ)
    reach = round(sample_rate / _SEARCH_HZ)
    length = stretched_frames(frames, speed)
    count = -(-length // hop) + 1
    centres = np.zeros(count, dtype=np.int64)
    for k in range(1, count):
        due = round_half_up(k * hop * speed)
        wanted = int(centres[k - 1]) + hop
        centres[k] = due if wanted == due else due + _best_shift(read, wanted, due, hop, reach)
    return StretchPlan(hop, centres, length)


def _best_shift(read: Read, wanted: int, due: int, hop: int, reach: int) -> int:
    """How far from `due`, up to `reach`, the sound is most like that around `wanted`.

    Judged by normalised cross-correlation over a segment; of equals the smallest shift.
    """
    target = read(wanted - hop, 2 * hop).sum(axis=1)
    around = read(due - hop - reach, 2 * hop + 2 * reach).sum(axis=1)
    if float(target @ target) < _SILENCE or float(around @ around) < _SILENCE:
        return 0
    size = 1 << (len(around) + len(target) - 1).bit_length()
    spectrum = np.fft.rfft(around, size) * np.conj(np.fft.rfft(target, size))
    likeness = np.fft.irfft(spectrum, size)[: 2 * reach + 1]
    running = np.concatenate([[0.0], np.cumsum(around * around)])
    energy = running[2 * hop :] - running[: 2 * reach + 1]
    score = likeness / np.sqrt((energy + _SILENCE) * float(target @ target))
    # In whole steps, so that rounding in the last bits decides nothing.
    score = np.rint(score * _SCORE_STEPS)
    best = np.flatnonzero(score == score.max()) - reach
    return int(best[np.argmin(np.abs(best))])


def stretched(read: Read, plan: StretchPlan, channels: int) -> Iterator[NDArray[np.float64]]:
    """The sound laid by a plan: blocks of shape (frames, channels), plan.frames in all.

    Memory does not grow with length. read: any sound of the length the plan was made for.
    """
    hop = plan.hop
    window = np.sin(np.pi * (np.arange(2 * hop) + 0.5) / (2 * hop))[:, None] ** 2
    tail = (read(int(plan.centres[0]) - hop, 2 * hop) * window)[hop:]
    given = 0
    for first in range(1, len(plan.centres), _BLOCK_SEGMENTS):
        some = plan.centres[first : first + _BLOCK_SEGMENTS]
        block = np.zeros(((len(some) + 1) * hop, channels))
        block[:hop] = tail
        for k, centre in enumerate(some):
            block[k * hop : (k + 2) * hop] += read(int(centre) - hop, 2 * hop) * window
        tail = block[len(some) * hop :].copy()
        done = block[: min(len(some) * hop, plan.frames - given)]
        given += len(done)
        yield done
