"""Words, turns and lines of dialogue, placed in samples of the source file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

HeardIn = Literal["original", "cleaned"]
"""The sound in which something was understood: as recorded, or after cleaning."""


@dataclass(frozen=True)
class Word:
    """A word as heard. start, end: source samples. confidence: 0 to 1."""

    text: str
    start: int
    end: int
    confidence: float = 1.0


@dataclass(frozen=True)
class Turn:
    """A stretch in which one speaker speaks. start, end: source samples."""

    speaker: str
    start: int
    end: int


@dataclass(frozen=True)
class Line:
    """A speaker's utterance.

    start, end: source samples. engine: name of the recogniser (`faster-whisper small`).
    draft: made by a stand-in, to be redone when a real engine is there.
    speaker: a character's name, or `SPEAKER 1` where nobody is named; empty where unknown.
    heard_in: `cleaned` where words of the line were only understood in the cleaned sound.
    overlap: share of the line, 0 to 1, in which somebody else speaks as well.
    heard: the words as heard, where a person corrected them; else None. corrected_by, corrected_at:
    who did last, and when (ISO 8601 in UTC); else empty.
    """

    speaker: str
    start: int
    end: int
    words: tuple[Word, ...]
    engine: str
    draft: bool = False
    confidence: float = 1.0
    language: str = "en"
    heard_in: HeardIn = "original"
    overlap: float = 0.0
    heard: tuple[Word, ...] | None = None
    corrected_by: str = ""
    corrected_at: str = ""

    @property
    def text(self) -> str:
        """The words with single spaces between them."""
        return " ".join(word.text for word in self.words)

    @property
    def as_heard(self) -> Line:
        """The line with the words as heard, as if nobody had corrected it."""
        if self.heard is None:
            return self
        return replace(self, words=self.heard, heard=None, corrected_by="", corrected_at="")

    @property
    def heard_text(self) -> str:
        """The words as heard with single spaces between them."""
        return self.as_heard.text


def overlap(turn: Turn, turns: Sequence[Turn]) -> float:
    """Share of a turn in which somebody else speaks as well."""
    shared, at = 0, turn.start
    for other in sorted(turns, key=lambda item: item.start):
        if other.speaker == turn.speaker:
            continue
        start, end = max(at, other.start), min(turn.end, other.end)
        if end > start:
            shared += end - start
            at = end
    return shared / (turn.end - turn.start) if turn.end > turn.start else 0.0


def is_numbered(speaker: str) -> bool:
    """Whether a speaker has a number for a name: `SPEAKER 1`."""
    return re.fullmatch(r"SPEAKER \d+", speaker) is not None
