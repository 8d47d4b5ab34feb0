"""What a person says that a line says: laid over what was heard, word by word.

A correction belongs to a stretch of a take, not to a line: a later listening may end the lines
elsewhere. It is found again by overlap, as overrides are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import pairwise

from core.query import tokens
from core.speech import Line, Word

# An inserted word that has less room than this share of its neighbour takes room from it.
_LEAST_ROOM = 4

# Beyond this share of a line it is other words that stand outside of the corrected stretch.
_MUCH = 4


@dataclass(frozen=True)
class Correction:
    """The words of samples start … end of a take, as a person has them.

    number: names it. text: words with single spaces. by: who. at: when, ISO 8601 in UTC.
    """

    number: int
    essence: str
    start: int
    end: int
    text: str
    by: str
    at: str


def holders(correction: Correction, lines: Sequence[Line]) -> tuple[int, ...]:
    """Which lines of the take a correction is about: their places among the lines, in order.

    A line is meant where it shares more than half of the shorter of the two stretches: the one
    that is most alike (shared over joined stretch), and others of the same speaker.
    """
    alike: dict[int, float] = {}
    for place, line in enumerate(lines):
        shared = min(line.end, correction.end) - max(line.start, correction.start)
        lengths = (line.end - line.start, correction.end - correction.start)
        if shared > 0 and 2 * shared > min(lengths):
            alike[place] = shared / (sum(lengths) - shared)
    if not alike:
        return ()
    best = lines[max(alike, key=lambda place: alike[place])].speaker
    meant = (place for place in alike if lines[place].speaker == best)
    return tuple(sorted(meant, key=lambda place: lines[place].start))


def with_corrections(lines: Sequence[Line], corrections: Sequence[Correction]) -> tuple[Line, ...]:
    """All lines of a take as they were corrected, in the order given.

    corrections: in force, the oldest first: a later one goes over an earlier one. A line's words
    as heard stay in its `heard`; where none of them is left it is no draft any more.
    """
    made = list(lines)
    for correction in corrections:
        meant = holders(correction, lines)
        if not meant:
            continue
        for place, words, whole in _shared_out(correction, meant, made):
            line = made[place]
            made[place] = replace(
                line,
                words=words,
                heard=line.words if line.heard is None else line.heard,
                corrected_by=correction.by,
                corrected_at=correction.at,
                draft=line.draft and not whole,
                confidence=1.0 if whole else line.confidence,
            )
    return tuple(made)


def _shared_out(
    correction: Correction, meant: Sequence[int], lines: Sequence[Line]
) -> list[tuple[int, tuple[Word, ...], bool]]:
    """For each line that is meant its place, its words now, and whether they are all corrected."""
    before: list[Word] = []
    mended: list[Word] = []
    after: list[Word] = []
    mixed = set()
    start, end = correction.end, correction.start
    for place in meant:
        low, high = _covered(correction, lines[place])
        start, end = min(start, low), max(end, high)
        for word in lines[place].words:
            middle = (word.start + word.end) // 2
            some = before if middle < low else after if middle >= high else mended
            some.append(word)
            if some is not mended:
                mixed.add(place)
    start = max([start, *(word.end for word in before)])
    end = min([end, *(word.start for word in after)])
    words = [*before, *aligned(mended, correction.text, start, max(start, end)), *after]
    shared: list[list[Word]] = [[] for _ in meant]
    at = 0
    for word in words:
        middle = (word.start + word.end) // 2
        while at + 1 < len(meant) and middle >= lines[meant[at + 1]].start:
            at += 1
        line = lines[meant[at]]
        low = min(max(word.start, line.start), line.end)
        shared[at].append(replace(word, start=low, end=min(max(word.end, low), line.end)))
    return [
        (place, tuple(some), place not in mixed) for place, some in zip(meant, shared, strict=True)
    ]


def _covered(correction: Correction, line: Line) -> tuple[int, int]:
    """The stretch of a line that a correction is about.

    Another listening begins and ends the same line elsewhere: only where much more was heard than
    was corrected are words outside the stretch another's.
    """
    much = (line.end - line.start) // _MUCH
    low = line.start if correction.start - line.start <= much else correction.start
    high = line.end if line.end - correction.end <= much else correction.end
    return low, max(low, high)


def aligned(heard: Sequence[Word], text: str, start: int, end: int) -> tuple[Word, ...]:
    """The words of a text with places: equal words keep those of the heard ones.

    Words between them share the stretch between, by their letters. heard: in order, within
    samples start … end. The words follow each other and lie within start … end.
    """
    said = text.split()
    ours, theirs = [_folded(word) for word in said], [_folded(word.text) for word in heard]
    places: list[tuple[int, int]] = []
    matcher = SequenceMatcher(None, theirs, ours, autojunk=False)
    for kind, h0, h1, s0, s1 in matcher.get_opcodes():
        if kind == "equal" or (kind == "replace" and h1 - h0 == s1 - s0):
            places += [(word.start, word.end) for word in heard[h0:h1]]
        elif kind == "replace":
            places += _by_letters(said[s0:s1], heard[h0].start, heard[h1 - 1].end)
        elif kind == "insert":
            low = places[-1][1] if places else start
            high = heard[h1].start if h1 < len(heard) else end
            places += _inserted(said, s0, s1, places, low, high)
    made = []
    at = start
    for word, (low, high) in zip(said, places, strict=True):
        first = min(max(low, at), end)
        at = min(max(high, first), end)
        made.append(Word(word, first, at))
    return tuple(made)


def _inserted(
    said: Sequence[str], s0: int, s1: int, places: list[tuple[int, int]], low: int, high: int
) -> list[tuple[int, int]]:
    """Places of words that nobody heard, between low and high.

    Where there is hardly room the word before gives of its own, which then changes.
    """
    if places:
        first, last = places[-1]
        if (high - low) * _LEAST_ROOM < (last - first) * (s1 - s0):
            places[-1], *rest = _by_letters(said[s0 - 1 : s1], first, max(low, high))
            return rest
    return _by_letters(said[s0:s1], low, max(low, high))


def _by_letters(words: Sequence[str], start: int, end: int) -> list[tuple[int, int]]:
    """A stretch shared among words by the number of their letters."""
    ends = [0]
    for word in words:
        ends.append(ends[-1] + max(1, len(word)))
    places = [start + (end - start) * at // ends[-1] for at in ends]
    return list(pairwise(places))


def _folded(word: str) -> str:
    return " ".join(tokens(word)) or word
