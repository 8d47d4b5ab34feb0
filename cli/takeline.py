"""A line of a take as a person and as a program read it."""

from __future__ import annotations

from typing import Any

from core.time import clock, samples_to_timecode
from db.catalogue import TakeLine


def timecode(found: TakeLine, start: int) -> str:
    """Source timecode of a sample of the take; minutes and seconds where it has none."""
    if found.time_reference is None or found.timecode_rate is None:
        return clock(start, found.sample_rate)
    return samples_to_timecode(found.time_reference + start, found.timecode_rate, found.sample_rate)


def describe(found: TakeLine) -> dict[str, Any]:
    """A line with its take, for JSON: times in samples of the source file."""
    line = found.line
    return {
        "take": found.name,
        "scene": found.scene,
        "take_number": found.take,
        "tape": found.tape,
        "file": None if found.path is None else str(found.path),
        "essence": found.essence,
        "sample_rate": found.sample_rate,
        "speaker": line.speaker,
        "start": line.start,
        "end": line.end,
        "timecode": timecode(found, line.start),
        "text": line.text,
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
