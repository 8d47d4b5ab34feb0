"""What lines tell beside their words: direction, people who speak at once, long pauses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

from core.events import EventKind, SoundEvent
from core.speech import Line, Word, is_numbered
from core.time import clock

LINES_VERSION = "1"
"""Raised whenever anything else may be found in the same lines."""

LONG_PAUSE_S = 10
OVERLAP_S = 0.1
HEAD_S = 30
HEAD_SPOKEN_S = 20
TAIL_S = 10
LEAST = 0.15
NAMED, DRAFT = 0.5, 0.5
ACTION, CUT = 0.8, 0.7

# What is said on a set before the first line, as single words or in a row, and how much it says.
_CUES = (
    (re.compile(r"\b(?:sound )?(?:speed|speeding)\b"), 0.6, "speed"),
    (re.compile(r"\b(?:roll(?:ing)?(?: sound| camera)?|turn(?:ing)? over)\b"), 0.6, "rolling"),
    (re.compile(r"\btake (?:\d+|one|two|three|four|five|six|seven|eight|nine|ten)\b"), 0.6, "take"),
    (re.compile(r"\b(?:slate|marker|mark it|a mark|b mark|camera set|end ?board)\b"), 0.6, "slate"),
    (re.compile(r"\b(?:quiet please|last looks|first positions|stand ?by|settle)\b"), 0.4, "quiet"),
    (
        re.compile(r"\bscene (?:\d+\w?|one|two|three|four|five|six|seven|eight|nine)\b"),
        0.4,
        "scene",
    ),
    (re.compile(r"\bbackground action\b"), 0.6, "background"),
)
_PLAIN = re.compile(r"[^a-z0-9 ]")


def line_events(lines: Sequence[Line], frames: int, sample_rate: int) -> tuple[SoundEvent, ...]:
    """The events of a take's lines, by their start.

    lines: in source samples. frames: the length of the take. Notes name nobody and quote only
    the cues.
    """
    ordered = sorted(lines, key=lambda line: (line.start, line.end))
    found = (
        *direction(ordered, frames, sample_rate),
        *overlaps(ordered, sample_rate),
        *pauses(ordered, frames, sample_rate),
    )
    return tuple(sorted(found, key=lambda event: (event.start, event.end, event.kind)))


def pauses(lines: Sequence[Line], frames: int, sample_rate: int) -> tuple[SoundEvent, ...]:
    """Where nobody speaks for ten seconds or more between lines, or in the whole of a take."""
    least = LONG_PAUSE_S * sample_rate
    if not lines:
        if frames < least:
            return ()
        note = "nobody speaks in this take"
        return (SoundEvent(EventKind.SILENCE, 0, frames, None, 0.8, note),)
    found, at = [], lines[0].end
    for line in lines[1:]:
        if line.start - at >= least:
            note = f"nobody speaks for {clock(line.start - at, sample_rate)}"
            found.append(SoundEvent(EventKind.SILENCE, at, line.start, None, 0.8, note))
        at = max(at, line.end)
    return tuple(found)


def overlaps(lines: Sequence[Line], sample_rate: int) -> tuple[SoundEvent, ...]:
    """Where people that are told apart speak at once, for a tenth of a second or more."""
    edges = sorted({edge for line in lines for edge in (line.start, line.end)})
    runs: list[tuple[int, int, int]] = []
    for start, end in pairwise(edges):
        names = {line.speaker for line in lines if line.start <= start and line.end >= end}
        together = len(names - {""})
        if together < 2:
            continue
        if runs and runs[-1][1] == start:
            runs[-1] = (runs[-1][0], end, max(runs[-1][2], together))
        else:
            runs.append((start, end, together))
    return tuple(
        SoundEvent(EventKind.OVERLAP, start, end, None, 0.9, f"{together} people at once")
        for start, end, together in runs
        if end - start >= OVERLAP_S * sample_rate
    )


@dataclass(frozen=True)
class _Said:
    """A word with its line. text: in small letters, without punctuation."""

    text: str
    word: Word
    line: Line


def direction(lines: Sequence[Line], frames: int, sample_rate: int) -> tuple[SoundEvent, ...]:
    """What is said to the set rather than in the scene: up to `action`, and the last `cut`.

    Told by what is said and where only, so it is as uncertain as the words are: drafts count
    half, and so do lines of a person who wears a microphone.
    """
    said = [
        _Said(_PLAIN.sub("", word.text.lower().replace("-", " ")).strip(), word, line)
        for line in lines
        for word in line.words
    ]
    found = (_head(said, sample_rate), _tail(said, frames, sample_rate))
    return tuple(event for event in found if event is not None)


def _head(said: Sequence[_Said], sample_rate: int) -> SoundEvent | None:
    """What is said before the scene begins."""
    head, spoken = [], 0
    for item in said:
        spoken += item.word.end - item.word.start
        if item.word.start > HEAD_S * sample_rate or spoken > HEAD_SPOKEN_S * sample_rate:
            break
        head.append(item)
    cues: dict[str, tuple[float, int]] = {}
    text, at = "", []
    for number, item in enumerate(head):
        at += [number] * (len(item.text) + 1)
        text += item.text + " "
    for pattern, weight, name in _CUES:
        matches = list(pattern.finditer(text))
        if matches:
            cues[name] = (weight, at[matches[-1].end() - 1])
    for number, item in enumerate(head):
        # "Action" ends what its speaker says; amid a sentence it is a word like any other.
        last = number + 1 == len(head) or head[number + 1].word.start - item.word.end > (
            sample_rate // 4
        )
        if item.text == "action" and last:
            cues["action"] = (ACTION, number)
            break
    if "action" in cues:
        end = cues["action"][1]
        cues = {name: cue for name, cue in cues.items() if cue[1] <= end}
    if not cues:
        return None
    end = max(number for _, number in cues.values())
    return _told(head[: end + 1], cues)


def _tail(said: Sequence[_Said], frames: int, sample_rate: int) -> SoundEvent | None:
    """The call that ends a take: its last word, or said twice."""
    words = said
    while words and words[-1].text in ("thank", "you", "thanks", "check", "the", "gate", "reset"):
        words = words[:-1]
    if not words or words[-1].text != "cut" or words[-1].word.start < frames - TAIL_S * sample_rate:
        return None
    first = len(words) - 1
    while first > 0 and words[first - 1].text in ("cut", "and"):
        first -= 1
    return _told(words[first:], {"cut": (CUT, 0)})


def _is_named(speaker: str) -> bool:
    return bool(speaker) and not is_numbered(speaker)


def _told(words: Sequence[_Said], cues: dict[str, tuple[float, int]]) -> SoundEvent | None:
    """The words as direction, if enough speaks for it."""
    sure = sum(item.word.confidence for item in words) / len(words)
    confidence = (1 - prod(1 - weight for weight, _ in cues.values())) * sure
    confidence *= DRAFT if any(item.line.draft for item in words) else 1.0
    confidence *= 1.0 if not any(_is_named(item.line.speaker) for item in words) else NAMED
    if confidence < LEAST:
        return None
    first, last = min(item.word.start for item in words), max(item.word.end for item in words)
    note = "direction: " + ", ".join(cues)
    return SoundEvent(
        EventKind.DIRECTION, first, max(last, first + 1), None, round(confidence, 2), note
    )
