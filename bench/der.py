"""Diarization error rate, written from its definition (NIST RT: missed + false alarm + confusion).

Shared by the benchmark and the tests. Times are integers of any one unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.optimize import linear_sum_assignment

from core.speech import Turn


@dataclass(frozen=True)
class Errors:
    """Speaker time scored, and how much of it was missed, invented or given to another."""

    scored: int
    missed: int
    false_alarm: int
    confused: int

    @property
    def rate(self) -> float:
        """The diarization error rate: wrong time over scored time."""
        return (self.missed + self.false_alarm + self.confused) / self.scored

    def __add__(self, other: Errors) -> Errors:
        return Errors(
            self.scored + other.scored,
            self.missed + other.missed,
            self.false_alarm + other.false_alarm,
            self.confused + other.confused,
        )


def diarization_errors(
    truth: Sequence[Turn], found: Sequence[Turn], collar: int, named: bool = False
) -> Errors:
    """Errors outside `collar` on both sides of every true boundary, overlapping speech included.

    named: speakers must carry the true names; otherwise the mapping that agrees longest is used.
    """
    edges = [edge for turn in truth for edge in (turn.start, turn.end)]
    cuts = sorted(
        {edge + shift for edge in edges for shift in (-collar, 0, collar)}
        | {edge for turn in found for edge in (turn.start, turn.end)}
    )
    pieces = [
        (last - first, _speakers(truth, first), _speakers(found, first))
        for first, last in pairwise(cuts)
        if all(abs(first + last - 2 * edge) >= 2 * collar for edge in edges)
    ]
    mapping = {} if named else _best_mapping(pieces)
    scored = missed = false_alarm = confused = 0
    for length, right, heard in pieces:
        correct = len(right & {mapping.get(name, name) for name in heard})
        scored += length * len(right)
        missed += length * max(len(right) - len(heard), 0)
        false_alarm += length * max(len(heard) - len(right), 0)
        confused += length * (min(len(right), len(heard)) - correct)
    return Errors(scored, missed, false_alarm, confused)


def _speakers(turns: Sequence[Turn], at: int) -> frozenset[str]:
    return frozenset(turn.speaker for turn in turns if turn.start <= at < turn.end)


def _best_mapping(pieces: list[tuple[int, frozenset[str], frozenset[str]]]) -> dict[str, str]:
    """The one-to-one mapping from found to true names with the longest time in common."""
    right = sorted({name for piece in pieces for name in piece[1]})
    heard = sorted({name for piece in pieces for name in piece[2]})
    common = np.zeros((len(heard), len(right)))
    for length, truly, found in pieces:
        for name in found:
            for true_name in truly:
                common[heard.index(name), right.index(true_name)] += length
    rows, columns = linear_sum_assignment(-common)
    mapping = {name: f"nobody ({name})" for name in heard}
    mapping |= {heard[row]: right[column] for row, column in zip(rows, columns, strict=True)}
    return mapping
