"""Marker text of Avid Media Composer: user, timecode, track, colour, comment, length in frames.

Six fields with tabs between them and no heading, as Media Composer's Markers window exports and
imports them. Markers lie on V1, which every sequence has.
"""

from __future__ import annotations

from core.cut import Marker
from core.spotting import SpottingList, Wanted, cleaned, markers, painter
from core.time import frames_to_timecode

USER = "roomtone"
TRACK = "V1"
COLORS = ("green", "blue", "cyan", "magenta", "yellow", "white")
EVENT_COLOR = "red"


def serialise(found: SpottingList, wanted: Wanted) -> str:
    """Lines and events as marker text; speakers have colours of their own, events are red."""
    found = cleaned(found)
    made = markers(found, wanted, painter(found, COLORS, EVENT_COLOR))
    return "".join(_row(found, marker) for marker in made)


def _row(found: SpottingList, marker: Marker) -> str:
    at = frames_to_timecode(found.first_frame + int(marker.at), found.rate)
    return f"{USER}\t{at}\t{TRACK}\t{marker.color}\t{marker.name}\t{int(marker.length)}\n"
