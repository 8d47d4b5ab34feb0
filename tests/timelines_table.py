"""The table of docs/TIMELINES.md: what each real timeline gives. Run it to print the rows anew."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from adapters.timelines.read import SUFFIXES, read_cut
from core.cut import Cut
from core.errors import InputError
from core.time import RATES

EDL_RATES = {"25fps": "25", "timecode_mismatch": "25"}
"""Those that are not at 24 frames a second."""


def rows(folder: Path) -> Iterator[str]:
    """A row of the table for every timeline below a folder, in order of their paths."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES:
            name = path.relative_to(folder).as_posix()
            try:
                cut = read_cut(path, RATES[EDL_RATES.get(path.stem, "24")])
            except InputError as fault:
                told = str(fault).replace(str(path), path.name)
                yield f"| {name} | | | | | | refused: {told} |"
                continue
            yield _row(name, cut)


def _row(name: str, cut: Cut) -> str:
    events = [event for track in cut.audio_tracks for event in track.events]
    picture = [event for track in cut.tracks if track.kind != "audio" for event in track.events]
    channels = sorted({channel + 1 for event in events for channel in event.channels})
    # The incoming side counts: every dissolve has one.
    fades = sum(event.fade_in is not None for event in events + picture)
    speeds = sum(event.speed != 1 or event.variable_speed for event in events + picture)
    warnings = len(cut.warnings)
    first = f": {cut.warnings[0]}" if warnings else ""
    said = first.replace("|", "\\|") if len(first) <= 150 else first[:147].replace("|", "\\|") + "…"
    cells = [
        name,
        f"{len(events)} + {len(picture)}",
        f"{len(cut.audio_tracks)} + {len(cut.tracks) - len(cut.audio_tracks)}",
        ", ".join(map(str, channels)) or "not said",
        str(fades),
        str(speeds),
        f"{warnings}{said}",
    ]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    print("\n".join(rows(Path(sys.argv[1]))))
