"""Finding speech by its sound: phones in coarse classes for an index, and where a query is heard.

A class is a letter, so that the sound of a line is a short text that can be indexed; classes hold
phones that are easily heard for one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.phones import GAP, VOWELS, Phones, coded, distances

# Voiced and voiceless of a place together, and vowels by where the tongue is.
_CLASSES = {
    "b": "B P",
    "d": "D T",
    "g": "G K",
    "f": "F V TH DH",
    "s": "S Z",
    "j": "SH ZH CH JH",
    "m": "M",
    "n": "N NG",
    "l": "L",
    "r": "R ER",
    "w": "W",
    "y": "Y",
    "h": "HH",
    "i": "IY IH EY",
    "e": "EH AE",
    "a": "AA AO AH AW AY",
    "u": "OW OY UH UW",
}
_CLASS_OF = {phone: letter for letter, phones in _CLASSES.items() for phone in phones.split()}

# Vowels and breath come and go more easily than other sounds.
_HARDLY_THERE = VOWELS | {"HH"}
_LIGHT_GAP = 0.45
_NEVER = 1e5


def sound_classes(phones: Sequence[str]) -> str:
    """The classes of phones, a letter each."""
    return "".join(_CLASS_OF[phone] for phone in phones)


@dataclass(frozen=True)
class Heard:
    """Where a query is heard in a string of phones.

    start, end: places in the string. likeness: 1 where every sound is there, 0 where none is.
    """

    start: int
    end: int
    likeness: float


def heard_in(asked: Phones, spoken: Sequence[Phones], least: float = 0.0) -> tuple[Heard, ...]:
    """The stretch of each string that sounds most like what is asked for, all compared at once.

    Semi-global alignment (Sellers 1980): all of the query against any stretch of a string, with
    the distances of `core.phones`. Of stretches that are alike the first is given, and the
    shortest that ends there. least: below that likeness no stretch is looked for, only its end.
    """
    if not asked or not any(spoken):
        return tuple(Heard(0, 0, 0.0) for _ in spoken)
    gap = _costs()[1]
    behind = len(gap) - 1
    lengths = np.array([len(string) for string in spoken])
    width = int(lengths.max())
    padded = np.full((len(spoken), width), behind)
    padded[np.arange(width) < lengths[:, None]] = coded([p for string in spoken for p in string])
    strings = np.ascontiguousarray(padded.T)
    query = coded(asked)
    costs = _aligned(query, strings, from_the_start=False)
    ends = costs.argmin(axis=0)
    likeness = np.maximum(0.0, 1.0 - costs.min(axis=0) / gap[query].sum())
    starts = ends.copy()
    near = np.flatnonzero(likeness >= least)
    if len(near):
        # Backwards from its end, the same stretch costs the same from its first sound.
        place = ends[near] - 1 - np.arange(width)[:, None]
        back = np.where(place < 0, behind, strings[np.maximum(place, 0), near])
        long = _aligned(query[::-1], back, from_the_start=True).argmin(axis=0)
        starts[near] -= np.minimum(long, ends[near])
    return tuple(
        Heard(int(start), int(end), float(alike))
        for start, end, alike in zip(starts, ends, likeness, strict=True)
    )


def _aligned(
    asked: NDArray[np.int8], strings: NDArray[np.int64], from_the_start: bool
) -> NDArray[np.int32]:
    """Cost of the query ending at each place of each string, a column each.

    from_the_start: it has to begin at the first sound.
    """
    swap, gap = _costs()
    # What it costs to pass over a string from its first sound.
    passed = np.zeros((len(strings) + 1, strings.shape[1]), np.int32)
    np.cumsum(gap[strings], axis=0, out=passed[1:])
    costs = passed.copy() if from_the_start else np.zeros_like(passed)
    for sound in asked:
        row = costs + gap[sound]
        np.minimum(row[1:], costs[:-1] + swap[sound].take(strings), out=row[1:])
        # Sounds too many: the cheapest of all places before, and what lies between.
        row -= passed
        costs = np.minimum.accumulate(row, axis=0)
        costs += passed
    return costs


@lru_cache(maxsize=1)
def _costs() -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Costs of a swap and of a gap; the last phone is what stands behind the end of a string.

    In thousandths, so that sums are exact and the same in any order.
    """
    table = distances().astype(np.float64)
    count = len(table)
    swap = np.full((count + 1, count + 1), _NEVER)
    swap[:count, :count] = table * 2 * GAP
    gap = np.full(count + 1, GAP)
    gap[coded(sorted(_HARDLY_THERE))] = _LIGHT_GAP
    gap[count] = 0.0
    return (1000 * swap).round().astype(np.int32), (1000 * gap).round().astype(np.int32)
