"""Lines of dialogue: the words of a transcript given to who spoke them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from core.speech import Line, Turn, Word

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
) -> tuple[Line, ...]:
    """The lines of a transcript, in order of their starts; every word is in exactly one.

    words, turns: in samples at sample_rate Hz. A word goes to the turn it overlaps most (on a
    tie to the speaker of the word before), else to the nearest within 0.5 s, else to nobody
    (speaker ""). A line ends where the turn does, or at a pause over pause_s. A turn without
    words gives no line. A line's confidence is the mean of its words'.
    """
    longest_pause = round(pause_s * sample_rate)
    runs: list[list[_Owned]] = []
    for word, turn in _owned(words, turns, round(_REACH_S * sample_rate)):
        goes_on = (
            runs
            and runs[-1][-1][1] is turn
            and word.start - max(before.end for before, _ in runs[-1]) <= longest_pause
        )
        if goes_on:
            runs[-1].append((word, turn))
        else:
            runs.append([(word, turn)])
    return tuple(_line(run, engine, draft, language) for run in runs)


def _line(run: Sequence[_Owned], engine: str, draft: bool, language: str) -> Line:
    """A line of a run of words of one turn."""
    words = tuple(word for word, _ in run)
    turn = run[0][1]
    return Line(
        speaker=turn.speaker if turn else "",
        start=words[0].start,
        end=max(word.end for word in words),
        words=words,
        engine=engine,
        draft=draft,
        confidence=sum(word.confidence for word in words) / len(words),
        language=language,
    )


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
