"""Which lines of a script a take may hold: found by the runs of phones that both share.

A film has thousands of lines and a take says a dozen of them, so looking for every line in every
take would be slow. Runs of four phones are rare enough to point at lines, and enough of them stay
whole where a recogniser errs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.phones import PHONES, coded
from core.readings import TakeSpeech, WrittenLine
from core.script import plain_name, scene_likeness

RUN = 4
"""Phones in a run."""

_MOST_COMMON = 400
_LIKELY = 0.1


@dataclass(frozen=True)
class ScriptIndex:
    """A script prepared for looking lines up.

    phones: of each line, as places in PHONES. words: for each phone of each line, its word.
    runs: all runs of the script, sorted; owners: the line of each. weights: for each run, how
    rare it is. totals: for each line, the sum of its runs' weights.
    scenes: their numbers. cast: the characters, by plain name.
    """

    lines: tuple[WrittenLine, ...]
    phones: tuple[NDArray[np.int8], ...]
    words: tuple[NDArray[np.int32], ...]
    runs: NDArray[np.int64]
    owners: NDArray[np.int32]
    weights: NDArray[np.float64]
    totals: NDArray[np.float64]
    scenes: frozenset[str]
    cast: frozenset[str]


def index_of(lines: Sequence[WrittenLine]) -> ScriptIndex:
    """The index of a script's lines."""
    phones = tuple(flat(line.phones) for line in lines)
    found = [runs_of(one) for one in phones]
    runs = np.concatenate([np.zeros(0, np.int64), *found])
    owners = np.repeat(np.arange(len(lines), dtype=np.int32), [len(one) for one in found])
    order = np.argsort(runs, kind="stable")
    runs, owners = runs[order], owners[order]
    _, place, counts = np.unique(runs, return_inverse=True, return_counts=True)
    weights = np.log1p(len(runs) / counts)[place] if len(runs) else np.zeros(0)
    totals = np.bincount(owners, weights, minlength=len(lines)).astype(np.float64)
    words = tuple(word_of_phones(line.phones) for line in lines)
    return ScriptIndex(
        lines=tuple(lines),
        phones=phones,
        words=words,
        runs=runs,
        owners=owners,
        weights=weights,
        totals=totals,
        scenes=frozenset(line.line.scene for line in lines if line.line.scene),
        cast=frozenset(plain_name(line.line.character) for line in lines),
    )


def flat(words: Sequence[Sequence[str]]) -> NDArray[np.int8]:
    """The phones of words as one string, coded."""
    return coded([phone for word in words for phone in word])


def word_of_phones(words: Sequence[Sequence[str]]) -> NDArray[np.int32]:
    """For each phone of a string of words, the index of its word."""
    return np.repeat(np.arange(len(words), dtype=np.int32), [len(word) for word in words])


def runs_of(phones: NDArray[np.int8]) -> NDArray[np.int64]:
    """Every run of RUN phones, each as one number."""
    if len(phones) < RUN:
        return np.zeros(0, np.int64)
    total = np.zeros(len(phones) - RUN + 1, np.int64)
    for k in range(RUN):
        total = total * len(PHONES) + phones[k : len(phones) - RUN + 1 + k]
    return total


def likely_lines(
    index: ScriptIndex, take: TakeSpeech, phones: NDArray[np.int8], most: int
) -> list[int]:
    """Indices of the lines that a take may hold: those that share runs, and those of its scene.

    most: of each of the two kinds, the best.
    """
    shared = _shared(index, phones)
    rated = np.argsort(-shared, kind="stable")[:most]
    chosen = {int(line) for line in rated if shared[line] >= _LIKELY}
    ours = [
        number
        for number, line in enumerate(index.lines)
        if scene_likeness(line.line.scene, take.scene) > 0
    ]
    ours.sort(key=lambda number: -shared[number])
    chosen.update(ours[:most])
    # What stands between two likely lines may be a line too short to share anything.
    for number in sorted(chosen):
        chosen.update(range(max(0, number - 1), min(len(index.lines), number + 2)))
    return sorted(number for number in chosen if len(index.phones[number]))


def _shared(index: ScriptIndex, phones: NDArray[np.int8]) -> NDArray[np.float64]:
    """For each line, the share of its runs (by rarity) that the take has too."""
    asked = np.unique(runs_of(phones))
    first = np.searchsorted(index.runs, asked, "left")
    last = np.searchsorted(index.runs, asked, "right")
    held = (last > first) & (last - first <= _MOST_COMMON)
    first, last = first[held], last[held]
    sizes = last - first
    offsets = (
        np.repeat(first - np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes)
        if len(sizes)
        else np.zeros(0, np.int64)
    )
    hits = np.arange(int(sizes.sum())) + offsets
    hits = hits.astype(np.int64)
    votes = np.bincount(index.owners[hits], index.weights[hits], minlength=len(index.lines))
    share: NDArray[np.float64] = votes / np.maximum(index.totals, 1e-9)
    return share
