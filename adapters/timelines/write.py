"""One door for every timeline format that is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from adapters.timelines.named import MediaOfEvents
from core.cut import Cut

FORMATS = ("otio", "aaf", "edl", "xml", "rpp")
"""By their suffixes: OpenTimelineIO, AAF, CMX3600, Final Cut Pro 7 XML, REAPER."""


def write_cut(
    cut: Cut,
    media: MediaOfEvents,
    active: str,
    path: Path,
    provenance: Mapping[str, object],
    embed: bool = False,
) -> None:
    """Write a cut in the format of the path's suffix, whole or not at all.

    media: for an event's id, its media by name. active: the name that plays where an event has
    it. provenance: what OTIO keeps of where the file comes from. embed: an AAF holds the sound.
    Raises OutputError where the file can't be written, ValueError for another suffix.
    """
    kind = path.suffix.lower().lstrip(".")
    if kind == "otio":
        from adapters.timelines.otio import write as otio_write

        otio_write.write(cut, media, active, path, provenance)
    elif kind == "rpp":
        from adapters.timelines import reaper

        reaper.write(cut, media, path)
    elif kind == "aaf":
        from adapters.timelines.aaf import write as aaf_write

        aaf_write.write(cut, media, active, path, embed)
    elif kind == "edl":
        from adapters.timelines.edl import write as edl_write

        edl_write.write(cut, media, active, path)
    elif kind == "xml":
        from adapters.timelines.fcp7 import write as fcp7_write

        fcp7_write.write(cut, media, active, path)
    else:
        raise ValueError(f"{path.suffix} is no timeline format that is written.")
