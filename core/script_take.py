"""A take prepared for alignment, and what every step of it asks."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from core.readings import TakeSpeech
from core.script import plain_name, scene_likeness
from core.script_fit import Fit, fit
from core.script_index import ScriptIndex, flat, word_of_phones


@dataclass(frozen=True)
class PreparedTake:
    """A take prepared.

    known_scene: the script has a scene of its number. words: of each phone, its word. voices: of
    each word, who says it, as a plain name. edges: places among the phones where a turn begins
    or ends. pace: samples that a phone lasts.
    """

    speech: TakeSpeech
    known_scene: bool
    phones: NDArray[np.int8]
    words: NDArray[np.int32]
    voices: tuple[str, ...]
    edges: frozenset[int]
    pace: float


@dataclass(frozen=True)
class Placed:
    """A line and the said words (first, one past the last) that the alignment gives it."""

    line: int
    first: int
    last: int


def prepared(index: ScriptIndex, speech: TakeSpeech) -> PreparedTake:
    """A take prepared for a script."""
    lasting = [(word.end - word.start) / len(word.phones) for word in speech.words if word.phones]
    phones = [word.phones for word in speech.words]
    words = word_of_phones(phones)
    names = [plain_name(turn.speaker) for turn in speech.turns]
    turns = np.array([word.turn for word in speech.words])[words]
    inner = (np.flatnonzero(np.diff(turns)) + 1).tolist()
    return PreparedTake(
        speech=speech,
        known_scene=any(scene_likeness(n, speech.scene) for n in index.scenes),
        phones=flat(phones),
        words=words,
        voices=tuple(names[word.turn] for word in speech.words),
        edges=frozenset((0, *inner, len(words))),
        pace=median(lasting) if lasting else 1.0,
    )


def scene_evidence(scene: str, take: PreparedTake) -> float:
    """What a line's scene says for it (up to 1) or against it (down to -1)."""
    if not take.known_scene or not scene:
        return 0.0
    return 2 * scene_likeness(scene, take.speech.scene) - 1


def sizes_of(index: ScriptIndex, line: int) -> list[int]:
    """How many phones each word of a line has."""
    return [len(word) for word in index.lines[line].phones]


def fit_of(index: ScriptIndex, take: PreparedTake, line: int, first: int, last: int) -> Fit:
    """A line against the words first … last of a take."""
    inside = (take.words >= first) & (take.words < last)
    return fit(
        index.phones[line],
        index.words[line],
        take.phones[inside],
        take.words[inside] - first,
        (len(index.lines[line].phones), last - first),
    )


def turns_between(take: PreparedTake, first: int, last: int) -> list[tuple[int, int]]:
    """Stretches of words of one turn between two words."""
    found: list[tuple[int, int]] = []
    words = take.speech.words
    for k in range(first, last):
        if found and words[k].turn == words[k - 1].turn and found[-1][1] == k:
            found[-1] = (found[-1][0], k + 1)
        else:
            found.append((k, k + 1))
    return found
