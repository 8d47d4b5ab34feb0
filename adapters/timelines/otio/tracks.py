"""The timeline's tracks: each laid out, and those that were written in several rows made one.

- What lies in the timeline's stack without a track of its own becomes one.
- Sound that only a nest in a video track holds gets a track, unless an audio track has a nest or
  clip of that name: there it would sound twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from adapters.timelines.otio import dialects
from adapters.timelines.otio import own as otio_own
from adapters.timelines.otio.items import Child, Clip, Gap, Nest, plain
from adapters.timelines.otio.json import text
from adapters.timelines.otio.nest import Laid, Layer, lay_track, length_of, through_stack
from core.cut import Event, Track

_KINDS = ("audio", "video")
_LONGEST_ID = 200


@dataclass(frozen=True)
class Lane:
    """A laid track of the file. of: the track of the cut that it is a further row of, or empty."""

    source: Nest
    name: str
    kind: str
    laid: Laid
    of: str = ""


def lanes_of(stack: Nest, warnings: list[str]) -> Iterator[Lane]:
    """Every track of the timeline, laid out. warnings: grows."""
    counts = dict.fromkeys(_KINDS, 0)
    legs = any(
        dialects.second_leg(child.common.metadata)
        for child in stack.children
        if isinstance(child, Nest)
    )
    for child in stack.children:
        source, kinds = _as_track(child, warnings)
        for kind in kinds:
            if source is None or kind not in counts:
                name = source.common.name if source else ""
                warnings.append(
                    f"Track {name!r} is of an unknown kind ({kind[:40]!r}) and is left out."
                )
                continue
            counts[kind] += 1
            name = source.common.name or f"{kind[0].upper()}{counts[kind]}"
            metadata = source.common.metadata
            if dialects.soloed(metadata):
                warnings.append(f"Track {name} is soloed in Resolve; the others are read as well.")
            layer = Layer(kind, name, warnings, legs=legs)
            laid = through_stack(stack, lay_track(source, layer), layer)
            if laid.events or source is child:
                yield Lane(source, name, kind, laid, text(otio_own.own(metadata).get("lane_of")))


def _as_track(child: Child, warnings: list[str]) -> tuple[Nest | None, tuple[str, ...]]:
    """A child of the timeline's stack as a track, and the kinds to read it as."""
    if isinstance(child, Nest):
        if not child.stack:
            return child, (child.kind,)
        return Nest(plain(child.common.name), False, "", (child,)), _KINDS
    if isinstance(child, Clip):
        warnings.append(f"{child.common.name!r} is on no track; it is read as sound.")
        return Nest(plain(), False, "", (child,)), ("audio",)
    if isinstance(child, Gap) and child.why:
        warnings.append(f"In place of a track, {child.why}: left out.")
    return None, ()


def sound_of_nests(stack: Nest, warnings: list[str]) -> Iterator[Lane]:
    """Sound of nests in video tracks that no audio track has. warnings: grows."""
    tracks = [child for child in stack.children if isinstance(child, Nest) and not child.stack]
    heard = {
        item.common.name
        for track in tracks
        if track.kind == "audio"
        for item in track.children
        if isinstance(item, Clip | Nest)
    }
    number = 0
    for track in tracks:
        if track.kind != "video":
            continue
        number += 1
        name = f"{track.common.name or f'V{number}'} sound"
        children = tuple(_unless(item, heard) for item in track.children)
        layer = Layer("audio", name, [], inside=False)
        source = replace(track, common=replace(track.common, marks=()), children=children)
        laid = through_stack(stack, lay_track(source, layer), layer)
        if laid.events:
            warnings.append(
                f"Nested timelines of video track {track.common.name!r} hold sound that no audio "
                f"track has: it is read as track {name!r}."
            )
            warnings += layer.warnings
            yield Lane(source, name, "audio", replace(laid, markers=()))


def _unless(item: Child, heard: set[str]) -> Child:
    if isinstance(item, Nest) and item.common.name in heard:
        return Gap(length_of(item))
    return item


def tracks_of(lanes: Sequence[Lane]) -> tuple[Track, ...]:
    """The cut's tracks, further rows joined to theirs, events numbered."""
    named: dict[str, list[Event]] = {}
    own: list[tuple[Lane, list[Event]]] = []
    for lane in lanes:
        first = named.get(lane.of) if lane.of else None
        if first is None:
            events = list(lane.laid.events)
            named.setdefault(lane.name, events)
            own.append((lane, events))
        else:
            first += lane.laid.events
    return tuple(_track(lane, events) for lane, events in own)


def _track(lane: Lane, events: list[Event]) -> Track:
    metadata = lane.source.common.metadata
    track = Track(
        name=lane.name,
        events=_numbered(lane.name, events),
        kind=lane.kind,
        enabled=lane.source.common.enabled and not dialects.switched_off(metadata),
        role=dialects.role(metadata),
        channels=dialects.track_channels(metadata),
    )
    return otio_own.with_track(track, otio_own.own(metadata))


def _numbered(name: str, events: list[Event]) -> tuple[Event, ...]:
    """The events by the ids they were written with, else in order of the record."""
    ids = [event.id for event in events]
    numbers = [_number(identity) for identity in ids]
    if events and None not in numbers and len(set(ids)) == len(ids):
        return tuple(sorted(events, key=lambda event: _number(event.id) or 0))
    return tuple(replace(event, id=f"{name}/{i:03d}") for i, event in enumerate(events, 1))


def _number(identity: str) -> int | None:
    """The number that an event's id ends in."""
    digits = identity.rpartition("/")[2]
    known = digits.isascii() and digits.isdecimal() and len(identity) <= _LONGEST_ID
    return int(digits) if known else None
