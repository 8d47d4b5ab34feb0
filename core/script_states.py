"""From a fit to a state: was the line said as written, or did the recogniser only mishear it?

Each word is evidence. A recogniser swaps words that sound alike, loses some (their time stays) and
invents some; an actor who changes a line says words that sound like nothing in it. The weights
are log-likelihood ratios of the two, from simulated scripts and transcripts (`bench.scripted`); how
much a word tells depends on how often the recogniser errs, which the take's other lines show.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from core.readings import State
from core.script_fit import Fit

LIMITS = (0.25, 0.35, 0.55, 0.75)
"""Mean phone distances that part words said as written from those said nearly so, unlike, as
others, and not at all."""
LOST = LIMITS[-1]
UNLIKE = LIMITS[1]


@dataclass(frozen=True)
class Weights:
    """What each kind of word adds to the case that a line was changed.

    close, near, unlike, other: by how far it is from the line's word (LIMITS). lost: not said.
    lost_in_time: the same where a pause leaves room for it. extra: said and not in the line.
    """

    prior: float
    close: float
    near: float
    unlike: float
    other: float
    lost: float
    lost_in_time: float
    extra: float


CLEAN = Weights(-3.0, -0.35, 0.3, 1.6, 2.9, 2.8, 0.7, 1.8)
"""Where the recogniser hardly errs: 3 % of words."""
NOISY = Weights(-3.1, -0.5, -0.1, 0.75, 2.0, 1.5, 0.0, 0.2)
"""Where it errs in 30 % of words."""
NOISE = 0.1
"""Median of 1 - likeness over the lines of a take at 30 % word errors."""


def weights_at(noise: float) -> Weights:
    """The weights for a take. noise: median of 1 - likeness over its lines, which few changed
    lines don't move."""
    share = min(1.0, noise / NOISE)
    pairs = zip(astuple(CLEAN), astuple(NOISY), strict=True)
    return Weights(*(a + share * (b - a) for a, b in pairs))


@dataclass(frozen=True)
class Heard:
    """What stands around a fit.

    head_lost, tail_lost: words of the line missing at its ends without anything said instead.
    in_time: for each word of the line, whether a pause leaves room for it where it is missing.
    extras: said words within the line that stand for nothing in it.
    """

    head_lost: int
    tail_lost: int
    in_time: tuple[bool, ...]
    extras: int


def state_of(found: Fit, heard: Heard, sizes: Sequence[int], weights: Weights) -> State:
    """AS_WRITTEN, CHANGED or PARTIAL. sizes: phones of each word of the line."""
    case = sum(w * n for w, n in zip(astuple(weights), signs(found, heard, sizes), strict=True))
    if case > 0:
        return State.CHANGED
    ends = [*range(heard.head_lost), *range(len(sizes) - heard.tail_lost, len(sizes))]
    if len(ends) >= 2 and sum(sizes[k] for k in ends) >= 0.25 * sum(sizes):
        return State.PARTIAL
    return State.AS_WRITTEN


def signs(found: Fit, heard: Heard, sizes: Sequence[int]) -> tuple[float, ...]:
    """How much there is of each kind of word, in the order of Weights; short words count less."""
    kinds = [0.0] * 6
    for k in range(heard.head_lost, len(sizes) - heard.tail_lost):
        kind = bisect_right(LIMITS, found.costs[k])
        kinds[kind + (kind == len(LIMITS) and heard.in_time[k])] += min(1.0, sizes[k] / 3)
    return 1.0, *kinds, heard.extras


def likeness(found: Fit, sizes: Sequence[int]) -> float:
    """How alike the line and what was said sound: 0 to 1."""
    total = sum(sizes)
    return 1 - sum(c * n for c, n in zip(found.costs, sizes, strict=True)) / total if total else 0.0
