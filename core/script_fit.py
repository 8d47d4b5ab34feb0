"""A line held against the words that say it: which words match, and which were not said so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.phones import distances

_GAP = 0.55
_NEVER = -1


@dataclass(frozen=True)
class Fit:
    """How a line's words and the said ones go together.

    costs: for each word of the line, 0 (as written) to 1 (not said). partners: for each, the
    said word it became (index into the region), or -1. extra: for each said word of the region,
    the share of its phones that stand for nothing in the line; 1 outside the stretch.
    first, last: said words of the region between which the line lies; equal where it does not.
    """

    costs: tuple[float, ...]
    partners: tuple[int, ...]
    extra: tuple[float, ...]
    first: int
    last: int


def fit(
    line: NDArray[np.int8],
    line_words: NDArray[np.int32],
    said: NDArray[np.int8],
    said_words: NDArray[np.int32],
    counts: tuple[int, int],
) -> Fit:
    """The cheapest way in which a region of a take says a line, whole; its ends are free.

    line, said: phones. line_words, said_words: for each phone, its word. counts: how many words
    the line and the region have.
    """
    pairs = _pairs(line, said)
    costs = np.zeros(counts[0])
    sizes = np.bincount(line_words, minlength=counts[0])
    heard = np.zeros(counts[1])
    heard_sizes = np.bincount(said_words, minlength=counts[1])
    votes: list[dict[int, int]] = [{} for _ in range(counts[0])]
    table = distances()
    for i, j in enumerate(pairs):
        word = int(line_words[i])
        if j == _NEVER:
            costs[word] += 1
            continue
        costs[word] += float(table[line[i], said[j]])
        partner = int(said_words[j])
        heard[partner] += 1
        votes[word][partner] = votes[word].get(partner, 0) + 1
    partners = tuple(max(vote, key=vote.__getitem__) if vote else _NEVER for vote in votes)
    used = [k for k in range(counts[1]) if heard_sizes[k] and heard[k] * 2 >= heard_sizes[k]]
    return Fit(
        costs=tuple((costs / np.maximum(sizes, 1)).tolist()),
        partners=partners,
        extra=tuple((1 - heard / np.maximum(heard_sizes, 1)).tolist()),
        first=used[0] if used else 0,
        last=used[-1] + 1 if used else 0,
    )


def _pairs(line: NDArray[np.int8], said: NDArray[np.int8]) -> Sequence[int]:
    """For each phone of the line, the phone of the region it became, or -1."""
    rows, columns = len(line), len(said)
    if not columns:
        return [_NEVER] * rows
    pairs = distances()[line][:, said]
    slope = (_GAP * np.arange(columns + 1)).astype(np.float32)
    held = np.zeros((rows + 1, columns + 1), np.float32)
    for i in range(rows):
        row = held[i + 1]
        row[0] = held[i, 0] + _GAP
        np.minimum(held[i, :-1] + pairs[i], held[i, 1:] + _GAP, out=row[1:])
        row -= slope
        np.minimum.accumulate(row, out=row)
        row += slope
    values, costs = held.tolist(), pairs.tolist()
    i, j = rows, int(np.argmin(held[rows]))
    found = [_NEVER] * rows
    while i > 0 and j > 0:
        here = values[i][j]
        if abs(values[i - 1][j - 1] + costs[i - 1][j - 1] - here) < 1e-3:
            i, j = i - 1, j - 1
            found[i] = j
        elif abs(values[i - 1][j] + _GAP - here) < 1e-3:
            i -= 1
        else:
            j -= 1
    return found
