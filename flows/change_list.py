"""A change list for people and for other programs: table, change EDL, marked timeline, picture."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from adapters.media.whole import write_text
from core.cut import Cut, Event, Marker
from core.match import clock_rate
from core.plain_text import cell
from core.reconform import Change, ChangeList, Kind
from core.recut import record_map, recut
from flows.pages import filled
from flows.pictures import record_range, timecode
from flows.references import placed

COLOURS: Mapping[Kind, str] = {
    Kind.KEPT: "WHITE",
    Kind.MOVED: "BLUE",
    Kind.TRIMMED: "ORANGE",
    Kind.EXTENDED: "CYAN",
    Kind.RETIMED: "MAGENTA",
    Kind.ADDED: "GREEN",
    Kind.REMOVED: "RED",
}
"""Colours of markers, as OpenTimelineIO names them."""

_LANE, _GAP, _AXIS, _BETWEEN = 26, 6, 22, 30
_LABEL_PX = 6.6


@dataclass(frozen=True)
class Row:
    """A change as it stands in a table. Timecodes are empty where a version has no such event.

    words: what changed. shift, head, tail: frames of the new cut.
    """

    number: int
    kind: str
    words: str
    medium: str
    media: str
    old_event: str
    old_in: str
    old_out: str
    old_source_in: str
    old_source_out: str
    new_event: str
    new_in: str
    new_out: str
    new_source_in: str
    new_source_out: str
    shift: float
    head: float
    tail: float
    reordered: bool
    changed: str


@dataclass(frozen=True)
class Block:
    """An event in the picture, in pixels. fits: characters of a label that there is room for."""

    number: int
    kind: str
    title: str
    x: float
    width: float
    fits: int


@dataclass(frozen=True)
class Lane:
    """A track in the picture. version: `old` or `new`. top: pixels."""

    name: str
    version: str
    top: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Link:
    """A line from an old event to what it became, in pixels."""

    number: int
    kind: str
    title: str
    x1: float
    y1: int
    x2: float
    y2: int


@dataclass(frozen=True)
class Picture:
    """Both versions as tracks above each other on one time axis. lane: height of a track."""

    width: int
    height: int
    lane: int
    lanes: tuple[Lane, ...]
    links: tuple[Link, ...]
    ticks: tuple[tuple[float, str], ...]


def rows(found: ChangeList) -> tuple[Row, ...]:
    """The table of a change list, in its order."""
    return tuple(_row(found, number, change) for number, change in enumerate(found.changes, 1))


def summary(found: ChangeList) -> tuple[str, ...]:
    """What changed, a line a kind; events that only moved are counted by how far."""
    lines = []
    for kind in Kind:
        count = len(found.of(kind))
        if count and kind is not Kind.MOVED:
            also = sum(bool(change.changed) for change in found.of(kind))
            more = f" ({also} changed in other ways)" if also and kind is Kind.KEPT else ""
            lines.append(f"{count} {kind}{more}")
        elif count:
            lines += [f"{n} moved by {_signed(shift)} frames" for shift, n in found.ripples]
            slipped = sum(change.slipped for change in found.of(kind))
            lines += [f"{slipped} slipped"] if slipped else []
    return tuple(lines)


def in_words(change: Change) -> str:
    """What became of an event, as a phrase: `head trimmed by 6, moved by -6; gain 0 to -3 dB`."""
    told = ", ".join(_places(change)) or str(change.kind)
    return "; ".join((told, *_others(change)))


def _places(change: Change) -> Iterator[str]:
    old, new = change.old, change.new
    if change.kind is Kind.ADDED:
        yield f"added, its sound was in {old.id}" if old else "added"
        return
    if change.kind is Kind.REMOVED:
        yield f"removed, its sound is in {new.id}" if new else "removed"
        return
    if change.retimed and old and new:
        yield f"speed {float(old.speed):g} to {float(new.speed):g}"
        if old.record_length != new.record_length:
            yield f"record length {float(old.record_length):g} to {float(new.record_length):g}"
    if change.slipped:
        yield f"slipped by {_signed(change.shift)}"
        return
    for name, frames in (("head", change.head), ("tail", change.tail)):
        if frames and not change.retimed:
            yield f"{name} {'extended' if frames > 0 else 'trimmed'} by {float(abs(frames)):g}"
    if change.shift:
        yield f"moved by {_signed(change.shift)}" + (", in another order" * change.reordered)


def _others(change: Change) -> Iterator[str]:
    if change.old is None or change.new is None or change.kind in (Kind.ADDED, Kind.REMOVED):
        return
    for name in change.changed:
        match name:
            case "gain":
                yield f"gain {change.old.gain_db:g} to {change.new.gain_db:g} dB"
            case "track":
                yield f"track {change.old_track} to {change.new_track}"
            case "fade in" | "fade out":
                fades = [
                    event.fade_in if name == "fade in" else event.fade_out
                    for event in (change.old, change.new)
                ]
                yield f"{name} " + " to ".join(f"{float(f.length):g}" if f else "0" for f in fades)
            case "channels":
                numbers = (
                    "+".join(str(channel + 1) for channel in event.channels)
                    for event in (change.old, change.new)
                )
                yield f"channel {' to '.join(numbers)}"
            case _:
                yield f"{name} changed"


def _signed(frames: Fraction) -> str:
    return f"{float(frames):+g}"


def _row(found: ChangeList, number: int, change: Change) -> Row:
    old, new = change.old, change.new
    if change.kind is Kind.ADDED:
        old = None
    if change.kind is Kind.REMOVED:
        new = None
    event = new or old
    assert event is not None
    media = event.media
    return Row(
        number,
        str(change.kind),
        in_words(change),
        change.medium,
        media.name or media.file_name or media.reel,
        old.id if old else "",
        *_times(found.old, old),
        new.id if new else "",
        *_times(found.new, new),
        float(change.shift),
        float(change.head),
        float(change.tail),
        change.reordered,
        ", ".join(change.changed),
    )


def _times(cut: Cut, event: Event | None) -> tuple[str, str, str, str]:
    """Record in and out, source in and out; out is the frame just past what plays."""
    if event is None:
        return "", "", "", ""
    source_end = event.source_start + event.record_length * event.speed
    return (
        *record_range(cut, event),
        timecode(event.source_start, cut.rate),
        timecode(source_end, cut.rate),
    )


def write_csv(found: ChangeList, path: Path) -> None:
    """Write the table as CSV with a header. Raises OutputError.

    Text that a spreadsheet would run as a formula gets an apostrophe before it.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(Row.__dataclass_fields__)
    for row in rows(found):
        writer.writerow([cell(value) for value in vars(row).values()])
    write_text(path, text.getvalue())


def write_edl(found: ChangeList, path: Path) -> None:
    """Write a change EDL: from where in the old record each stretch of the new one comes.

    Source is the old record's timecode, the reel the old cut's name. Raises OutputError.
    """
    from adapters.timelines.edl import write as edl_write

    edl_write.write(recut(found, record_map(found), Fraction(0)), {}, "original", path)


def write_otio(found: ChangeList, folder: Path, path: Path) -> None:
    """Write the new cut with a marker for each change, coloured by its kind. Raises OutputError.

    folder: of the new cut, from which its relative references count.
    """
    from adapters.timelines.otio import write as otio_write

    markers = tuple(
        Marker(
            at=min(max(change.at, Fraction(0)), found.new.length),
            name=f"{row.number} {row.words}",
            note=f"{row.old_event or 'new'}: {row.media}",
            color=COLOURS[change.kind],
        )
        for row, change in zip(rows(found), found.changes, strict=True)
        if change.kind is not Kind.KEPT or change.changed
    )
    cut = replace(placed(found.new, folder), markers=(*found.new.markers, *markers))
    otio_write.write(cut, {}, "original", path, {})


def write_html(found: ChangeList, notes: tuple[str, ...], path: Path) -> None:
    """Write one page that shows both versions and the table; nothing is fetched. Raises
    OutputError. notes: what a person should know, a sentence each.
    """
    page = filled(
        "changes.html",
        old=found.old,
        new=found.new,
        picture=picture(found),
        rows=rows(found),
        summary=summary(found),
        counts=Counter(str(change.kind) for change in found.changes),
        kinds=[str(kind) for kind in Kind],
        notes=notes,
    )
    write_text(path, page.encode("utf-8", "replace").decode("utf-8"))


def picture(found: ChangeList) -> Picture:
    """Both versions in pixels: a page wide, and wider where a track has many events."""
    scale = _Scale(found)
    told = {row.number: f"{row.number}. {row.words}: {row.media}" for row in rows(found)}
    before: dict[str, tuple[int, Change]] = {}
    after: dict[str, tuple[int, Change]] = {}
    for number, change in enumerate(found.changes, 1):
        if change.old is not None and change.kind is not Kind.ADDED:
            before[change.old.id] = number, change
        if change.new is not None and change.kind is not Kind.REMOVED:
            after[change.new.id] = number, change
    lanes: list[Lane] = []
    top = _AXIS
    for version, cut, known in (("old", found.old, before), ("new", found.new, after)):
        for track in cut.tracks:
            events = [event for event in track.events if event.id in known]
            if not events:
                continue
            blocks = tuple(
                scale.block(version, event, *known[event.id], told[known[event.id][0]])
                for event in events
            )
            lanes.append(Lane(track.name, version, top, blocks))
            top += _LANE + _GAP
        top += _BETWEEN if version == "old" else 0
    return Picture(
        scale.width, top, _LANE, tuple(lanes), tuple(_links(found, lanes)), scale.ticks()
    )


def _links(found: ChangeList, lanes: list[Lane]) -> Iterator[Link]:
    """Lines between events that are not where they were."""
    places = {
        (lane.version, block.number): (block.x + block.width / 2, lane.top)
        for lane in lanes
        for block in lane.blocks
    }
    for number, change in enumerate(found.changes, 1):
        old, new = places.get(("old", number)), places.get(("new", number))
        if old and new and change.kind is not Kind.KEPT:
            kind = str(change.kind)
            yield Link(number, kind, in_words(change), old[0], old[1] + _LANE, new[0], new[1])


class _Scale:
    """Frames of either version as pixels from the earlier start."""

    def __init__(self, found: ChangeList) -> None:
        old, new = found.old, found.new
        self.new = new
        self.ratio = {"old": new.rate.fps / old.rate.fps, "new": Fraction(1)}
        apart = old.start / clock_rate(old, new) - new.start / clock_rate(new, old)
        self.origin = {"old": apart * new.rate.fps, "new": Fraction(0)}
        self.first = min(self.origin.values())
        end = max(new.length, self.origin["old"] + old.length * self.ratio["old"])
        self.length = max(end - self.first, Fraction(1))
        busiest = max((len(track.events) for cut in (old, new) for track in cut.tracks), default=0)
        self.width = min(16_000, max(1080, 16 * busiest))

    def x(self, version: str, frames: Fraction) -> float:
        """Pixels of a place in a version's record."""
        place = self.origin[version] + frames * self.ratio[version] - self.first
        return round(float(place / self.length) * self.width, 2)

    def block(self, version: str, event: Event, number: int, change: Change, title: str) -> Block:
        """An event in pixels; it stays visible in the picture of a feature."""
        left, right = self.x(version, event.record_start), self.x(version, event.record_end)
        width = max(round(right - left, 2), 1.5)
        kind = str(change.kind)
        return Block(
            number, kind, f"{event.id}, {title}", left, width, int((width - 4) / _LABEL_PX)
        )

    def ticks(self) -> tuple[tuple[float, str], ...]:
        """Marks of the new record's timecode, at whole seconds at least 110 pixels apart."""
        second = self.new.rate.nominal
        steps = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)
        wide = (n * second for n in steps if n * second / self.length * self.width >= 110)
        every = next(wide, steps[-1] * second)
        at = -((self.new.start + int(self.first)) % every) + int(self.first)
        found = []
        while at < self.first + self.length:
            if at >= self.first and (x := self.x("new", Fraction(at))) < self.width - 80:
                found.append((x, timecode(Fraction(self.new.start + at), self.new.rate)))
            at += every
        return tuple(found)
