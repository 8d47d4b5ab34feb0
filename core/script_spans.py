"""Where a line lies in a take by its sound: local alignment of phones, many lines at once.

Smith and Waterman, "Identification of common molecular subsequences" (1981), with scores from
phone distances. The step along the take is a running maximum, so a row is one numpy operation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.phones import distances

ALIKE = 2.2
"""A pair of phones scores 1 minus this times their distance: 1 for the same, below 0 from .45."""
MISSED = 0.7
"""What a phone costs that one side has and the other has not."""
_BATCH_CELLS = 600_000


@dataclass(frozen=True)
class Span:
    """A stretch of a take that sounds like a line, or a part of it.

    line: index into the lines. first, last: phones of the take (last exclusive). head, tail:
    phones of the line that lie before and behind what matched. score: in phones.
    """

    line: int
    first: int
    last: int
    head: int
    tail: int
    score: float


def scores() -> NDArray[np.float32]:
    """What each pair of phones adds to an alignment."""
    return (1 - ALIKE * distances()).astype(np.float32)


def spans_of(
    lines: Sequence[tuple[int, NDArray[np.int8]]],
    take: NDArray[np.int8],
    least: float,
    share: float,
    most: int = 4,
) -> list[Span]:
    """Where lines lie in a take; a line that is said several times has several spans.

    lines: pairs of a line's index and its phones. take: phones. least: the lowest score of a
    span, in phones. share: the lowest score in shares of the line's length. most: spans a line.
    """
    if not len(take):
        return []
    table = scores()[:, take]
    found: list[Span] = []
    ordered = sorted(lines, key=lambda pair: len(pair[1]))
    size = max(1, _BATCH_CELLS // (len(take) + 1))
    for begin in range(0, len(ordered), size):
        batch = ordered[begin : begin + size]
        peaks = _best_ends([phones for _, phones in batch], table)
        for (number, phones), ends in zip(batch, peaks, strict=True):
            floor = min(max(least, share * len(phones)), 0.8 * len(phones))
            found.extend(_spans(number, phones, table, ends, floor, most))
    return found


def _best_ends(
    lines: Sequence[NDArray[np.int8]], table: NDArray[np.float32]
) -> NDArray[np.float32]:
    """For each line and each phone of the take, the best score of an alignment that ends there."""
    longest = max(len(line) for line in lines)
    padded = np.zeros((len(lines), longest), np.int64)
    lengths = np.array([len(line) for line in lines])
    for row, line in enumerate(lines):
        padded[row, : len(line)] = line
    count = table.shape[1]
    slope = (MISSED * np.arange(count + 1)).astype(np.float32)
    held = np.zeros((len(lines), count + 1), np.float32)
    best = np.zeros((len(lines), count), np.float32)
    for i in range(longest):
        live = slice(int(np.searchsorted(lengths, i, "right")), None)
        now = held[live]
        fresh = np.zeros_like(now)
        np.add(now[:, :-1], table[padded[live, i]], out=fresh[:, 1:])
        np.maximum(fresh, now - MISSED, out=fresh)
        fresh += slope
        np.maximum.accumulate(fresh, axis=1, out=fresh)
        fresh -= slope
        np.maximum(fresh, 0, out=fresh)
        held[live] = fresh
        np.maximum(best[live], fresh[:, 1:], out=best[live])
    return best


def _spans(
    number: int,
    line: NDArray[np.int8],
    table: NDArray[np.float32],
    ends: NDArray[np.float32],
    floor: float,
    most: int,
) -> list[Span]:
    """The spans of a line that don't touch each other, best first."""
    left = ends.copy()
    found: list[Span] = []
    while len(found) < most:
        last = int(np.argmax(left))
        if left[last] < floor:
            break
        span = _traced(number, line, table, last + 1)
        left[span.first : span.last] = 0
        # An alignment that ends a little behind a span is the same one with a worse tail.
        behind = min(len(left), span.last + len(line) // 2)
        fading = left[span.last : behind]
        fading[fading < span.score] = 0
        if span.score >= floor:
            found.append(span)
        else:
            left[last] = 0
    return found


def _traced(number: int, line: NDArray[np.int8], table: NDArray[np.float32], last: int) -> Span:
    """The best local alignment of a line that ends before a phone of the take."""
    begin = max(0, last - 2 * len(line) - 8)
    pairs = table[line][:, begin:last]
    held = np.zeros((len(line) + 1, pairs.shape[1] + 1), np.float32)
    slope = (MISSED * np.arange(pairs.shape[1] + 1)).astype(np.float32)
    for i in range(len(line)):
        row = held[i + 1]
        row[1:] = held[i, :-1] + pairs[i]
        np.maximum(row, held[i] - MISSED, out=row)
        row += slope
        np.maximum.accumulate(row, out=row)
        row -= slope
        np.maximum(row, 0, out=row)
    tail = int(np.argmax(held[:, -1]))
    i, j = tail, pairs.shape[1]
    score = float(held[i, j])
    values, costs = held.tolist(), pairs.tolist()
    while i > 0 and j > 0 and values[i][j] > 1e-4:
        here = values[i][j]
        if abs(values[i - 1][j - 1] + costs[i - 1][j - 1] - here) < 1e-3:
            i, j = i - 1, j - 1
        elif abs(values[i - 1][j] - MISSED - here) < 1e-3:
            i -= 1
        else:
            j -= 1
    return Span(number, begin + j, last, i, len(line) - tail, score)
