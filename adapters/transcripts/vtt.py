"""WebVTT (W3C): captions with the speaker as a voice span, times in milliseconds."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from html import escape

from adapters.transcripts.srt import clock, start_seconds
from core.captions import CaptionOptions, captions
from core.spotting import SpottingList, Wanted, cleaned


def serialise(
    found: SpottingList, options: CaptionOptions, wanted: Wanted, from_timecode: bool = False
) -> str:
    """The lines of a list as WebVTT text; times as in SubRip (`srt.serialise`).

    Speakers stand in the voice span of each cue, not in its text.
    """
    found = cleaned(found)
    zero = start_seconds(found) if from_timecode else Fraction(0)
    blocks = ["WEBVTT\n"]
    for number, item in enumerate(captions(found, options, replace(wanted, speakers=False)), 1):
        first, last = (clock(zero + found.seconds(frame), ".") for frame in (item.start, item.end))
        text = "\n".join(escape(row, quote=False) for row in item.rows)
        if item.spot.speaker and wanted.speakers:
            text = f"<v {escape(item.spot.speaker, quote=False)}>{text}</v>"
        blocks.append(f"{number}\n{first} --> {last}\n{text}\n")
    return "\n".join(blocks)
