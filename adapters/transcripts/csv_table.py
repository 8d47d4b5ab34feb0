"""CSV (RFC 4180): a row for each line or event, for spreadsheets and scripts."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from core.plain_text import cell
from core.spotting import Spot, SpottingList, cleaned
from core.time import frames_to_timecode, seconds_text

COLUMNS = (
    "List", "Kind", "Speaker", "Text", "In", "Out", "Start s", "Length s", "Start sample",
    "End sample", "Confidence", "Draft", "Overlap", "Trimmed", "Language", "Engine", "Heard in",
    "Note", "Scene", "Take", "Source In", "Source start sample", "Source end sample", "Events",
    "Tracks", "Corrected",
)  # fmt: skip


def serialise(lists: Sequence[SpottingList]) -> str:
    """Lists as a table with a heading, its rows ended with CR and LF.

    A text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for given in lists:
        found = cleaned(given)
        writer.writerows(_row(found, spot) for spot in found.spots)
    return text.getvalue()


def _row(found: SpottingList, spot: Spot) -> list[object]:
    first, last = (frames_to_timecode(frame, found.rate) for frame in found.frames(spot))
    source = spot.source or ("", "")
    cells = (
        found.name,
        spot.kind,
        spot.speaker,
        spot.text,
        first if found.has_timecode else "",
        last if found.has_timecode else "",
        seconds_text(max(0, spot.start), found.sample_rate),
        seconds_text(max(0, spot.end - spot.start), found.sample_rate),
        spot.start,
        spot.end,
        f"{spot.confidence:.3f}",
        *("yes" if said else "" for said in (spot.draft, spot.overlap, spot.trimmed)),
        spot.language,
        spot.engine,
        spot.heard_in,
        spot.note,
        spot.scene,
        spot.take,
        spot.source_timecode,
        *source,
        "; ".join(spot.events),
        "; ".join(spot.tracks),
        "yes" if spot.corrected else "",
    )
    return [cell(value) for value in cells]
