"""Which spans of a take to believe: the chain that sounds most like the script, in its order.

Spans of different lines claim the same words. The chain may leave the script's order (a pickup, a
moved line), say a line again and skip lines; each costs, so that order decides where sound can't.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.script_spans import Span

NEXT = 2.0
"""What the next line of the script behind the one before adds, in phones."""
NEAR = 0.8
"""The same for one of the next few lines."""
_NEAR_LINES = 5
BACK = -1.0
"""What going back, or saying a line again, costs."""
AWAY = -2.5
"""What a leap to elsewhere in the script costs."""
_BACK_LINES = 12
OVERLAP = 10
"""Phones that two spans may share, each of which counts once: an alignment often runs on a
little into the words of the next line."""


def chain(spans: Sequence[Span], worth: Sequence[float]) -> list[Span]:
    """The spans that together are worth most, in the order of the take.

    worth: of each span alone, in phones.
    """
    order = sorted(range(len(spans)), key=lambda k: (spans[k].last, spans[k].first))
    firsts = np.array([spans[k].first for k in order])
    lasts = np.array([spans[k].last for k in order])
    lines = np.array([spans[k].line for k in order])
    best = np.zeros(len(order))
    before = np.full(len(order), -1)
    for place, k in enumerate(order):
        shared = lasts[:place] - firsts[place]
        shorter = np.minimum(lasts[:place] - firsts[:place], lasts[place] - firsts[place])
        allowed = (firsts[:place] < firsts[place]) & (shared <= np.minimum(OVERLAP, shorter // 3))
        value = best[:place] + steps(lines[:place], lines[place]) - np.maximum(0, shared)
        value[~allowed] = 0
        if place and (top := float(value.max())) > 0:
            best[place], before[place] = top, int(value.argmax())
        best[place] += worth[k]
    if not order:
        return []
    at = int(best.argmax())
    found: list[Span] = []
    while at >= 0:
        found.append(spans[order[at]])
        at = int(before[at])
    return found[::-1]


def steps(lines: NDArray[np.int64], following: int) -> NDArray[np.float64]:
    """What it is worth that a line follows each of some lines, in phones."""
    ahead = following - lines
    value = np.full(len(lines), AWAY)
    value[(ahead <= 0) & (ahead >= -_BACK_LINES)] = BACK
    value[(ahead > 1) & (ahead <= _NEAR_LINES)] = NEAR
    value[ahead == 1] = NEXT
    return value
