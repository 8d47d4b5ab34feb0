"""Stretches of a channel that repeat an earlier one to the bit, as a buffer played twice does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.repair.patches import Samples

SHORTEST = 48
LONGEST = 8_192
KEY_SAMPLES = 12
ONE_IN_BITS = 3
"""One of 2³ places is remembered, chosen by what lies there: the same in both copies."""
MOST_TIMES = 4.5
"""A stretch that repeats for longer than this many of its lengths is a tone."""
FEWEST_VALUES = 12
_ODD = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F)


def repeated_stretches(sound: Samples) -> list[tuple[int, int]]:
    """First and past-last samples of stretches equal to those some samples earlier, in order.

    Found from 48 samples on, up to 8192 samples apart. Neither silence nor a tone, which
    repeats itself all the time, is a repeat. Sound that was ever filtered, mixed or recorded
    with a microphone does not repeat 48 samples to the bit by chance.
    """
    places = _places(sound)
    found: list[tuple[int, int]] = []
    for later, earlier in places:
        if found and later < found[-1][1]:
            continue
        first, last = _extended(sound, later, later - earlier)
        if last - first < SHORTEST or last - first > MOST_TIMES * (later - earlier):
            continue
        if len(np.unique(sound[first:last])) < FEWEST_VALUES:
            continue
        found.append((first, last))
    return found


def _places(sound: Samples) -> list[tuple[int, int]]:
    """Pairs of places, the later first, at which the same few samples lie; in order."""
    bits = np.ascontiguousarray(sound).view(np.uint64)
    count = len(bits) - KEY_SAMPLES + 1
    if count < SHORTEST:
        return []
    mixed = bits[:count] * np.uint64(_ODD[0]) ^ bits[1 : count + 1] * np.uint64(_ODD[1])
    chosen = np.flatnonzero((mixed >> np.uint64(64 - ONE_IN_BITS)) == 0)
    chosen = chosen[sound[chosen] != sound[chosen + 1]]
    key = mixed[chosen]
    for k in range(2, KEY_SAMPLES):
        key = (key ^ (key >> np.uint64(29)) ^ bits[chosen + k]) * np.uint64(_ODD[k % 2])
    order = np.argsort(key, kind="stable")
    return _pairs(key[order], chosen[order])


def _pairs(keys: NDArray[np.uint64], at: NDArray[np.intp]) -> list[tuple[int, int]]:
    apart = at[1:] - at[:-1]
    same = (keys[1:] == keys[:-1]) & (apart >= SHORTEST // 2) & (apart <= LONGEST)
    return sorted(zip(at[1:][same].tolist(), at[:-1][same].tolist(), strict=True))


def _extended(sound: Samples, place: int, lag: int) -> tuple[int, int]:
    """The stretch around `place` that equals what lies `lag` samples earlier."""
    reach = int(MOST_TIMES * lag) + SHORTEST
    low, high = max(lag, place - reach), min(len(sound), place + reach)
    other = np.flatnonzero(sound[low:high] != sound[low - lag : high - lag])
    at = int(np.searchsorted(other, place - low))
    first = low + int(other[at - 1]) + 1 if at else low
    last = low + int(other[at]) if at < len(other) else high
    return first, last
