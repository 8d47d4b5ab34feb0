"""Levels, pan and source channels in an EDL's remarks.

Avid writes `* A7 VOL =  +2.0 DB  PAN R100` and `* PATCH SR018:  FROM SOURCE 1 TO RECORD 3`, once
for each side of a dissolve, the outgoing side first. Final Cut Pro and Premiere write
`* AUDIO LEVEL AT 00:38:44:19 IS -8.98 DB  (REEL AX A1)`, a line for a key frame, at source time
(Final Cut Pro 7 User Manual, "EDL Notes": key frames are listed by the clip's timecode).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from adapters.timelines.edl.edit import Edit, Level, Mix
from adapters.timelines.edl.lines import Remark
from adapters.timelines.edl.times import Clock, frames
from core.errors import InputError

SILENCE_DB = -144.0
_MOST = 64
_DB = r"([+-]?\s*(?:[0-9]{1,4}(?:\.[0-9]{0,6})?|INF[A-Z]*|OO))\s*DB"
_LEVEL = re.compile(r"(\S+)\s+IS\s+" + _DB, re.IGNORECASE)
_REEL = re.compile(r"\(REEL\s([^()]*)\)", re.IGNORECASE)
_VOLUME = re.compile(r"A([0-9]{1,3})\s+VOL\s*=\s*" + _DB, re.IGNORECASE)
_PAN = re.compile(r"PAN\s+(?:([LR])\s*([0-9]{1,3})|MID|C\b)", re.IGNORECASE)
_PATCH = re.compile(r"FROM SOURCE\s+A?([0-9]{1,3})\s+TO RECORD\s+A?([0-9]{1,3})", re.IGNORECASE)

Known = dict[tuple[int, str, int], Mix]
"""The last `VOL` by track, reel and the frame where the clip ended."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What one remark says of a track (0 where it names none): a mix, a level, a source channel."""

    line: int
    track: int
    value: Mix | Level | int
    reel: str = ""


@dataclass(frozen=True, slots=True)
class _Sides:
    """The edits of an event on a track: what a transition leaves, or plain cuts; what it enters."""

    out: list[Edit]
    into: list[Edit]


_Own = dict[tuple[int, int], list[Mix | Level | int]]
"""What is said of an edit on a track, by its line and the track."""


def mixed(
    edits: Sequence[Edit],
    remarks: Sequence[Remark],
    counted: tuple[Clock, bool],
    known: Known,
) -> tuple[list[Edit], list[str]]:
    """The edits of one event with what its remarks say of levels and channels; and warnings.

    counted: the cut's clock, and whether drop frame is in force. known: what clips before said,
    to tell whose a lone `VOL` of a dissolve is; this event's are added.
    """
    said, warnings = _read(remarks, counted)
    if said:
        sides = _sides(edits)
        own: _Own = {}
        for track, items in _by_track(said, tuple(sides)).items():
            if track not in sides:
                warnings.append(
                    f"Line {items[0].line}: this is of A{track}, which the event does not record; "
                    "it is left out."
                )
            else:
                _give(items, sides[track], track, known, own)
        edits = [_with(edit, own) for edit in edits]
        for edit in edits:
            for item in edit.audio:
                if item.mix is not None:
                    known[item.track, edit.media.reel, edit.times.record_out] = item.mix
    return list(edits), warnings


def _with(edit: Edit, own: _Own) -> Edit:
    audio = []
    for item in edit.audio:
        said = own.get((edit.line, item.track), [])
        audio.append(
            replace(
                item,
                sources=tuple(dict.fromkeys(x for x in said if isinstance(x, int))),
                mix=next((x for x in said if isinstance(x, Mix)), None),
                levels=tuple(x for x in said if isinstance(x, Level)),
            )
        )
    return replace(edit, audio=tuple(audio))


def _sides(edits: Sequence[Edit]) -> dict[int, _Sides]:
    sides: dict[int, _Sides] = {}
    for edit in edits:
        for item in edit.audio:
            there = sides.setdefault(item.track, _Sides([], []))
            (there.into if edit.blends else there.out).append(edit)
    return sides


def _by_track(said: Sequence[_Said], tracks: Sequence[int]) -> dict[int, list[_Said]]:
    """What is said, by track; what names none, or one that is not there, is of an only track."""
    found: dict[int, list[_Said]] = {}
    for item in said:
        only = len(tracks) == 1 and (item.track == 0 or isinstance(item.value, Level))
        found.setdefault(tracks[0] if only else item.track, []).append(item)
    return found


def _give(said: Sequence[_Said], sides: _Sides, track: int, known: Known, own: _Own) -> None:
    """Give what is said of a track to the edits it is meant for, by their lines."""
    mixes = [item for item in said if isinstance(item.value, Mix)][:2]
    patches = [item for item in said if isinstance(item.value, int)][:_MOST]
    levels = [item for item in said if isinstance(item.value, Level)]
    first = {item.line for item in patches[: (len(patches) + 1) // 2]}
    # Remarks of a fade from or to black are of the side that sounds.
    out, into = ([edit for edit in side if not edit.black] for side in (sides.out, sides.into))
    for item in (*mixes, *patches, *levels):
        if not (out and into):
            edits = [_nearest(out or into, item.line)] if out or into else []
        elif isinstance(item.value, Level):
            edits = [_nearest(into if _incoming(item, out, into) else out, item.line)]
        elif isinstance(item.value, Mix):
            edits = (
                out
                if item is mixes[0] and not _lone_incoming(mixes, out[0], track, known)
                else into
            )
        elif len(patches) == 1:
            edits = [*out, *into]
        else:
            edits = out if item.line in first else into
        for edit in edits:
            own.setdefault((edit.line, track), []).append(item.value)


def _nearest(edits: Sequence[Edit], line: int) -> Edit:
    return next((edit for edit in reversed(edits) if edit.line < line), edits[0])


def _lone_incoming(mixes: Sequence[_Said], out: Edit, track: int, known: Known) -> bool:
    """Whether a lone `VOL` of a dissolve is the incoming side's: the outgoing clip said another."""
    before = known.get((track, out.media.reel, out.times.record_in))
    return len(mixes) == 1 and before != mixes[0].value


def _incoming(item: _Said, out: Sequence[Edit], into: Sequence[Edit]) -> bool:
    def plays(edit: Edit) -> bool:
        return item.reel in ("", edit.media.reel or "AX")

    return any(plays(edit) for edit in into) or not any(plays(edit) for edit in out)


def _read(remarks: Sequence[Remark], counted: tuple[Clock, bool]) -> tuple[list[_Said], list[str]]:
    said: list[_Said] = []
    warnings: list[str] = []
    for remark in remarks:
        reader = _READERS.get(remark.kind)
        if reader is not None:
            item = reader(remark, counted)
            if item is None:
                warnings.append(f"Line {remark.line} was not understood: {remark.text[:80]!r}.")
            else:
                said.append(item)
    return said, warnings


def _volume(remark: Remark, _counted: tuple[Clock, bool]) -> _Said | None:
    match = _VOLUME.match(remark.text)
    if match is None:
        return None
    mix = Mix(_decibels(match[2]), _pan(remark.text[match.end() :]))
    return _Said(remark.line, int(match[1]), mix)


def _patch(remark: Remark, _counted: tuple[Clock, bool]) -> _Said | None:
    match = _PATCH.search(remark.text)
    if match is None or int(match[1]) == 0:
        return None
    return _Said(remark.line, int(match[2]), int(match[1]))


def _level(remark: Remark, counted: tuple[Clock, bool]) -> _Said | None:
    match = _LEVEL.match(remark.text)
    if match is None:
        return None
    try:
        at = frames(match[1], *counted)
    except InputError:
        return None
    words = [word for found in _REEL.findall(remark.text)[:1] for word in found.split()]
    track = 0
    if words and re.fullmatch(r"A[0-9]{1,3}", words[-1], re.IGNORECASE):
        track = int(words.pop()[1:])
    return _Said(remark.line, track, Level(remark.line, at, _decibels(match[2])), " ".join(words))


_READERS = {"volume": _volume, "patch": _patch, "level": _level}


def _decibels(text: str) -> float:
    plain = text.replace(" ", "").upper()
    if plain.lstrip("+-").startswith(("INF", "OO")):
        return SILENCE_DB
    return max(SILENCE_DB, float(plain)) + 0.0


def _pan(text: str) -> float | None:
    match = _PAN.search(text)
    if match is None:
        return None
    amount = min(int(match[2]), 100) / 100 if match[1] else 0.0
    return -amount if (match[1] or "").upper() == "L" and amount else amount
