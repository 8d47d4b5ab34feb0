"""Reads Final Cut Pro 7 XML (xmeml), as Premiere, Resolve and Final Cut Pro 7 write it.

Quirks handled here:
- Each channel of a stereo clip is a clip of its own on a track of its own, linked with the
  other; each becomes an event. On a track that is one leg of a stereo track such a clip is panned
  to its side where nothing else pans it.
- A nested sequence is laid in: each linked clip that plays it takes the tracks that feed the
  output channel it stands for.
- Of several sequences the one with the most sound is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree.ElementTree import Element

from adapters.timelines.fcp7.events import LONGEST_SECONDS, Placed, markers, placed, with_pan
from adapters.timelines.fcp7.nests import Nest, laid_in, nest_of
from adapters.timelines.fcp7.statements import (
    Elements,
    SequenceSays,
    TrackSays,
    named_elements,
    sequence,
    sequences_of,
)
from adapters.timelines.xml_safe import parse
from core.cut import Cut, Event, Marker, Track
from core.errors import InputError
from core.time import FrameRate, round_half_up

MAX_EVENTS = 200_000
MAX_POINTS = 500_000
MAX_NESTED = 60_000
MAX_UNTRIMMED = 5_000_000
MAX_NESTING = 50
MAX_WARNINGS = 500


def read(path: Path) -> Cut:
    """Read an xmeml file, version 4 or 5, into a cut.

    Raises InputError with one sentence where it is none, names no frame rate, has no clip, or
    passes a limit of this module.
    """
    root = parse(path, "xmeml", "Final Cut Pro 7 XML")
    found = list(sequences_of(root))
    if not found:
        raise InputError(f"{path} holds no sequence; export one from the editor.")
    reading = _Reading(path, named_elements(root))
    chosen = max(found, key=reading.sounds_in)
    reading.refuse(sum(1 for _ in chosen.iterfind("media/audio/track/clipitem")) > MAX_EVENTS)
    reading.refuse(reading.sounds_in(chosen) > MAX_UNTRIMMED)
    if len(found) > 1:
        others = ", ".join(
            (item.findtext("name") or "unnamed").strip()[:60]
            for item in found
            if item is not chosen
        )
        reading.warnings.append(
            f"The sequence with the most sound is read; the others are not: {others[:400]}."
        )
    said = sequence(chosen, reading.known)
    if said.rate is None:
        raise InputError(f"{path} names no frame rate for its sequence; export it again.")
    tracks = reading.tracks(said, said.rate, chosen)
    if not any(track.events for track in tracks):
        raise InputError(f"{path} is an empty cut: no track has a clip.")
    length = said.length or Fraction(0)
    if length > LONGEST_SECONDS * said.rate.fps:
        reading.warnings.append("The sequence's duration of over a day is not taken.")
        length = Fraction(0)
    ends = (event.record_end for track in tracks for event in track.events)
    return Cut(
        name=said.name or path.stem,
        rate=said.rate,
        start=round_half_up(said.start * said.rate.fps),
        length=max([length, *ends]),
        tracks=tracks,
        markers=reading.markers(said),
        warnings=reading.told(),
    )


class _Reading:
    """What is known while one file is read: its named elements, and nests once laid out."""

    def __init__(self, path: Path, known: Elements) -> None:
        self.path = path
        self.known = known
        self.warnings: list[str] = []
        self._clip_markers: dict[tuple[Fraction, str, str], Marker] = {}
        self._nests: dict[str, tuple[SequenceSays, tuple[Track, ...]]] = {}
        self._laid: dict[tuple[str, int, int], Nest] = {}
        self._open: list[Element] = []
        self._sounds: dict[Element, int] = {}
        self._events = self._points = self._nested = 0

    def told(self) -> tuple[str, ...]:
        """The warnings, each once."""
        told = tuple(dict.fromkeys(self.warnings))
        if len(told) <= MAX_WARNINGS:
            return told
        return (*told[:MAX_WARNINGS], f"{len(told) - MAX_WARNINGS} further warnings are left out.")

    def markers(self, said: SequenceSays) -> tuple[Marker, ...]:
        """The markers of the sequence and of its clips, in order."""
        own = markers(said.markers, Fraction(0), Fraction(1), Fraction(0))
        return tuple(sorted([*own, *self._clip_markers.values()], key=lambda marker: marker.at))

    def tracks(self, said: SequenceSays, rate: FrameRate, element: Element) -> tuple[Track, ...]:
        """The tracks of a sequence, its nests laid in."""
        self._open.append(element)
        tracks = tuple(self._track(track, rate) for track in said.tracks)
        self._open.pop()
        return tracks

    def _track(self, says: TrackSays, rate: FrameRate) -> Track:
        events: list[Event] = []
        found: list[str] = []
        pan = _side(says)
        for item in placed(says, rate.fps, found):
            side = pan if item.clip.stereo else None
            made = self._sounding(item, says, rate) if says.kind == "audio" else (item.event,)
            for event in made:
                self._count(event, item.clip.kind == "nest")
                if event is not None:
                    events.append(with_pan(event, side))
            self._mark(item, rate)
        self.warnings += [*found, *_unread(says)]
        name = says.name
        numbered = (replace(event, id=f"{name}/{i:03d}") for i, event in enumerate(events, 1))
        return Track(name, tuple(numbered), says.kind, says.enabled, channels=says.channels)

    def _mark(self, item: Placed, rate: FrameRate) -> None:
        """Keep the markers of a clip of the sequence itself, once for all its channels."""
        clip, event = item.clip, item.event
        if len(self._open) > 1 or clip.first is None:
            return
        scale = rate.fps / clip.fps
        at = event.record_start if clip.start is None or clip.start < 0 else clip.start
        for marker in markers(clip.markers, clip.first, scale, at):
            if event.record_start <= marker.at < event.record_end:
                self._clip_markers.setdefault((marker.at, marker.name, marker.note), marker)

    def sounds_in(self, element: Element, depth: int = 0) -> int:
        """How many audio clips a sequence has, those of the sequences it nests included."""
        if element in self._sounds or depth > MAX_NESTING:
            return self._sounds.get(element, 0)
        self._sounds[element] = 0  # for one that is nested in itself
        count = 0
        for clip in element.iterfind("media/audio/track/clipitem"):
            count += 1
            nest = clip.find("sequence")
            nested = self.known.sequences.get(nest.get("id", "")) if nest is not None else None
            count += self.sounds_in(nested, depth + 1) if nested is not None else 0
        self._sounds[element] = count
        return count

    def _count(self, event: Event | None, nested: bool) -> None:
        points = len(event.automation) if event is not None else 0
        self._events += 1
        self._points += points
        self._nested += nested * (1 + points)
        self.refuse(self._events > MAX_EVENTS or self._points > MAX_POINTS)
        self.refuse(self._nested > MAX_NESTED)

    def refuse(self, too_many: bool) -> None:
        """Stop before a small file that repeats itself fills the memory."""
        if too_many:
            raise InputError(
                f"{self.path} lays out more than {MAX_EVENTS} clips, {MAX_POINTS} level points, or "
                f"{MAX_NESTED} of both from nested sequences; export a single scene or reel."
            )

    def _sounding(self, item: Placed, says: TrackSays, rate: FrameRate) -> Iterable[Event | None]:
        """The events that a clip of an audio track makes."""
        where = f"{says.name}: {item.clip.name or 'a clip'!r}"
        if item.clip.kind == "unknown":
            self.warnings.append(f"{where} is a multiclip, which is not read: silent.")
            return ()
        if item.clip.kind != "nest":
            return (item.event,)
        if item.event.speed <= 0 or item.event.variable_speed:
            self.warnings.append(
                f"{where} is a nested sequence backwards, frozen or at varying speed, which is "
                "not read: silent."
            )
            return ()
        nest = self._nest(item.clip.nest, where)
        if nest is None:
            return ()
        inner, tracks = nest
        assert inner.rate is not None
        leg, legs = _leg(item, says)
        key = (item.clip.nest, leg, legs)
        if key not in self._laid:
            self._laid[key] = nest_of(
                event if track.enabled else replace(event, enabled=False)
                for track in _feeding(inner, tracks, leg, legs)
                for event in track.events
            )
        return laid_in(item.event, self._laid[key], rate.fps / inner.rate.fps)

    def _nest(self, name: str, where: str) -> tuple[SequenceSays, tuple[Track, ...]] | None:
        """A nested sequence and its tracks, or None where it can't be laid in."""
        if name in self._nests:
            return self._nests[name]
        element = self.known.sequences.get(name)
        if element is None:
            self.warnings.append(f"{where} is a nested sequence that the file lacks: silent.")
            return None
        if element in self._open or len(self._open) > MAX_NESTING:
            self.warnings.append(f"{where} is nested in itself or too deep: silent.")
            return None
        said = sequence(element, self.known)
        if said.rate is None:
            self.warnings.append(f"{where} is a nested sequence with no frame rate: silent.")
            return None
        self._nests[name] = said, self.tracks(said, said.rate, element)
        return self._nests[name]


def _leg(item: Placed, says: TrackSays) -> tuple[int, int]:
    """Which of so many output channels of a nest a clip plays."""
    leg, legs = (says.leg, says.legs) if says.legs > 1 else (item.clip.leg, item.clip.legs)
    if item.clip.channel is not None:
        leg = item.clip.channel
    return leg % legs, legs


def _feeding(
    inner: SequenceSays, tracks: tuple[Track, ...], leg: int, legs: int
) -> Iterator[Track]:
    """The audio tracks of a nest that feed an output channel of so many."""
    place = 0
    for said, track in zip(inner.tracks, tracks, strict=True):
        if said.kind == "audio":
            output = said.output if said.output is not None else place
            place += 1
            if output % legs == leg:
                yield track


def _side(says: TrackSays) -> float | None:
    """Where a track pans its clips: a leg of a stereo track to its side."""
    return (-1.0, 1.0)[says.leg] if says.legs == 2 and says.leg < 2 else None


def _unread(says: TrackSays) -> list[str]:
    """What a track holds that is no sound to us, each effect once with how often it is there."""
    if says.kind != "audio":
        return []
    effects: dict[str, int] = {}
    made: dict[str, int] = {}
    for item in says.items:
        sound = getattr(item, "sound", None)
        for name in sound.unread if sound is not None else ():
            effects[name] = effects.get(name, 0) + 1
        if getattr(item, "kind", "") == "generator" and "slug" not in item.name.casefold():
            made[item.name] = made.get(item.name, 0) + 1
    return [
        *(f"{says.name}: effect {name!r} on {n} clips is left out." for name, n in effects.items()),
        *(f"{says.name}: generator {name!r}, {n} times, is silent." for name, n in made.items()),
    ]
