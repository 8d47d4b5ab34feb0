"""A line of a take as a person and as a program read it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from core.time import FrameRate, clock, samples_to_timecode
from db.search.closeness import Closeness

if TYPE_CHECKING:
    from db.catalogue import TakeLine

HOW_FOUND = {
    Closeness.EXACT: "as typed",
    Closeness.GOES_ON: "begins so",
    Closeness.WORDS: "all words",
    Closeness.STEMS: "other forms",
    Closeness.FUZZY: "typing error",
    Closeness.SOUND: "by sound",
    Closeness.SOME: "some words",
    Closeness.PART: "part by sound",
}
"""In what way a line holds what was searched for, for people."""


class InTake(Protocol):
    """What has a place in a take."""

    @property
    def sample_rate(self) -> int:
        """Of the take, in Hz."""
        ...

    @property
    def time_reference(self) -> int | None:
        """Samples since midnight of its first sample, or None."""
        ...

    @property
    def timecode_rate(self) -> FrameRate | None:
        """Of its timecode, or None."""
        ...


def timecode(found: InTake, start: int) -> str:
    """Source timecode of a sample of the take; minutes and seconds where it has none."""
    if found.time_reference is None or found.timecode_rate is None:
        return clock(start, found.sample_rate)
    return samples_to_timecode(found.time_reference + start, found.timecode_rate, found.sample_rate)


class NamedTake(InTake, Protocol):
    """A take as lists name it."""

    @property
    def name(self) -> str:
        """Its file's stem."""
        ...

    @property
    def scene(self) -> str:
        """Its scene."""
        ...

    @property
    def take(self) -> str:
        """Its number."""
        ...

    @property
    def tape(self) -> str:
        """Its sound roll."""
        ...

    @property
    def path(self) -> Path | None:
        """Where it was last seen."""
        ...

    @property
    def essence(self) -> str:
        """sha256 of its sound."""
        ...


def take_facts(found: NamedTake) -> dict[str, Any]:
    """The take that something is in, for JSON."""
    return {
        "take": found.name,
        "scene": found.scene,
        "take_number": found.take,
        "tape": found.tape,
        "file": None if found.path is None else str(found.path),
        "essence": found.essence,
        "sample_rate": found.sample_rate,
    }


def describe(found: TakeLine) -> dict[str, Any]:
    """A line with its take, for JSON: times in samples of the source file."""
    line = found.line
    return {
        **take_facts(found),
        "speaker": line.speaker,
        "overlap": line.overlap,
        "start": line.start,
        "end": line.end,
        "timecode": timecode(found, line.start),
        "text": line.text,
        "heard_text": line.heard_text,
        "corrected_by": line.corrected_by,
        "corrected_at": line.corrected_at,
        "engine": line.engine,
        "draft": line.draft,
        "language": line.language,
        "confidence": line.confidence,
        "heard_in": line.heard_in,
        "words": [
            {
                "text": word.text,
                "start": word.start,
                "end": word.end,
                "confidence": word.confidence,
            }
            for word in line.words
        ],
    }
