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
    lists. takes_only: whether it is about whole takes, also where a cut is exported.
    events: whether it holds events beside lines.
    """

    name: str
    suffix: str
    says: str
    write: Writer
    many: bool = False
    takes_only: bool = False
    events: bool = True


def _lists(sheets: Sequence[Sheet], style: Style) -> list[SpottingList]:
    return [style.wanted.of(sheet.found) for sheet in sheets]


def _only(sheets: Sequence[Sheet], style: Style) -> SpottingList:
    (found,) = _lists(sheets, style)
    return found


def _captions(write: Callable[[SpottingList, CaptionOptions, Wanted, bool], str]) -> Writer:
    return lambda sheets, how: write(
        _only(sheets, how), how.captions, how.wanted, how.from_timecode
    )


def _markers(write: Callable[[SpottingList, Wanted], str | bytes]) -> Writer:
    return lambda sheets, how: write(_only(sheets, how), how.wanted)


def _table(write: Callable[[Sequence[SpottingList]], str]) -> Writer:
    return lambda sheets, how: write(_lists(sheets, how))


def _ttml(sheets: Sequence[Sheet], style: Style) -> str:
    return ttml.serialise(_only(sheets, style), style.captions, style.wanted)


def _otio(sheets: Sequence[Sheet], style: Style) -> str:
    return otio_markers.serialise(_only(sheets, style), sheets[0].cut, style.wanted)


def _ale(sheets: Sequence[Sheet], style: Style) -> str:
    return ale.serialise(_lists(sheets, style), style.wanted)


_ALL = (
    Format("srt", ".srt", "SubRip captions", _captions(srt.serialise), events=False),
    Format("vtt", ".vtt", "WebVTT captions with voices", _captions(vtt.serialise), events=False),
    Format("ttml", ".ttml", "TTML captions (IMSC 1.1 text), exact frames", _ttml, events=False),
    Format("json", ".json", "everything there is", _table(own_json.serialise), True),
    Format("csv", ".csv", "a table for spreadsheets", _table(csv_table.serialise), True),
    Format("rttm", ".rttm", "who speaks when (NIST)", _table(rttm.serialise), True, events=False),
    Format("ctm", ".ctm", "words with times (NIST)", _table(ctm.serialise), True, events=False),
    Format("avid", ".markers.txt", "markers for Avid Media Composer", _markers(avid.serialise)),
    Format("resolve", ".markers.edl", "markers for Resolve", _markers(resolve_edl.serialise)),
    Format("otio", ".markers.otio", "the cut in OpenTimelineIO with markers", _otio),
    Format("ale", ".ale", "takes with their dialogue for an Avid bin", _ale, True, True),
    Format(
        "midi",
        ".markers.mid",
        "markers for Pro Tools and other workstations",
        _markers(midi.serialise),
    ),
    Format(
        "protools",
        ".session.txt",
        "markers as Pro Tools' session info text",
        _markers(session_text.serialise),
    ),
)
FORMATS: dict[str, Format] = {item.name: item for item in _ALL}
