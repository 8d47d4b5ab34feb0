"""Avid log exchange: a row for each take, with what is said in it in a column of its own.

Media Composer merges such a log into a bin by tape and start, or makes clips of it; `Dialogue`
and `Speakers` become columns of the bin.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import InputError
from core.spotting import LINE, SpottingList, Wanted, cleaned, named
from core.time import RATES, FrameRate, frames_to_timecode

COLUMNS = (
    "Name", "Tracks", "Start", "End", "Duration", "Tape", "Soundroll", "Scene", "Take",
    "Dialogue", "Speakers", "Comments",
)  # fmt: skip
_TRACKS = 8


def serialise(lists: Sequence[SpottingList], wanted: Wanted) -> str:
    """Takes as an ALE, its lines ended with CR and LF.

    Raises InputError where the takes' timecode runs at several rates: an ALE has one.
    """
    takes = [cleaned(found) for found in lists]
    rates = dict.fromkeys(found.rate for found in takes)
    if len(rates) > 1:
        told = ", ".join(str(rate) for rate in rates)
        raise InputError(
            f"An ALE has one frame rate, and the takes run at {told}; name them with --take."
        )
    rate = next(iter(rates), RATES["24"])
    rows = [
        "Heading",
        "FIELD_DELIM\tTABS",
        "VIDEO_FORMAT\t1080",
        f"AUDIO_FORMAT\t{_audio(takes)}",
        f"FPS\t{_fps(rate)}",
        "",
        "Column",
        "\t".join(COLUMNS),
        "",
        "Data",
        *("\t".join(_row(found, wanted)) for found in takes),
    ]
    return "\r\n".join([*rows, ""])


def _row(found: SpottingList, wanted: Wanted) -> tuple[str, ...]:
    first = found.first_frame
    last = found.frame(max(0, found.length - 1)) + 1
    spoken = [named(spot, wanted) for spot in found.lines if spot.words]
    events = [spot.label for spot in found.spots if spot.kind != LINE and spot.label]
    speakers = dict.fromkeys(spot.speaker for spot in found.lines if spot.speaker)
    return (
        found.name,
        "".join(f"A{number}" for number in range(1, min(_TRACKS, max(1, found.channels)) + 1)),
        frames_to_timecode(first, found.rate),
        frames_to_timecode(last, found.rate),
        # A length is no time of day: it counts without leaving numbers out.
        frames_to_timecode(last - first, FrameRate(found.rate.fps)),
        found.tape,
        found.tape,
        found.scene,
        found.take,
        " / ".join(spoken),
        ", ".join(speakers),
        " / ".join(events),
    )


def _audio(takes: Sequence[SpottingList]) -> str:
    rate = takes[0].sample_rate if takes else 48000
    return f"{rate / 1000:g}khz"


def _fps(rate: FrameRate) -> str:
    return f"{float(rate.fps):.3f}".rstrip("0").rstrip(".")
