"""The lines of a CMX3600 list as they are laid out: edits, motion memory, remarks.

Columns are CMX3600's: event, reel (8 characters), channels, transition, its frames, four times.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from adapters.timelines.edl.edits import AUXILIARY, BLACK, speed_of
from core.cut import GainPoint
from core.time import FrameRate, frames_to_timecode, round_half_up

_REEL = 8
_LONGEST = 900


@dataclass(frozen=True)
class Side:
    """What one edit line plays: a clip on its track, in whole frames since midnight.

    track: number of the record track. reel: as in the list. sources: channels from 1. record:
    its place, fades included. entry: source position at record's start (exact). url, file, name:
    empty where there is none.
    """

    track: int
    reel: str
    name: str
    file: str
    url: str
    sources: tuple[int, ...]
    record: tuple[int, int]
    entry: Fraction
    speed: Fraction
    gain_db: float
    pan: float | None
    automation: tuple[GainPoint, ...]

    def source_at(self, frame: int) -> int:
        """The source frame nearest to what a record frame plays."""
        return round_half_up(self.entry + (frame - self.record[0]) * self.speed)


@dataclass(frozen=True)
class Line:
    """One edit line. side: None for black. length: frames of a dissolve, 0 for a cut."""

    side: Side | None
    length: int
    record: tuple[int, int]


def edit_lines(number: str, track: int, lines: Iterable[Line], rate: FrameRate) -> list[str]:
    """An event's edit lines, each with the `M2` line of its speed."""
    rows = []
    for line in lines:
        side = line.side
        first, last = _source(line)
        times = " ".join(frames_to_timecode(at, rate) for at in (first, last, *line.record))
        reel = side.reel if side is not None else BLACK[0]
        channel = "A" if track == 1 else f"A{track}"
        kind, length = ("D", f"{line.length:03d}") if line.length else ("C", "")
        rows.append(f"{number}  {reel:<8} {channel:<4}  {kind:<4} {length:<3} {times}")
        if side is not None and side.speed != 1:
            entry = frames_to_timecode(first, rate)
            rows.append(f"M2   {side.reel:<8}      {_fps(side.speed, rate):>6}{'':16}{entry}")
    return rows


def remarks(lines: Iterable[Line], rate: FrameRate) -> list[str]:
    """What is said of an event after its edit lines, the outgoing side first."""
    all_lines = list(lines)
    sides = [line.side for line in all_lines if line.side is not None]
    into = [line.side for line in all_lines if line.length and line.side is not None]
    out = [side for side in sides if side not in into]
    rows = []
    for word, named in (("FROM", out), ("TO", into)):
        rows += [f"* {word} CLIP NAME:  {plain(side.name)}" for side in named if side.name]
    rows += _mixes(sides) + _patches(sides)
    for line in all_lines:
        # The outgoing side's stand with its own line.
        if line.side is not None and (line.length or line.record[0] < line.record[1]):
            rows += _levels(line.side, rate)
    if any(side.file for side in sides):
        rows += [f"* SOURCE FILE: {plain(side.file) or '(NULL)'}" for side in sides]
    for word, named in (("FROM", out), ("TO", into)):
        rows += [f"* {word} FILE: {plain(side.url)}" for side in named if side.url]
    return rows


def short_reels(names: Iterable[str]) -> dict[str, str]:
    """For every reel a name of at most eight characters, no two alike; AX where there is none."""
    short: dict[str, str] = {"": AUXILIARY}
    taken = {AUXILIARY, *BLACK}
    for name in names:
        if name in short:
            continue
        stem = re.sub(r"[^A-Za-z0-9_.\-]", "_", name)
        made, number = stem[:_REEL], 0
        while made.upper() in taken:
            number += 1
            made = f"{stem[: _REEL - len(str(number))]}{number}"
        taken.add(made.upper())
        short[name] = made
    return short


def plain(text: str) -> str:
    """Text that fits one line of a list."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[:_LONGEST]).split())


def _source(line: Line) -> tuple[int, int]:
    """Source in and out, the earlier first; a freeze frame plays one frame."""
    if line.side is None:
        return 0, line.record[1] - line.record[0]
    ends = [line.side.source_at(at) for at in line.record]
    if not line.side.speed and line.record[1] > line.record[0]:
        ends[1] += 1
    return min(ends), max(ends)


def _fps(speed: Fraction, rate: FrameRate) -> str:
    """Frames a second of `M2`, to its tenth, such that it is read as the nearest speed."""
    tenths = round_half_up(speed * rate.nominal * 10)
    texts = []
    for near in (tenths, tenths - 1, tenths + 1):
        sign = "-" if near < 0 else ""
        texts.append(f"{sign}{abs(near) // 10:03d}.{abs(near) % 10}")
    return min(texts, key=lambda text: abs(speed_of(text, rate) - speed))


def _mixes(sides: list[Side]) -> list[str]:
    def says(side: Side) -> bool:
        # A lone key frame would be read as the clip's gain.
        return bool(side.gain_db) or side.pan is not None or len(side.automation) == 1

    if not any(says(side) for side in sides):
        return []
    return [
        f"* A{side.track} VOL =  {_decibels(side.gain_db)} DB{_pan(side.pan)}" for side in sides
    ]


def _decibels(level: float) -> str:
    text = f"{level:+.2f}"
    return text[:-1] if text.endswith("0") else text


def _pan(pan: float | None) -> str:
    if pan is None:
        return ""
    percent = round(abs(pan) * 100)
    return f"  PAN {'L' if pan < 0 else 'R'}{percent}" if percent else "  PAN MID"


def _patches(sides: list[Side]) -> list[str]:
    """Source channels, as many lines for either side of a dissolve."""
    if all(side.sources in ((), (side.track,)) for side in sides):
        return []
    own = [side.sources or (side.track,) for side in sides]
    count = max(len(sources) for sources in own)
    return [
        f"* PATCH {side.reel}:  FROM SOURCE {source} TO RECORD {side.track}"
        for side, sources in zip(sides, own, strict=True)
        for source in (*sources, *[sources[-1]] * (count - len(sources)))
    ]


def _levels(side: Side, rate: FrameRate) -> list[str]:
    """Key frames, at source time; a freeze frame's at record time, as its source stands."""
    rows = []
    for point in side.automation:
        at = side.record[0] + point.at
        if side.speed:
            at = side.entry + point.at * side.speed
        timecode = frames_to_timecode(round_half_up(at), rate)
        level = f"{point.gain_db + 0.0:.2f}"
        rows.append(f"* AUDIO LEVEL AT {timecode} IS {level} DB  (REEL {side.reel} A{side.track})")
    return rows
