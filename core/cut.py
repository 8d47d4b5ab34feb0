"""A cut: what every timeline format becomes before anything is done with it.

Positions and lengths are exact fractions of frames at the cut's own rate. A dissolve is two
events that overlap, each with a fade: the outgoing one reaches past the cut point, the
incoming one starts before it, and the overlap is summed. Nothing else ever hides an event.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from core.time import FrameRate


class FadeShape(StrEnum):
    """The curve of a fade. Equal power keeps the energy of two unlike sounds through a dissolve."""

    LINEAR = "linear"
    EQUAL_POWER = "equal_power"


@dataclass(frozen=True)
class Fade:
    """A fade at one end of an event. length: frames of the cut's rate."""

    length: Fraction
    shape: FadeShape = FadeShape.EQUAL_POWER


@dataclass(frozen=True)
class MediaReference:
    """What a timeline says about the media of an event, before it is found on disk.

    name: the clip's own name.
    url: as written in the timeline, or empty.
    file_name: a source file's name where the format gives one apart from the URL
        (`SOURCE FILE` of an EDL), with or without its suffix.
    reel: tape or sound roll.
    scene, take: where the format says so.
    available_start: timecode position of the media's first sample, in frames of the cut's rate,
        as this timeline counts it; None where it does not say.
    available_length: length of the media in frames of the cut's rate, or None.
    """

    name: str = ""
    url: str = ""
    file_name: str = ""
    reel: str = ""
    scene: str = ""
    take: str = ""
    available_start: Fraction | None = None
    available_length: Fraction | None = None


@dataclass(frozen=True)
class Marker:
    """A marker in record frames."""

    at: Fraction
    name: str
    note: str = ""


@dataclass(frozen=True)
class Event:
    """One stretch of one media file on one track.

    id: stable within the cut (`A1/003`), shown to people.
    record_start, record_length: frames from the start of the cut, fades included.
    source_start: frames, in the source timecode of this timeline, of the first frame that
        record_start plays. Sub-frame offsets are kept.
    channels: channels of the media file that sound, counted from 0; empty where the timeline
        does not say (then the track's type and the media decide).
    gain_db: clip gain. speed: source frames consumed by a record frame.
    notes: what was not understood, kept as it was, as pairs of name and text.
    """

    id: str
    record_start: Fraction
    record_length: Fraction
    source_start: Fraction
    media: MediaReference
    channels: tuple[int, ...] = ()
    fade_in: Fade | None = None
    fade_out: Fade | None = None
    gain_db: float = 0.0
    speed: Fraction = Fraction(1)
    enabled: bool = True
    notes: tuple[tuple[str, str], ...] = ()

    @property
    def record_end(self) -> Fraction:
        """Frames from the start of the cut to just past the event."""
        return self.record_start + self.record_length


@dataclass(frozen=True)
class Track:
    """A track of events; those that overlap are summed. kind: `audio` or `video`."""

    name: str
    events: tuple[Event, ...]
    kind: str = "audio"
    enabled: bool = True


@dataclass(frozen=True)
class Cut:
    """A cut of a reel or scene.

    start: timecode of the first frame, in frames since midnight.
    length: frames. warnings: what could not be read or expressed, a sentence each.
    """

    name: str
    rate: FrameRate
    start: int
    length: Fraction
    tracks: tuple[Track, ...]
    markers: tuple[Marker, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def audio_tracks(self) -> tuple[Track, ...]:
        """The tracks that sound, in the cut's order."""
        return tuple(track for track in self.tracks if track.kind == "audio")


def with_distinct_tracks(cut: Cut) -> Cut:
    """The cut with track names that differ in more than case and punctuation.

    Stems are files named after their track, and events are known by it, but timelines may name
    several tracks alike. A later one gets a number (`DX 2`), in its events' ids as well; audio
    tracks come before others.
    """
    taken: set[str] = set()
    names: dict[int, str] = {}
    for index in sorted(range(len(cut.tracks)), key=lambda i: cut.tracks[i].kind != "audio"):
        name, number = cut.tracks[index].name, 1
        while _plain(name) in taken:
            number += 1
            name = f"{cut.tracks[index].name} {number}"
        taken.add(_plain(name))
        names[index] = name
    tracks = tuple(_renamed(track, names[index]) for index, track in enumerate(cut.tracks))
    return replace(cut, tracks=tracks)


def _plain(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _renamed(track: Track, name: str) -> Track:
    if track.name == name:
        return track
    events = tuple(
        replace(event, id=f"{name}/{event.id.rpartition('/')[2]}") for event in track.events
    )
    return replace(track, name=name, events=events)
