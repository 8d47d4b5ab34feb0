"""Which voices of several takes are one: so that an actor is one speaker in every take.

Voices are joined closest first, by the cosine of their mean voiceprints (average linkage). The
result depends on what is there, not on the order in which it came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAME_VOICE = 0.80
"""Cosine from which two voices are one. The equal error of pairs from different recordings lies
at 0.71 to 0.73; one in a thousand pairs of different voices reaches 0.80. A wrong name is worse
than none."""

MARGIN = 0.05
"""How much closer a voice must be to one known speaker than to the next."""

_LONGEST_S = 30.0


@dataclass(frozen=True)
class TakeVoice:
    """A voice in a take.

    take: what names the take; empty for an enrolled voice. speaker: its number where that is
    known, else None. seconds: that went into the print. print: unit vector.
    """

    take: str
    speaker: int | None
    seconds: float
    print: NDArray[np.float32]


def same_voices(voices: Sequence[TakeVoice]) -> tuple[int, ...]:
    """The group, counted from 0, of each voice.

    Known voices of one speaker are one group, and two known speakers never are. Two voices that
    a take has apart stay apart, unless both are a known speaker's by what is known of it from
    elsewhere: then one voice was taken for two there.
    """
    groups: list[list[int]] = []
    known: dict[int, int] = {}
    for index, voice in enumerate(voices):
        if voice.speaker is not None and voice.speaker in known:
            groups[known[voice.speaker]].append(index)
            continue
        if voice.speaker is not None:
            known[voice.speaker] = len(groups)
        groups.append([index])
    names = [voices[members[0]].speaker for members in groups]
    sums = np.stack([_sum(voices, members) for members in groups]) if groups else np.zeros((0, 1))
    takes = [{voices[index].take for index in members} - {""} for members in groups]
    refused: set[tuple[int, int]] = set()
    similar = _similar(sums)
    while True:
        pair = _closest(similar, names, takes, refused)
        if pair is None:
            break
        first, second = pair
        if not _clear(similar, names, first, second):
            refused.add(pair)
            continue
        if names[first] is None:
            names[first] = names[second]
        groups[first] += groups[second]
        takes[first] |= takes[second]
        sums[first] += sums[second]
        groups[second], takes[second], names[second] = [], set(), None
        sums[second] = 0.0
        similar[first] = similar[:, first] = _row(sums, first)
        similar[second] = similar[:, second] = -1.0
    groups = _with_parts(voices, [members for members in groups if members])
    numbers = [0] * len(voices)
    for number, members in enumerate(groups):
        for index in members:
            numbers[index] = number
    return tuple(numbers)


def _with_parts(voices: Sequence[TakeVoice], groups: list[list[int]]) -> list[list[int]]:
    """The groups, those of nobody known joined to the known speaker whose voice they are part of.

    Only what was known beforehand and elsewhere counts, so that one part of a voice doesn't bring
    in the next by their own likeness.
    """
    names = [_speaker(voices, members) for members in groups]
    joined = [list(members) for members in groups]
    for index, members in enumerate(groups):
        if names[index] is not None:
            continue
        takes = {voices[at].take for at in members}
        own = _sum(voices, members)
        alike = []
        for other, name in enumerate(names):
            known = [
                at
                for at in groups[other]
                if voices[at].speaker is not None and voices[at].take not in takes
            ]
            if name is not None and known:
                alike.append((_cosine(own, _sum(voices, known)), other))
        alike.sort(reverse=True)
        if not alike or alike[0][0] < SAME_VOICE:
            continue
        if len(alike) > 1 and alike[0][0] - alike[1][0] < MARGIN:
            continue
        joined[alike[0][1]] += members
        joined[index] = []
    return [members for members in joined if members]


def _speaker(voices: Sequence[TakeVoice], members: Sequence[int]) -> int | None:
    """The known speaker of a group."""
    return next((voices[at].speaker for at in members if voices[at].speaker is not None), None)


def _cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / max(lengths, 1e-12)


def _sum(voices: Sequence[TakeVoice], members: Sequence[int]) -> NDArray[np.float64]:
    """The prints of some voices, each for as long as it was heard (at most 30 s)."""
    total = np.zeros(len(voices[members[0]].print))
    for index in members:
        total += min(voices[index].seconds, _LONGEST_S) * voices[index].print.astype(np.float64)
    return total


def _similar(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    unit = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    similar: NDArray[np.float64] = unit @ unit.T
    np.fill_diagonal(similar, -1.0)
    return similar


def _row(sums: NDArray[np.float64], index: int) -> NDArray[np.float64]:
    """How similar a group is to each other one; -1 to itself and to groups that are no more."""
    lengths = np.linalg.norm(sums, axis=1)
    row: NDArray[np.float64] = sums @ sums[index] / np.maximum(lengths * lengths[index], 1e-12)
    row[lengths == 0] = -1.0
    row[index] = -1.0
    return row


def _closest(
    similar: NDArray[np.float64],
    names: Sequence[int | None],
    takes: Sequence[set[str]],
    refused: set[tuple[int, int]],
) -> tuple[int, int] | None:
    """The most similar pair of groups that may be one, the first in order where several are."""
    rows, columns = np.nonzero(np.triu(similar >= SAME_VOICE, 1))
    order = np.lexsort((columns, rows, -np.round(similar[rows, columns], 9)))
    for at in order:
        pair = int(rows[at]), int(columns[at])
        both_known = names[pair[0]] is not None and names[pair[1]] is not None
        if not both_known and pair not in refused and not takes[pair[0]] & takes[pair[1]]:
            return pair
    return None


def _clear(
    similar: NDArray[np.float64], names: Sequence[int | None], first: int, second: int
) -> bool:
    """Whether an unknown group is clearly closer to this known speaker than to another."""
    if (names[first] is None) == (names[second] is None):
        return True
    known, unknown = (second, first) if names[first] is None else (first, second)
    others = [
        similar[unknown, index]
        for index, name in enumerate(names)
        if name is not None and index != known
    ]
    return float(similar[unknown, known] - max(others, default=-1.0)) >= MARGIN
