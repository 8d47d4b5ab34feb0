"""What is left of lines and turns when somebody was forgotten: pure arithmetic of stretches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from core.speech import Line, Turn

Stretches = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Tombstone:
    """That somebody was forgotten in a take.

    alone: where nobody else spoke, in source samples. is_meant: whether a name is theirs.
    """

    alone: Stretches
    is_meant: Callable[[str], bool]


def without(spans: Iterable[tuple[int, int]], others: Iterable[tuple[int, int]]) -> Stretches:
    """What the spans cover and the others do not, in order, joined where it touches."""
    taken = sorted((start, end) for start, end in others if end > start)
    found: list[tuple[int, int]] = []
    for start, end in joined(spans):
        at = start
        for low, high in taken:
            if high <= at or low >= end:
                continue
            if low > at:
                found.append((at, low))
            at = max(at, high)
        if at < end:
            found.append((at, end))
    return tuple(found)


def joined(spans: Iterable[tuple[int, int]]) -> Stretches:
    """The same stretches in order, those that overlap or touch as one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted((start, end) for start, end in spans if end > start):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def remaining_lines(lines: Sequence[Line], tombstones: Sequence[Tombstone]) -> tuple[Line, ...]:
    """The lines that may be kept: not those of the forgotten, nor their words in others' lines.

    A line is theirs if it has their name, or if at least half of it lies where they spoke alone;
    of another line the words whose middle lies there go.
    """
    alone = joined(span for stone in tombstones for span in stone.alone)
    kept = []
    for line in lines:
        if _is_theirs(line.speaker, line.start, line.end, alone, tombstones):
            continue
        words = tuple(
            word for word in line.words if not _inside((word.start + word.end) // 2, alone)
        )
        kept.append(line if words == line.words else replace(line, words=words))
    return tuple(kept)


def silent_lines(lines: Sequence[Line], tombstones: Sequence[Tombstone]) -> tuple[Line, ...]:
    """The lines with the words of those who are meant left out: that they spoke stays.

    What is theirs is found as in `remaining_lines`.
    """
    alone = joined(span for stone in tombstones for span in stone.alone)
    found = []
    for line in lines:
        mine = _is_theirs(line.speaker, line.start, line.end, alone, tombstones)
        words = tuple(
            word
            for word in line.words
            if not mine and not _inside((word.start + word.end) // 2, alone)
        )
        if words == line.words:
            found.append(line)
        else:
            found.append(replace(line, words=words, confidence=line.confidence if words else 0.0))
    return tuple(found)


def remaining_turns(turns: Sequence[Turn], tombstones: Sequence[Tombstone]) -> tuple[Turn, ...]:
    """The turns that may be kept, as with lines."""
    alone = joined(span for stone in tombstones for span in stone.alone)
    return tuple(
        turn
        for turn in turns
        if not _is_theirs(turn.speaker, turn.start, turn.end, alone, tombstones)
    )


def _is_theirs(
    speaker: str, start: int, end: int, alone: Stretches, tombstones: Sequence[Tombstone]
) -> bool:
    if speaker and any(stone.is_meant(speaker) for stone in tombstones):
        return True
    shared = sum(max(0, min(end, high) - max(start, low)) for low, high in alone)
    return bool(tombstones) and 2 * shared >= max(1, end - start)


def _inside(at: int, spans: Stretches) -> bool:
    return any(start <= at < end for start, end in spans)
