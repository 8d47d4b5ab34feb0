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
_NEVER = 1e6


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


def heard_in(asked: Phones, spoken: Sequence[Phones]) -> tuple[Heard, ...]:
    """The stretch of each string that sounds most like what is asked for, all compared at once.

    Semi-global alignment (Sellers 1980): all of the query against any stretch of a string, with
    the distances of `core.phones`.
    """
    if not asked or not any(spoken):
        return tuple(Heard(0, 0, 0.0) for _ in spoken)
    swap, gap = _costs()
    phones = np.full((len(spoken), max(map(len, spoken))), len(gap) - 1)
    for row, string in enumerate(spoken):
        phones[row, : len(string)] = coded(string)
    query = coded(asked)
    costs, starts = _aligned(query, phones, swap, gap)
    ends = costs.argmin(axis=1)
    rows = np.arange(len(spoken))
    likeness = np.maximum(0.0, 1.0 - costs[rows, ends] / float(gap[query].sum()))
    return tuple(
        Heard(int(start), int(end), float(alike))
        for start, end, alike in zip(starts[rows, ends], ends, likeness, strict=True)
    )


def _aligned(
    asked: NDArray[np.int8],
    phones: NDArray[np.int64],
    swap: NDArray[np.float64],
    gap: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Cost of the query ending at each place of each string, and where that stretch begins."""
    rows, width = phones.shape
    costs = np.zeros((width + 1, rows))
    starts = np.repeat(np.arange(width + 1)[:, None], rows, axis=1)
    strings = np.ascontiguousarray(phones.T)
    added = gap[strings]
    for sound in asked:
        swapped = costs[:-1] + swap[sound][strings]
        missed = costs[1:] + gap[sound]
        row = np.empty_like(costs)
        begun = np.empty_like(starts)
        row[0] = costs[0] + gap[sound]
        begun[0] = starts[0]
        np.minimum(swapped, missed, out=row[1:])
        begun[1:] = np.where(swapped <= missed, starts[:-1], starts[1:])
        for at in range(width):
            longer = row[at] + added[at]
            better = longer < row[at + 1]
            row[at + 1][better] = longer[better]
            begun[at + 1][better] = begun[at][better]
        costs, starts = row, begun
    return costs.T, starts.T


@lru_cache(maxsize=1)
def _costs() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Costs of a swap and of a gap; the last phone is what stands behind the end of a string."""
    table = distances().astype(np.float64)
    count = len(table)
    swap = np.full((count + 1, count + 1), _NEVER)
    swap[:count, :count] = table * 2 * GAP
    gap = np.full(count + 1, GAP)
    gap[coded(sorted(_HARDLY_THERE))] = _LIGHT_GAP
    gap[count] = _NEVER
    return swap, gap
