"""The sounds of speech as strings of phones, and how far two of them lie apart.

Phones are ARPAbet's 39 for American English, without stress, as the CMU dictionary writes them.
Distances come from features (for vowels height, backness, rounding and where they glide to; for
consonants manner, place and voice), after the vowel chart and consonant table of the IPA: 0 is the
same phone, 1 two that nobody takes for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Phones = tuple[str, ...]

# Height (0 close, 1 open), backness (0 front), rounding; start and end of the glide.
_VOWELS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "AA": ((1.0, 0.8, 0.0), (1.0, 0.8, 0.0)),
    "AE": ((0.85, 0.1, 0.0), (0.85, 0.1, 0.0)),
    "AH": ((0.6, 0.55, 0.0), (0.6, 0.55, 0.0)),
    "AO": ((0.75, 0.95, 0.6), (0.75, 0.95, 0.6)),
    "AW": ((0.95, 0.5, 0.0), (0.25, 0.85, 0.8)),
    "AY": ((0.95, 0.5, 0.0), (0.15, 0.15, 0.0)),
    "EH": ((0.6, 0.1, 0.0), (0.6, 0.1, 0.0)),
    "ER": ((0.5, 0.5, 0.4), (0.5, 0.5, 0.4)),
    "EY": ((0.45, 0.05, 0.0), (0.15, 0.1, 0.0)),
    "IH": ((0.2, 0.2, 0.0), (0.2, 0.2, 0.0)),
    "IY": ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
    "OW": ((0.5, 0.8, 0.7), (0.25, 0.85, 0.9)),
    "OY": ((0.65, 0.9, 0.7), (0.15, 0.15, 0.0)),
    "UH": ((0.2, 0.8, 0.6), (0.2, 0.8, 0.6)),
    "UW": ((0.0, 0.9, 0.9), (0.0, 0.9, 0.9)),
}
# Manner by how open it is (0 stop, 1 glide), place from the lips (0) to the throat (1), voice.
_CONSONANTS: dict[str, tuple[float, float, float]] = {
    "B": (0.0, 0.0, 1),
    "CH": (0.25, 0.5, 0),
    "D": (0.0, 0.35, 1),
    "DH": (0.45, 0.25, 1),
    "F": (0.5, 0.08, 0),
    "G": (0.0, 0.8, 1),
    "HH": (0.6, 1.0, 0),
    "JH": (0.25, 0.5, 1),
    "K": (0.0, 0.8, 0),
    "L": (0.85, 0.35, 1),
    "M": (0.7, 0.0, 1),
    "N": (0.7, 0.35, 1),
    "NG": (0.7, 0.8, 1),
    "P": (0.0, 0.0, 0),
    "R": (0.9, 0.45, 1),
    "S": (0.5, 0.35, 0),
    "SH": (0.5, 0.5, 0),
    "T": (0.0, 0.35, 0),
    "TH": (0.45, 0.25, 0),
    "V": (0.5, 0.08, 1),
    "W": (1.0, 0.1, 1),
    "Y": (1.0, 0.6, 1),
    "Z": (0.5, 0.35, 1),
    "ZH": (0.5, 0.5, 1),
}
# A glide is a short close vowel.
_GLIDES = {("W", "UW"): 0.5, ("W", "UH"): 0.6, ("Y", "IY"): 0.5, ("Y", "IH"): 0.6, ("R", "ER"): 0.3}

PHONES: tuple[str, ...] = (*_VOWELS, *_CONSONANTS)
VOWELS = frozenset(_VOWELS)
INDEX: dict[str, int] = {phone: index for index, phone in enumerate(PHONES)}
GAP = 0.7
"""What a phone costs that one side has and the other has not."""


@lru_cache(maxsize=1)
def distances() -> NDArray[np.float32]:
    """How far every phone lies from every other, in the order of PHONES."""
    table = np.ones((len(PHONES), len(PHONES)), np.float32)
    for first in PHONES:
        for second in PHONES:
            table[INDEX[first], INDEX[second]] = _distance(first, second)
    table.setflags(write=False)
    return table


def coded(phones: Sequence[str]) -> NDArray[np.int8]:
    """Phones as their places in PHONES. Raises KeyError for what is no phone."""
    return np.array([INDEX[phone] for phone in phones], np.int8)


def difference(first: Sequence[str], second: Sequence[str]) -> float:
    """How differently two strings of phones sound: 0 alike, 1 nothing alike.

    The cheapest way to turn one into the other (substitutions by distance, GAP for a phone too
    many or too few), over the longer of the two. Two empty strings are alike.
    """
    if not first or not second:
        return 1.0 if first or second else 0.0
    table = distances()[coded(first)][:, coded(second)].tolist()
    row = [GAP * i for i in range(len(second) + 1)]
    for i, costs in enumerate(table, 1):
        left = GAP * i
        above = [*row]
        row[0] = left
        for j, cost in enumerate(costs, 1):
            left = min(above[j - 1] + cost, above[j] + GAP, left + GAP)
            row[j] = left
    return min(1.0, row[-1] / max(len(first), len(second)))


def _distance(first: str, second: str) -> float:
    if first == second:
        return 0.0
    if first in _VOWELS and second in _VOWELS:
        parts: list[float] = [
            sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5
            for one, other in zip(_VOWELS[first], _VOWELS[second], strict=True)
        ]
        return min(0.8, 0.1 + 0.6 * sum(parts) / 2)
    if first in _CONSONANTS and second in _CONSONANTS:
        manner, place, voice = (
            abs(a - b) for a, b in zip(_CONSONANTS[first], _CONSONANTS[second], strict=True)
        )
        return min(1.0, 0.05 + 0.7 * manner + 0.75 * place + 0.15 * voice)
    return _GLIDES.get((first, second), _GLIDES.get((second, first), 1.0))
