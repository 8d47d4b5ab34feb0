"""Marker EDL of DaVinci Resolve: `Timelines > Import > Timeline Markers from EDL`.

Each marker is an event of one frame and a line `note |C:ResolveColorBlue |M:name |D:frames`. A
note that starts with a digit would read as the next event, so it gets a dash.
"""

from __future__ import annotations

from core.cut import Marker
from core.spotting import SpottingList, Wanted, cleaned, markers, painter
from core.time import frames_to_timecode

COLORS = ("Blue", "Green", "Cyan", "Yellow", "Pink", "Purple", "Sky", "Mint", "Lemon", "Sand")
EVENT_COLOR = "Red"
_BAR = str.maketrans("|", "¦")


def serialise(found: SpottingList, wanted: Wanted) -> str:
    """Lines and events as a marker EDL, its lines ended with CR and LF.

    Names are what is said; bars in a text, which part the fields, are replaced.
    """
    found = cleaned(found)
    made = markers(found, wanted, painter(found, COLORS, EVENT_COLOR))
    width = max(3, len(str(len(made))))
    rows = [
        f"TITLE: {found.name}",
        f"FCM: {'DROP' if found.rate.drop else 'NON-DROP'} FRAME",
        "",
    ]
    for number, marker in enumerate(made, 1):
        rows += [*_event(found, f"{number:0{width}d}", marker), ""]
    return "\r\n".join([*rows, ""])


def _event(found: SpottingList, number: str, marker: Marker) -> tuple[str, str]:
    frame = found.first_frame + int(marker.at)
    times = [frames_to_timecode(at, found.rate) for at in (frame, frame + 1)]
    note = marker.note.translate(_BAR).lstrip("* ")
    note = f"- {note}" if note[:1].isdigit() else note
    name = marker.name.translate(_BAR)
    return (
        f"{number}  001      V     C        {' '.join([*times, *times])}  ",
        f"{note} |C:ResolveColor{marker.color} |M:{name} |D:{int(marker.length)}",
    )
