"""Lines of dialogue: the words of a transcript given to who spoke them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from core.speech import HeardIn, Line, Turn, Word, overlap

_REACH_S = Fraction(1, 2)

_Owned = tuple[Word, Turn | None]


def lines(
    words: Sequence[Word],
    turns: Sequence[Turn],
    engine: str,
    draft: bool,
    sample_rate: int,
    language: str,
    pause_s: float = 1.0,
    from_cleaned: Collection[Word] = (),
) -> tuple[Line, ...]:
    """The lines of a take, in order of their starts; every word is in exactly one.

    words, turns: in samples at sample_rate Hz. A word goes to the turn it overlaps most (on a
    tie to the speaker of the word before), else to the nearest within 0.5 s, else to nobody
    (speaker ""). The lines of a turn cover it from end to end: one line, or several that meet
    in the middle of each pause over pause_s between words. A turn in which no word was
    recognised is a line without words, of confidence 0. The overlap of a line is the share of it
    in which somebody else has a turn. Words of nobody make lines of their own, split at pauses.
    A line's confidence is the mean of its words'. from_cleaned: words
    that were only understood in the cleaned sound; a line with one of them says so.
    """
    longest_pause = round(pause_s * sample_rate)

    def line(speaker: str, run: Sequence[Word], start: int, end: int) -> Line:
        sure = sum(word.confidence for word in run) / len(run) if run else 0.0
        heard_in: HeardIn = "cleaned" if any(word in from_cleaned for word in run) else "original"
        return Line(speaker, start, end, tuple(run), engine, draft, sure, language, heard_in)

    of_turn: dict[int, list[Word]] = {index: [] for index in range(len(turns))}
    of_nobody: list[Word] = []
    places = {id(turn): index for index, turn in enumerate(turns)}
    for word, turn in _owned(words, turns, round(_REACH_S * sample_rate)):
        (of_nobody if turn is None else of_turn[places[id(turn)]]).append(word)
    found = [line("", run, run[0].start, _end(run)) for run in _runs(of_nobody, longest_pause)]
    for index, spoken in of_turn.items():
        turn = turns[index]
        runs = _runs(spoken, longest_pause) or [[]]
        cuts = [(_end(one) + two[0].start) // 2 for one, two in pairwise(runs)]
        starts = [min([turn.start, *(word.start for word in runs[0])]), *cuts]
        ends = [*cuts, max([turn.end, *(word.end for word in runs[-1])])]
        for run, start, end in zip(runs, starts, ends, strict=True):
            shared = overlap(Turn(turn.speaker, start, end), turns)
            found.append(replace(line(turn.speaker, run, start, end), overlap=shared))
    return tuple(sorted(found, key=lambda line: (line.start, line.end, line.speaker)))


def _runs(words: Sequence[Word], longest_pause: int) -> list[list[Word]]:
    """Words in order, split where nothing is said for longer than longest_pause samples."""
    runs: list[list[Word]] = []
    for word in words:
        if runs and word.start - _end(runs[-1]) <= longest_pause:
            runs[-1].append(word)
        else:
            runs.append([word])
    return runs


def _end(words: Sequence[Word]) -> int:
    """Where the last of some words ends."""
    return max(word.end for word in words)


def _owned(words: Sequence[Word], turns: Sequence[Turn], reach: int) -> Iterator[_Owned]:
    """Each word, in order of starts, with the turn it belongs to."""
    waiting = sorted(turns, key=lambda turn: (turn.start, turn.end))
    near: list[Turn] = []
    speaker = ""
    for word in sorted(words, key=lambda word: (word.start, word.end)):
        while waiting and waiting[0].start <= word.end + reach:
            near.append(waiting.pop(0))
        near = [turn for turn in near if turn.end >= word.start - reach]
        turn = _best(word, near, reach, speaker)
        speaker = turn.speaker if turn else ""
        yield word, turn


def _best(word: Word, near: Sequence[Turn], reach: int, speaker: str) -> Turn | None:
    """The turn with the most overlap (negative: the distance), at most reach away."""
    candidates = [
        (min(word.end, turn.end) - max(word.start, turn.start), turn.speaker == speaker, turn)
        for turn in near
        if turn.start <= word.end + reach
    ]
    candidates = [candidate for candidate in candidates if candidate[0] >= -reach]
    return max(candidates, key=lambda candidate: candidate[:2])[2] if candidates else None
