"""CMX3600 edit decision lists, read in four steps.

`edl_lines` makes statements of lines, `edl_edits` (with `edl_times` and `edl_mix`) gives edits
the remarks that belong to them, `edl_tracks` lays edits on tracks, and this module makes the cut.

What an EDL leaves open, and how it is taken:
- It names no frame rate: the caller gives it. `FCM:` says whether timecode drops frames.
- A channel (`A`, `A2`, `AA`, `A12`) is a record track, and without a `PATCH` remark also the
  channel of the source (A2 is the second).
- Source and record lengths differ in real dialogue EDLs: the record length wins.
- Black (`BL`) is silence; it counts for the length of the cut and is no event.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from adapters.timelines.edl.edit import Edit
from adapters.timelines.edl.edits import edits_of
from adapters.timelines.edl.lines import (
    EditLine,
    Remark,
    Statement,
    read_text,
    shortened,
    statements,
)
from adapters.timelines.edl.times import Clock, clock, counting, frames
from adapters.timelines.edl.tracks import mismatches, tracks_of
from core.cut import Cut, Marker
from core.errors import InputError
from core.time import FrameRate

_MAX_FPS = 1_000
_MAX_WARNINGS = 1_000
_MAX_MARKERS = 10_000
_EVENING, _MORNING = 18, 6
_RESOLVE = re.compile(r"\|C:(?:ResolveColor)?([^|]*)\|M:([^|]*)(?:\|D:\s*([0-9]{1,9}))?")


def read(path: Path, rate: FrameRate) -> Cut:
    """Read a CMX3600 EDL into a cut.

    path: the list. rate: frames a second of its timecode; its `drop` is overridden by the `FCM`
    statements of the list, or by `;` before the frames. Picture is kept as a track of its own.
    Raises InputError where the file is no EDL or has no event.
    """
    if not 1 <= rate.nominal <= _MAX_FPS:
        raise InputError(f"{path} can't be counted at {rate} frames a second; give its frame rate.")
    text = read_text(path)
    found = statements(text, path)
    counted, warnings = counting(found, rate)
    warnings += [
        f"Line {line} is over 1,000 characters; the rest of it is left out."
        for line in shortened(text)
    ]
    by = clock(counted)
    edits, said = edits_of(found, by, path)
    warnings += said + mismatches(edits)
    if not edits:
        why = warnings[0] if warnings else "is it a CMX3600 EDL with the audio exported?"
        raise InputError(f"{path} has no events that can be read: {why}")
    edits = _past_midnight(edits, by, warnings)
    start = min(edit.times.record_in for edit in edits)
    laid = tracks_of(edits, start, counted, _names(found))
    if not any(track.kind == "audio" for track in laid.tracks):
        warnings.append("The list has no sound, only picture or black.")
    end = max(
        [edit.times.record_out - start for edit in edits]
        + [int(event.record_end) for track in laid.tracks for event in track.events]
    )
    markers = _markers(found, by, start, warnings)
    warnings += laid.warnings
    if len(warnings) > _MAX_WARNINGS:
        more = len(warnings) - _MAX_WARNINGS
        warnings = [*warnings[:_MAX_WARNINGS], f"{more:,} more warnings are not shown."]
    return Cut(
        name=next((t for t in _texts(found, "title") if t), path.stem),
        rate=counted,
        start=start,
        length=Fraction(end),
        tracks=laid.tracks,
        markers=markers,
        warnings=tuple(warnings),
    )


def _texts(found: Sequence[Statement], kind: str) -> list[str]:
    return [item.text for item in found if isinstance(item, Remark) and item.kind == kind]


def _names(found: Sequence[Statement]) -> dict[int, str]:
    """Names of audio tracks by number, from `* TRACK A1: …` as edl_write puts them."""
    names: dict[int, str] = {}
    for text in _texts(found, "track"):
        number, _, name = text.partition(":")
        if name.strip() and name.strip() not in names.values():
            names[int(number[1:])] = name.strip()
    return names


def _past_midnight(edits: list[Edit], by: Clock, warnings: list[str]) -> list[Edit]:
    """A list that starts in the evening and goes on after midnight, made one stretch."""
    hour = by.day // 24
    ins = [edit.times.record_in for edit in edits]
    evening = any(at >= _EVENING * hour for at in ins)
    morning = any(at < _MORNING * hour for at in ins)
    if not (evening and morning) or any(_MORNING * hour <= at < _EVENING * hour for at in ins):
        return edits
    warnings.append("The record passes midnight; what is before 06:00 is taken as the next day.")
    return [
        replace(
            edit,
            times=replace(
                edit.times,
                record_in=edit.times.record_in + by.day,
                record_out=edit.times.record_out + by.day,
            ),
        )
        if edit.times.record_in < _MORNING * hour
        else edit
        for edit in edits
    ]


def _markers(
    found: Sequence[Statement], by: Clock, start: int, warnings: list[str]
) -> tuple[Marker, ...]:
    """Locators (`* LOC: 01:00:01:14 RED  note`) and markers as Resolve lists them."""
    markers: list[Marker] = []
    line: EditLine | None = None
    for item in found:
        if isinstance(item, EditLine):
            line = item
        elif item.kind in ("locator", "marker") and len(markers) == _MAX_MARKERS:
            warnings.append(f"Line {item.line}: only {_MAX_MARKERS:,} markers are kept.")
            break
        elif item.kind in ("locator", "marker"):
            try:
                marker = _locator(item, by) if item.kind == "locator" else _resolve(item, line, by)
            except InputError as fault:
                warnings.append(f"Line {item.line}: {fault} The marker is left out.")
                continue
            at = marker.at - start
            markers.append(replace(marker, at=at if at > -by.day // 2 else at + by.day))
    return tuple(markers)


def _locator(remark: Remark, by: Clock) -> Marker:
    words = remark.text.split(maxsplit=2)
    if not words:
        raise InputError("A locator has no timecode.")
    at = Fraction(frames(words[0], by, by.rate.drop))
    color, name = (words[1:2] or [""])[0], (words[2:3] or [""])[0]
    return Marker(at=at, name=name, color=color)


def _resolve(remark: Remark, line: EditLine | None, by: Clock) -> Marker:
    match = _RESOLVE.match(remark.text)
    if match is None or line is None:
        raise InputError(f"{remark.text[:80]!r} is no marker.")
    return Marker(
        at=Fraction(frames(line.times[2], by, by.rate.drop)),
        name=match[2].strip(),
        length=Fraction(int(match[3] or 0)),
        color=match[1].strip(),
    )
