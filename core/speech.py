"""Words, turns and lines of dialogue, placed in samples of the source file."""

from __future__ import annotations

from dataclasses import dataclass
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

    @property
    def text(self) -> str:
        """The words with single spaces between them."""
        return " ".join(word.text for word in self.words)
