"""Spotting lists: what is said and what happens, with in and out points on one clock.

The clock is a take's (source) or a cut's (record). Every export is written from such a list.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from core.cut import Marker
from core.plain_text import one_line
from core.speech import Word
from core.time import FrameRate, frames_to_samples, frames_to_timecode, sample_to_frame

LINE = "line"
Clock = Literal["source", "record"]


@dataclass(frozen=True)
class Spot:
    """A line or an event between two points.

    start, end: samples from the first sample of the list's take or cut. words: with their own
    places on the same clock. kind: `line`, or the kind of an event (`slate`, `click`).
    label: what an event is called; a line has words instead. speaker: empty where unknown.
    draft: made by a stand-in. overlap: someone else speaks at the same time. heard_in:
    `original` or `cleaned` sound, of lines. corrected: a person gave the words. trimmed: the cut
    plays only a part of the line.
    take, scene: it comes from; source: its first sample there and one past its last. channel: of
    the take, from 0, where only one is meant. events, tracks: of the cut that play it. key: what
    names the recording.
    """

    start: int
    end: int
    speaker: str = ""
    words: tuple[Word, ...] = ()
    kind: str = LINE
    label: str = ""
    note: str = ""
    confidence: float = 1.0
    draft: bool = False
    overlap: bool = False
    trimmed: bool = False
    language: str = ""
    engine: str = ""
    heard_in: str = ""
    corrected: bool = False
    take: str = ""
    scene: str = ""
    source: tuple[int, int] | None = None
    channel: int | None = None
    source_timecode: str = ""
    events: tuple[str, ...] = ()
    tracks: tuple[str, ...] = ()
    key: str = ""

    @property
    def text(self) -> str:
        """What is said with single spaces, or what the event is called."""
        return " ".join(word.text for word in self.words) or self.label


@dataclass(frozen=True)
class SpottingList:
    """Lines and events of a take or a cut.

    name: of the take or cut. sample_rate: what spots count in, in Hz. length: samples in all.
    rate: of the timecode. reference: samples since midnight of the first sample, 0 where the
    take has no timecode. has_timecode:
    whether the take has any. scene, take, tape, channels: of a take.
    """

    name: str
    clock: Clock
    spots: tuple[Spot, ...]
    sample_rate: int
    length: int
    rate: FrameRate
    reference: int = 0
    has_timecode: bool = True
    scene: str = ""
    take: str = ""
    tape: str = ""
    channels: int = 1

    @property
    def lines(self) -> tuple[Spot, ...]:
        """What is said, without the events."""
        return tuple(spot for spot in self.spots if spot.kind == LINE)

    @property
    def first_frame(self) -> int:
        """Timecode, in frames since midnight, of the first sample."""
        return sample_to_frame(self.reference, self.rate.fps, self.sample_rate)

    def frame(self, sample: int) -> int:
        """The frame since midnight in which a sample of the list lies."""
        return sample_to_frame(self.reference + sample, self.rate.fps, self.sample_rate)

    def frames(self, spot: Spot | Word) -> tuple[int, int]:
        """First frame of a spot and one past its last, since midnight; one frame at least."""
        first = self.frame(spot.start)
        return first, max(first, self.frame(max(spot.start, spot.end - 1))) + 1

    def timecode(self, sample: int) -> str:
        """Timecode of the frame in which a sample lies."""
        return frames_to_timecode(self.frame(sample), self.rate)

    def seconds(self, frame: int) -> Fraction:
        """Seconds from the first sample to the start of a frame since midnight, at least 0."""
        fps = self.rate.fps
        first = frames_to_samples(self.first_frame, fps, self.sample_rate)
        on_frame = first == self.reference
        zero = self.first_frame / fps if on_frame else Fraction(self.reference, self.sample_rate)
        return max(Fraction(0), frame / fps - zero)


def in_order(spots: Iterable[Spot]) -> tuple[Spot, ...]:
    """Spots by start, then end; those that are alike in both stay as they were."""
    return tuple(sorted(spots, key=lambda spot: (spot.start, spot.end)))


def with_overlaps(spots: Sequence[Spot]) -> tuple[Spot, ...]:
    """Spots by start, with lines marked during which another speaker has a line too."""
    ordered = in_order(spots)
    over: set[int] = set()
    open_lines: list[int] = []
    for number, spot in enumerate(ordered):
        if spot.kind != LINE:
            continue
        open_lines = [i for i in open_lines if ordered[i].end > spot.start]
        others = [i for i in open_lines if ordered[i].speaker != spot.speaker]
        over.update(others, [number] if others else [])
        open_lines.append(number)
    return tuple(
        replace(spot, overlap=True) if number in over else spot
        for number, spot in enumerate(ordered)
    )


def cleaned(found: SpottingList) -> SpottingList:
    """The list in order with every text as one line; words without text are left out."""
    return replace(
        found,
        name=one_line(found.name) or "untitled",
        scene=one_line(found.scene),
        take=one_line(found.take),
        tape=one_line(found.tape),
        spots=in_order(_plain(spot) for spot in found.spots),
    )


def _plain(spot: Spot) -> Spot:
    words = (replace(word, text=one_line(word.text)) for word in spot.words)
    return replace(
        spot,
        speaker=one_line(spot.speaker),
        words=tuple(word for word in words if word.text),
        kind=one_line(spot.kind) or "event",
        label=one_line(spot.label),
        note=one_line(spot.note),
        language=one_line(spot.language),
        engine=one_line(spot.engine),
        take=one_line(spot.take),
        scene=one_line(spot.scene),
        source_timecode=one_line(spot.source_timecode),
        events=tuple(map(one_line, spot.events)),
        tracks=tuple(map(one_line, spot.tracks)),
    )


@dataclass(frozen=True)
class Wanted:
    """What of a list is exported.

    speakers: whether names stand in captions and markers. drafts: `mark` says which lines are
    drafts, `plain` does not, `leave-out` leaves them out. confidence: lines of less are left
    out, 0 to 1. lines, events: which kinds are exported.
    """

    speakers: bool = True
    drafts: Literal["mark", "plain", "leave-out"] = "mark"
    confidence: float = 0.0
    lines: bool = True
    events: bool = True

    def of(self, found: SpottingList) -> SpottingList:
        """The list with only what is wanted."""
        return replace(found, spots=tuple(spot for spot in found.spots if self._takes(spot)))

    def _takes(self, spot: Spot) -> bool:
        if spot.kind != LINE:
            return self.events
        if spot.draft and self.drafts == "leave-out":
            return False
        return self.lines and spot.confidence >= self.confidence


def named(spot: Spot, wanted: Wanted) -> str:
    """What a marker says: `(draft) MARTA: the child almost hurt`, `Click (mended)`."""
    if spot.kind != LINE:
        return f"{spot.text} ({spot.note})" if spot.note else spot.text
    return " ".join([*before(spot, wanted), spot.text])


def before(spot: Spot, wanted: Wanted) -> tuple[str, ...]:
    """What stands before a spot's words: that it is a draft, who speaks."""
    marks = ["(draft)"] if spot.draft and wanted.drafts == "mark" else []
    if spot.speaker and wanted.speakers:
        marks.append(f"{spot.speaker}:")
    return tuple(marks)


Painter = Callable[[Spot], str]


def painter(found: SpottingList, palette: Sequence[str], event_color: str) -> Painter:
    """Gives each speaker a colour, in order of their first lines; events all have one."""
    speakers = dict.fromkeys(spot.speaker for spot in found.lines)
    colors = {speaker: palette[i % len(palette)] for i, speaker in enumerate(speakers)}
    return lambda spot: colors[spot.speaker] if spot.kind == LINE else event_color


def markers(found: SpottingList, wanted: Wanted, paint: Painter) -> tuple[Marker, ...]:
    """Spots that have text as markers, in frames from the first frame of the list.

    One a frame, as editing systems hold no more at one place: those that start in the same
    frame are joined, ` / ` between them.
    """
    at: dict[int, list[Marker]] = defaultdict(list)
    for spot in found.spots:
        if spot.text:
            first, last = (frame - found.first_frame for frame in found.frames(spot))
            at[first].append(
                Marker(
                    at=Fraction(first),
                    name=named(spot, wanted),
                    note="; ".join(filter(None, _facts(spot))),
                    length=Fraction(last - first),
                    color=paint(spot),
                )
            )
    return tuple(_joined(found) for _, found in sorted(at.items()))


def _facts(spot: Spot) -> tuple[str, ...]:
    """What a marker's note says of a line: where it comes from, and doubt."""
    sure = f"confidence {spot.confidence:.2f}" if spot.kind == LINE else ""
    return (
        f"take {spot.take}" if spot.take else "",
        spot.note if spot.kind == LINE else "",
        sure,
        "overlap" if spot.overlap else "",
        "part of the line" if spot.trimmed else "",
        "corrected" if spot.corrected else "",
        "heard in the cleaned sound" if spot.heard_in == "cleaned" else "",
    )


def _joined(same: Sequence[Marker]) -> Marker:
    return replace(
        same[0],
        name=" / ".join(marker.name for marker in same),
        note=" / ".join(marker.note for marker in same),
        length=max(marker.length for marker in same),
    )
