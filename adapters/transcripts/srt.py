"""SubRip (`.srt`): numbered captions with times in milliseconds.

There is no standard; players take `<…>` and `{\\…}` for styling, and `-->` parts the times, so
angle brackets and braces are replaced by characters that look alike.
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil

from core.captions import CaptionOptions, captions
from core.spotting import SpottingList, Wanted, cleaned

_LOOKALIKES = str.maketrans("<>{}", "‹›()")


def serialise(
    found: SpottingList, options: CaptionOptions, wanted: Wanted, from_timecode: bool = False
) -> str:
    """The lines of a list as SubRip text.

    Times count from the first sample; from_timecode: from the start timecode's hours, minutes
    and seconds, in seconds that are real ones. They are those of frames, rounded up to a
    millisecond, so that every reader finds the frame again.
    """
    found = cleaned(found)
    zero = start_seconds(found) if from_timecode else Fraction(0)
    blocks = []
    for number, item in enumerate(captions(found, options, wanted), 1):
        first, last = (clock(zero + found.seconds(frame), ",") for frame in (item.start, item.end))
        rows = "\n".join(row.translate(_LOOKALIKES) for row in item.rows)
        blocks.append(f"{number}\n{first} --> {last}\n{rows}\n")
    return "\n".join(blocks)


def start_seconds(found: SpottingList) -> Fraction:
    """The start timecode as seconds: 3600 for 01:00:00:00, also where those take longer."""
    hours, minutes, seconds, frames = map(int, re.split("[:;]", found.timecode(0)))
    return (hours * 60 + minutes) * 60 + seconds + Fraction(frames, found.rate.nominal)


def clock(seconds: Fraction, point: str) -> str:
    """Hours, minutes, seconds and milliseconds (rounded up): `01:02:03,004`."""
    milliseconds = ceil(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02d}:{minute:02d}:{rest // 1000:02d}{point}{rest % 1000:03d}"
