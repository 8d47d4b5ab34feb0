"""roomtone's own JSON: everything a list holds. docs/TRANSCRIPTS.md describes the schema."""

from __future__ import annotations

import json
from collections.abc import Sequence

from core.spotting import Spot, SpottingList, cleaned
from core.time import frames_to_timecode

SCHEMA = "roomtone-transcript"
VERSION = 1
"""Raised when a field changes its meaning or goes; new fields may come without."""


def serialise(lists: Sequence[SpottingList]) -> str:
    """Lists as one JSON document; places are samples of each list's own rate."""
    content = {"schema": SCHEMA, "version": VERSION, "lists": [_list(found) for found in lists]}
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _list(given: SpottingList) -> dict[str, object]:
    found = cleaned(given)
    fps = found.rate.fps
    return {
        "name": found.name,
        "clock": found.clock,
        "scene": found.scene,
        "take": found.take,
        "tape": found.tape,
        "sample_rate": found.sample_rate,
        "length": found.length,
        "frame_rate": f"{fps.numerator}/{fps.denominator}",
        "drop_frame": found.rate.drop,
        "start_timecode": found.timecode(0) if found.has_timecode else None,
        "reference": found.reference if found.has_timecode else None,
        "entries": [_entry(found, spot) for spot in found.spots],
    }


def _entry(found: SpottingList, spot: Spot) -> dict[str, object]:
    first, last = (frames_to_timecode(frame, found.rate) for frame in found.frames(spot))
    return {
        "kind": spot.kind,
        "speaker": spot.speaker,
        "text": spot.text,
        "start": spot.start,
        "end": spot.end,
        "timecode_in": first if found.has_timecode else None,
        "timecode_out": last if found.has_timecode else None,
        "confidence": round(spot.confidence, 4),
        "draft": spot.draft,
        "overlap": spot.overlap,
        "trimmed": spot.trimmed,
        "language": spot.language,
        "engine": spot.engine,
        "heard_in": spot.heard_in,
        "corrected": spot.corrected,
        "note": spot.note,
        "scene": spot.scene,
        "take": spot.take,
        "source": list(spot.source) if spot.source else None,
        "source_timecode": spot.source_timecode,
        "events": list(spot.events),
        "tracks": list(spot.tracks),
        "words": [
            {
                "text": word.text,
                "start": word.start,
                "end": word.end,
                "timecode": found.timecode(word.start) if found.has_timecode else None,
                "confidence": round(word.confidence, 4),
            }
            for word in spot.words
        ],
    }
