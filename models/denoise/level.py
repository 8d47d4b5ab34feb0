"""The active speech level of a recording, found block by block."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.samples import finite

FRAMES_A_SECOND = 50
HANGOVER_FRAMES = 10
MARGIN_DB = 15.9
HIGH_PASS_HZ = 80.0
FLOOR_PERCENTILE = 10
SILENCE = 1e-12


def active_level(blocks: Iterable[NDArray[np.floating[Any]]], sample_rate: int) -> float:
    """Level of the speech while somebody speaks, in dB relative to a full-scale mean square of 1.

    blocks: mono (samples,), in order, any lengths. sample_rate: Hz. Gives -inf for silence.

    After ITU-T P.56, method B: the threshold is the one that lies 15.9 dB below the level of what
    passes it, with 200 ms of hangover. Production sound is noisier than P.56 expects, so rumble
    below 80 Hz is filtered out and the power of the pauses (the tenth percentile of 100 ms means)
    is subtracted first. Memory: 8 bytes for every 20 ms.
    """
    powers = _frame_powers(blocks, sample_rate)
    sounding = powers[powers > SILENCE]
    if len(sounding) == 0:
        return float("-inf")
    smooth = np.convolve(powers, np.ones(5) / 5, mode="valid") if len(powers) > 4 else powers
    floor = float(np.percentile(smooth, FLOOR_PERCENTILE))
    above = np.maximum(powers - floor, 0.0)
    # A steady sound is all floor; its own mean, less 10 dB, is then as low as an answer may get.
    least = 10 * np.log10(float(np.mean(sounding))) - 10
    return float(max(_gated_level(above), least))


def _frame_powers(
    blocks: Iterable[NDArray[np.floating[Any]]], sample_rate: int
) -> NDArray[np.float64]:
    """Mean square of every 20 ms frame above the rumble; a last short frame is dropped."""
    from scipy.signal import butter, sosfilt

    length = max(1, sample_rate // FRAMES_A_SECOND)
    sos = butter(2, HIGH_PASS_HZ, "highpass", fs=sample_rate, output="sos")
    state = np.zeros((len(sos), 2))
    rest = np.zeros(0)
    powers = [np.zeros(0)]
    for block in blocks:
        if len(block) == 0:
            continue
        filtered, state = sosfilt(sos, finite(block), zi=state)
        rest = np.concatenate([rest, filtered])
        whole = len(rest) // length * length
        powers.append(np.mean(np.square(rest[:whole].reshape(-1, length)), axis=1))
        rest = rest[whole:]
    return np.concatenate(powers)


def _gated_level(powers: NDArray[np.float64]) -> float:
    """The P.56 level of frame powers in dB: where level and threshold lie 15.9 dB apart."""
    total = float(np.sum(powers))
    if total <= SILENCE:
        return float("-inf")
    loudest = 10 * np.log10(float(np.max(powers)))
    previous: tuple[float, float] | None = None
    for threshold in np.arange(loudest - 80, loudest + 1, 1.0):
        active = _held(powers >= 10 ** (threshold / 10))
        level = 10 * np.log10(total / max(1, int(np.sum(active))))
        excess = level - threshold - MARGIN_DB
        if excess <= 0:
            if previous is None:
                return float(level)
            share = previous[1] / (previous[1] - excess)
            return float(previous[0] + share * (level - previous[0]))
        previous = (level, excess)
    return float(loudest)


def _held(active: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Activity that lasts 200 ms beyond its end."""
    counts = np.concatenate([np.zeros(HANGOVER_FRAMES + 1, int), np.cumsum(active)])
    return np.asarray(counts[HANGOVER_FRAMES + 1 :] > counts[: -HANGOVER_FRAMES - 1])
