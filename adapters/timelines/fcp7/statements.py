"""The statements of a Final Cut Pro 7 sequence: what its elements say, before any is placed.

An element with an id is written out once and named by its id alone elsewhere, before or after.
What an element does not say it takes from the one it lies in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from xml.etree.ElementTree import Element

from adapters.timelines.fcp7.effects import Sound, sound
from adapters.timelines.fcp7.xml import (
    MAX_FRAMES,
    TICKS,
    drop_rate,
    flag,
    frames,
    number,
    rate,
    timecode,
    words,
)
from core.cut import FadeShape
from core.time import FrameRate

MAX_CHANNELS = 1000
_SUBFRAMES = 80


@dataclass(frozen=True, slots=True)
class File:
    """A media file. start: seconds of its first sample in its timecode; length: seconds."""

    name: str
    url: str
    reel: str
    start: Fraction | None
    length: Fraction | None


@dataclass(frozen=True, slots=True)
class ClipMarker:
    """A marker. first, last: frames of the clip (or of the sequence); last is None for a point."""

    name: str
    note: str
    color: str
    first: Fraction
    last: Fraction | None


@dataclass(frozen=True, slots=True)
class Clip:
    """A `clipitem` or `generatoritem`.

    kind: `clip`, `nest`, `generator` or `unknown`. start, end: frames of the sequence, -1 where
    a transition decides. first, last: in and out point, in frames of the clip as it plays, at
    fps. ticks: the in point in seconds, as Premiere writes it beside. offset: where a subclip
    begins, frames. late: how much later than its start it sounds, in frames of the sequence.
    channel: of the file, from 0. stereo: whether it is one channel of a stereo clip. leg, legs:
    its place among the audio clips it is linked with.
    nest: id of the sequence that it plays.
    """

    kind: str
    name: str
    fps: Fraction
    start: Fraction | None
    end: Fraction | None
    first: Fraction | None
    last: Fraction | None
    ticks: Fraction | None
    duration: Fraction | None
    offset: Fraction
    late: Fraction
    enabled: bool
    file: File | None
    nest: str
    channel: int | None
    stereo: bool
    leg: int
    legs: int
    material_id: str
    scene: str
    take: str
    sound: Sound
    markers: tuple[ClipMarker, ...]


@dataclass(frozen=True, slots=True)
class Transition:
    """A `transitionitem`. start, end: frames of the sequence. known: whether its shape is."""

    name: str
    start: Fraction
    end: Fraction
    alignment: str
    shape: FadeShape
    known: bool


@dataclass(frozen=True, slots=True)
class TrackSays:
    """A `track`. output: the output channel it feeds, from 0. leg, legs: of a stereo track that
    is written as one track a channel. channels: 1 where it says that it is mono, else 0."""

    name: str
    kind: str
    enabled: bool
    output: int | None
    leg: int
    legs: int
    channels: int
    items: tuple[Clip | Transition, ...]


@dataclass(frozen=True, slots=True)
class SequenceSays:
    """A `sequence`. start: seconds since midnight. length: frames, or None."""

    name: str
    rate: FrameRate | None
    start: Fraction
    length: Fraction | None
    tracks: tuple[TrackSays, ...]
    markers: tuple[ClipMarker, ...]


@dataclass(frozen=True, slots=True)
class Elements:
    """The elements of a document that others name, by id. read: files that were read before."""

    files: Mapping[str, Element]
    sequences: Mapping[str, Element]
    read: dict[tuple[str, Fraction], File] = field(default_factory=dict)


def named_elements(root: Element) -> Elements:
    """Files and sequences by their id; the first that says anything counts."""
    files: dict[str, Element] = {}
    sequences: dict[str, Element] = {}
    for element in root.iter():
        if element.tag == "file" and len(element):
            files.setdefault(element.get("id", ""), element)
        elif element.tag == "sequence" and element.find("media") is not None:
            sequences.setdefault(element.get("id", ""), element)
    return Elements(files, sequences)


def sequences_of(root: Element) -> Iterator[Element]:
    """The sequences of a document that are not nested in another, in its order."""
    waiting = [root]
    while waiting:
        element = waiting.pop()
        if element.tag == "sequence":
            if element.find("media") is not None:
                yield element
        elif element.tag in ("xmeml", "project", "bin", "children"):
            waiting += reversed(element)


def sequence(element: Element, known: Elements) -> SequenceSays:
    """What a `sequence` says; its rate is None where neither it nor anything in it names one."""
    fps = rate(element) or rate(element.find("timecode"))
    fps = fps or rate(element.find("media/video/format/samplecharacteristics"))
    counted = drop_rate(element.find("timecode"), fps) if fps and fps <= 1000 else None
    tracks = []
    for kind in ("audio", "video"):
        for number_, track in enumerate(element.findall(f"media/{kind}/track"), 1):
            name = f"{kind[0].upper()}{number_}"
            tracks.append(_track(track, name, kind, fps or Fraction(1), known))
    return SequenceSays(
        words(element, "name"),
        counted,
        max(timecode(element, fps or Fraction(1)) or Fraction(0), Fraction(0)),
        frames(element, "duration"),
        tuple(tracks),
        tuple(_markers(element)),
    )


def _track(element: Element, name: str, kind: str, fps: Fraction, known: Elements) -> TrackSays:
    given = " ".join((element.get("MZ.TrackName") or "").split())[:100]
    items: list[Clip | Transition] = []
    for item in element:
        if item.tag in ("clipitem", "generatoritem"):
            items.append(_clip(item, kind, fps, known))
        elif item.tag == "transitionitem":
            found = _transition(item)
            items += [found] if found else []
    output = _index(element.findtext("outputchannelindex"))
    leg, legs = (
        number(element.get(key)) for key in ("currentExplodedTrackIndex", "totalExplodedTrackCount")
    )
    return TrackSays(
        given or words(element, "name")[:100] or name,
        kind,
        flag(element, "enabled", True),
        output,
        int(leg) if leg is not None and 0 <= leg < MAX_CHANNELS else 0,
        int(legs) if legs is not None and 1 <= legs <= MAX_CHANNELS else 1,
        int(element.get("premiereTrackType", "").casefold() == "mono"),
        tuple(items),
    )


def _clip(element: Element, kind: str, fps: Fraction, known: Elements) -> Clip:
    own = rate(element) or fps
    nest = element.find("sequence")
    file = element.find("file")
    what = "generator" if element.tag == "generatoritem" else "clip"
    if nest is not None:
        what = "nest"
    elif element.find("multiclip") is not None:
        what = "unknown"
    ticks = number(element.findtext("pproTicksIn"))
    leg, legs = _leg(element)
    return Clip(
        kind=what,
        name=words(element, "name"),
        fps=own,
        start=frames(element, "start"),
        end=frames(element, "end"),
        first=frames(element, "in"),
        last=frames(element, "out"),
        ticks=ticks / TICKS if ticks is not None and ticks <= MAX_FRAMES * TICKS else None,
        duration=frames(element, "duration"),
        offset=frames(element, "subclipinfo/startoffset") or Fraction(0),
        late=(frames(element, "subframeoffset") or Fraction(0)) / _SUBFRAMES,
        enabled=flag(element, "enabled", True),
        file=_file(file, own, known) if file is not None else None,
        nest=nest.get("id", "") if nest is not None else "",
        channel=_index(element.findtext("sourcetrack/trackindex")) if kind == "audio" else None,
        stereo=element.get("premiereChannelType", "").casefold() == "stereo",
        leg=leg,
        legs=legs,
        material_id=words(element, "masterclipid"),
        scene=words(element, "logginginfo/scene") or words(element, "filmdata/filmslate/scene"),
        take=words(element, "logginginfo/shottake") or words(element, "filmdata/filmslate/take"),
        sound=sound(element, kind == "audio"),
        markers=tuple(_markers(element)),
    )


def _leg(element: Element) -> tuple[int, int]:
    """Which of the audio clips that are linked a clip is, and how many they are."""
    linked = [
        (link.findtext("linkclipref") or "").strip()
        for link in element.findall("link")
        if words(link, "mediatype").casefold() == "audio"
    ]
    own = (element.get("id") or "").strip()
    return (linked.index(own), len(linked)) if own in linked else (0, 1)


def _file(element: Element, fps: Fraction, known: Elements) -> File:
    name = element.get("id", "")
    if not name:
        return _read_file(element, fps)
    if (name, fps) not in known.read:
        known.read[name, fps] = _read_file(known.files.get(name, element), fps)
    return known.read[name, fps]


def _read_file(element: Element, fps: Fraction) -> File:
    own = rate(element) or fps
    length = frames(element, "duration")
    return File(
        name=words(element, "name"),
        url=(element.findtext("pathurl") or "").strip()[:4000],
        reel=words(element, "timecode/reel/name"),
        start=timecode(element, own),
        length=length / own if length is not None and length > 0 else None,
    )


def _transition(element: Element) -> Transition | None:
    start, end = frames(element, "start"), frames(element, "end")
    if start is None or end is None or end <= start:
        return None
    name = words(element, "effect/name") or words(element, "effect/effectid")
    said = f"{name} {words(element, 'effect/effectid')}".casefold().replace(" ", "")
    linear = any(word in said for word in ("(0db)", "crossfade0db", "constantgain", "linear"))
    equal = any(word in said for word in ("3db", "constantpower", "crossdissolve"))
    shape = FadeShape.LINEAR if linear else FadeShape.EQUAL_POWER
    alignment = words(element, "alignment").casefold()
    return Transition(name, start, end, alignment, shape, linear or equal)


def _markers(element: Element) -> Iterator[ClipMarker]:
    for marker in element.findall("marker"):
        first, last = frames(marker, "in"), frames(marker, "out")
        if first is None:
            continue
        color = words(marker, "pproColor") or ",".join(
            words(marker, f"color/{part}")
            for part in ("red", "green", "blue")
            if words(marker, f"color/{part}")
        )
        yield ClipMarker(
            words(marker, "name"),
            words(marker, "comment"),
            color,
            first,
            last if last is not None and last > first else None,
        )


def _index(text: str | None) -> int | None:
    """A number that counts from 1, from 0."""
    value = number(text)
    return int(value) - 1 if value is not None and 1 <= value <= MAX_CHANNELS else None
