"""A cut: what every timeline format becomes before anything is done with it.

Positions and lengths are exact fractions of frames at the cut's own rate. A dissolve is two
events that overlap, each with a fade: the outgoing one reaches past the cut point, the
incoming one starts before it, and the overlap is summed. Nothing else ever hides an event.
"""

from __future__ import annotations

from collections.abc import Iterator
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
class GainPoint:
    """A point of gain automation.

    at: frames from the event's record_start. gain_db: added to the event's own gain; between
    points it runs straight in dB, before the first and after the last it stays.
    """

    at: Fraction
    gain_db: float


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
    material_id: what names the recording itself where the format knows (a UMID, an AAF mob id,
        an asset's id), as the format writes it.
    """

    name: str = ""
    url: str = ""
    file_name: str = ""
    reel: str = ""
    scene: str = ""
    take: str = ""
    available_start: Fraction | None = None
    available_length: Fraction | None = None
    material_id: str = ""


@dataclass(frozen=True)
class Marker:
    """A marker. at, length: in record frames from the start of the cut. color: as written."""

    at: Fraction
    name: str
    note: str = ""
    length: Fraction = Fraction(0)
    color: str = ""


@dataclass(frozen=True)
class Event:
    """One stretch of one media file on one track.

    id: stable within the cut (`A1/003`), shown to people.
    record_start, record_length: frames from the start of the cut, fades included.
    source_start: frames, in the source timecode of this timeline, of the frame that
        record_start plays. Sub-frame offsets are kept.
    channels: channels of the media file that sound, counted from 0; empty where the timeline
        does not say (then the track's type and the media decide).
    gain_db: clip gain. automation: gain points beside it, in order of time.
    pan: -1 (left) to 1 (right), or None where the timeline says nothing.
    speed: source frames consumed by a record frame: negative backwards, 0 a freeze frame; where
        variable_speed, the mean of a speed that changes. keeps_pitch: whether the format asks
        for the pitch to stay (else it follows the speed, as on tape).
    enabled, muted: an event sounds when it is enabled and not muted.
    role: what kind of sound it is, as the timeline says it (`dialogue`, `Music.Score`).
    other_media: further references that the timeline holds for the event, by their names.
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
    automation: tuple[GainPoint, ...] = ()
    pan: float | None = None
    speed: Fraction = Fraction(1)
    variable_speed: bool = False
    keeps_pitch: bool = False
    enabled: bool = True
    muted: bool = False
    role: str = ""
    other_media: tuple[tuple[str, MediaReference], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()

    @property
    def record_end(self) -> Fraction:
        """Frames from the start of the cut to just past the event."""
        return self.record_start + self.record_length

    @property
    def sounds(self) -> bool:
        """Whether the event is heard where its track is."""
        return self.enabled and not self.muted

    @property
    def handles(self) -> tuple[Fraction, Fraction] | None:
        """Frames of media before and after what plays, or None where the timeline does not say."""
        first, length = self.media.available_start, self.media.available_length
        if first is None or length is None:
            return None
        ends = (self.source_start, self.source_start + self.record_length * self.speed)
        return min(ends) - first, first + length - max(ends)


@dataclass(frozen=True)
class Track:
    """A track of events; those that overlap are summed.

    kind: `audio` or `video`. enabled, muted: a track sounds when it is enabled and not muted.
    role: as the timeline says it. channels: 1 mono, 2 stereo, 0 where it does not say.
    """

    name: str
    events: tuple[Event, ...]
    kind: str = "audio"
    enabled: bool = True
    muted: bool = False
    role: str = ""
    channels: int = 0

    @property
    def sounds(self) -> bool:
        """Whether the track is heard."""
        return self.enabled and not self.muted


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

    def sounding(self) -> Iterator[tuple[Track, Event]]:
        """Every event that is heard, with its track, in the cut's order."""
        for track in self.audio_tracks:
            if track.sounds:
                for event in track.events:
                    if event.sounds:
                        yield track, event


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
