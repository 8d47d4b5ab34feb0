"""One door for every format that lines and events are exported in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from adapters.transcripts import (
    ale,
    avid,
    csv_table,
    ctm,
    midi,
    otio_markers,
    own_json,
    resolve_edl,
    rttm,
    session_text,
    srt,
    ttml,
    vtt,
)
from core.captions import CaptionOptions
from core.cut import Cut
from core.spotting import SpottingList, Wanted


@dataclass(frozen=True)
class Style:
    """How an export looks. from_timecode: SRT and VTT count from the start timecode."""

    wanted: Wanted = field(default_factory=Wanted)
    captions: CaptionOptions = field(default_factory=CaptionOptions)
    from_timecode: bool = False


@dataclass(frozen=True)
class Sheet:
    """A list to export, and its cut; of a take, a cut of one clip."""

    found: SpottingList
    cut: Cut


Writer = Callable[[Sequence[Sheet], Style], str | bytes]


@dataclass(frozen=True)
class Format:
    """A format.

    suffix: of its files. says: what it is for, for people. many: whether one file holds several
    lists. clock: `source` where it can only be about takes.
    """

    name: str
    suffix: str
    says: str
    write: Writer
    many: bool = False
    takes_only: bool = False


def _lists(sheets: Sequence[Sheet], style: Style) -> list[SpottingList]:
    return [style.wanted.of(sheet.found) for sheet in sheets]


def _only(sheets: Sequence[Sheet], style: Style) -> SpottingList:
    (found,) = _lists(sheets, style)
    return found


FORMATS: dict[str, Format] = {
    item.name: item
    for item in (
        Format(
            "srt",
            ".srt",
            "SubRip captions",
            lambda sheets, how: srt.serialise(
                _only(sheets, how), how.captions, how.wanted, how.from_timecode
            ),
        ),
        Format(
            "vtt",
            ".vtt",
            "WebVTT captions with voices",
            lambda sheets, how: vtt.serialise(
                _only(sheets, how), how.captions, how.wanted, how.from_timecode
            ),
        ),
        Format(
            "ttml",
            ".ttml",
            "TTML captions (IMSC 1.1 text), exact frames",
            lambda sheets, how: ttml.serialise(_only(sheets, how), how.captions, how.wanted),
        ),
        Format(
            "json",
            ".json",
            "everything, words in samples and timecode",
            lambda sheets, how: own_json.serialise(_lists(sheets, how)),
            many=True,
        ),
        Format(
            "csv",
            ".csv",
            "a table for spreadsheets",
            lambda sheets, how: csv_table.serialise(_lists(sheets, how)),
            many=True,
        ),
        Format(
            "rttm",
            ".rttm",
            "who speaks when (NIST)",
            lambda sheets, how: rttm.serialise(_lists(sheets, how)),
            many=True,
        ),
        Format(
            "ctm",
            ".ctm",
            "words with times (NIST)",
            lambda sheets, how: ctm.serialise(_lists(sheets, how)),
            many=True,
        ),
        Format(
            "avid",
            ".markers.txt",
            "markers for Avid Media Composer",
            lambda sheets, how: avid.serialise(_only(sheets, how), how.wanted),
        ),
        Format(
            "resolve",
            ".markers.edl",
            "markers for DaVinci Resolve",
            lambda sheets, how: resolve_edl.serialise(_only(sheets, how), how.wanted),
        ),
        Format(
            "otio",
            ".markers.otio",
            "the cut in OpenTimelineIO with markers",
            lambda sheets, how: otio_markers.serialise(
                _only(sheets, how), sheets[0].cut, how.wanted
            ),
        ),
        Format(
            "ale",
            ".ale",
            "takes with their dialogue for an Avid bin",
            lambda sheets, how: ale.serialise(_lists(sheets, how), how.wanted),
            many=True,
            takes_only=True,
        ),
        Format(
            "midi",
            ".markers.mid",
            "markers for Pro Tools and other workstations",
            lambda sheets, how: midi.serialise(_only(sheets, how), how.wanted),
        ),
        Format(
            "protools",
            ".session.txt",
            "markers as Pro Tools' session info text",
            lambda sheets, how: session_text.serialise(_only(sheets, how), how.wanted),
        ),
    )
}
