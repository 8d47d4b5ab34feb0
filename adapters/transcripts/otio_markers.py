"""OpenTimelineIO: the cut itself, or a clip of the take, with the lines as markers."""

from __future__ import annotations

from dataclasses import replace

from adapters.timelines.otio import write as otio_write
from core.cut import Cut
from core.spotting import SpottingList, Wanted, cleaned, markers, painter

COLORS = ("GREEN", "BLUE", "CYAN", "MAGENTA", "YELLOW", "ORANGE", "PURPLE", "PINK")
EVENT_COLOR = "RED"


def serialise(found: SpottingList, cut: Cut, wanted: Wanted) -> str:
    """The cut with its own markers and those of the list, as the text of an `.otio` file.

    cut: counts as the list does.
    """
    found = cleaned(found)
    made = markers(found, wanted, painter(found, COLORS, EVENT_COLOR))
    marked = replace(cut, markers=(*cut.markers, *made))
    return otio_write.serialise(otio_write.to_otio(marked, {}, "")) + "\n"
