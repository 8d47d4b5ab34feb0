"""The items of an OpenTimelineIO file laid out in the record: the second of two stages.

Every item is laid from zero, through its own range and speed, and then moved to where its parent
has it; so a nested timeline is laid like a track, at any depth. Tracks are never flattened: what
lies together in a stack is summed.

- A transition overlaps its neighbours: the outgoing clip runs on by `out_offset`, the incoming
  one starts `in_offset` early, both fade over the sum.
- A speed leaves an item's length alone: it takes `duration` of the record and consumes
  `duration × speed` of its media. Where it is negative the same media play from their end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from adapters.timelines.otio import dialects
from adapters.timelines.otio import own as otio_own
from adapters.timelines.otio.items import Clip, Common, Gap, Nest, Reference, Transition
from adapters.timelines.otio.json import Span, text
from adapters.timelines.otio.trim import fallen, frozen, levelled, moved, risen, sped, trimmed
from core.cut import Event, Fade, Marker, MediaReference

EFFECT = "effect"
TIME_EFFECT = "time effect"
"""Keys of an event's notes: what was not applied, by name."""

_NOTHING = Transition(Fraction(0), Fraction(0), "")


@dataclass(frozen=True)
class Laid:
    """What an item puts into the record, counted from where it starts. length: what it takes."""

    events: tuple[Event, ...]
    markers: tuple[Marker, ...]
    length: Fraction


@dataclass(frozen=True)
class Layer:
    """What is being laid. kind: `audio` or `video`. track: the timeline's, for messages.

    inside: whether clips here are of that kind (they are not in a video track's nest, while its
    sound is looked for). legs: as `otio_dialects.channels` asks. warnings: grows.
    """

    kind: str
    track: str
    warnings: list[str]
    inside: bool = True
    legs: bool = False

    def warn(self, said: str) -> None:
        """Note what can't be read or applied; of pictures only what moves the sound matters."""
        if self.kind == "audio":
            self.warnings.append(f"{self.track}: {said}")


def lay_track(track: Nest, layer: Layer) -> Laid:
    """A track of the timeline; its own switch and role are left to the caller."""
    return _through(track.common, _children(track, layer), layer)


def through_stack(stack: Nest, laid: Laid, layer: Layer) -> Laid:
    """A laid track as the timeline's own stack lets it through, with its range and speed.

    Its markers are left to `own_markers`, for they are not the track's.
    """
    return _through(replace(stack.common, marks=()), laid, layer)


def own_markers(stack: Nest) -> tuple[Marker, ...]:
    """The markers on the timeline's own stack, in its record."""
    nothing = Laid((), (), length_of(stack))
    unheard = Layer("video", "", [])
    return _through(stack.common, nothing, unheard).markers


def length_of(item: Clip | Gap | Nest) -> Fraction:
    """How much of the record an item takes, 0 where nothing says."""
    if isinstance(item, Gap):
        return item.length
    if item.common.span is not None:
        return item.common.span.length
    if isinstance(item, Clip):
        reference = active_reference(item)
        return reference.available.length if reference and reference.available else Fraction(0)
    lengths = [length_of(child) for child in item.children if not isinstance(child, Transition)]
    if item.stack:
        return max(lengths, default=Fraction(0))
    return sum(lengths, Fraction(0))


def active_reference(clip: Clip) -> Reference | None:
    """The media reference that plays: the active one, else the first."""
    by_name = dict(clip.references)
    return by_name.get(clip.active) or next(iter(by_name.values()), None)


def _children(nest: Nest, layer: Layer) -> Laid:
    events: list[Event] = []
    markers: list[Marker] = []
    at = length = Fraction(0)
    children = nest.children
    for i, child in enumerate(children):
        if isinstance(child, Transition):
            continue
        here = Fraction(0) if nest.stack else at
        laid: Laid | None = None
        if isinstance(child, Gap):
            if child.why:
                layer.warn(f"{child.why}: silent.")
            taken = child.length
        else:
            laid = _child(nest, child, layer, *_joins(nest, i))
            taken = laid.length if laid is not None else length_of(child)
        if laid is not None:
            events += [moved(event, here) for event in laid.events]
            markers += [replace(marker, at=marker.at + here) for marker in laid.markers]
        at += taken
        length = max(length, here + taken)
    if nest.stack:
        events.sort(key=lambda event: event.record_start)
    return Laid(tuple(events), tuple(markers), length)


def _joins(nest: Nest, i: int) -> tuple[Transition, Transition]:
    """The transitions before and after a child of a track."""
    if nest.stack:
        return _NOTHING, _NOTHING
    before = nest.children[i - 1] if i else None
    after = nest.children[i + 1] if i + 1 < len(nest.children) else None
    return (
        before if isinstance(before, Transition) else _NOTHING,
        after if isinstance(after, Transition) else _NOTHING,
    )


def _child(
    parent: Nest, child: Clip | Nest, layer: Layer, before: Transition, after: Transition
) -> Laid | None:
    """A clip or nest laid from zero, or None where it is not of the kind that is being laid."""
    if isinstance(child, Clip):
        return _clip(child, layer, before, after) if layer.inside else None
    own_kind = child.stack or child.kind == layer.kind
    if not own_kind and (parent.stack or not layer.inside):
        return None
    inside = layer.inside or not child.stack
    laid = _through(
        child.common,
        _children(child, replace(layer, inside=inside)),
        layer,
        before,
        after,
    )
    if not laid.events and layer.inside and not child.children:
        layer.warn(f"the nested timeline {child.common.name!r} is empty: silent.")
    role = dialects.role(child.common.metadata)
    switched_on = _is_on(child.common)
    if switched_on and not role:
        return laid
    return replace(
        laid,
        events=tuple(
            replace(event, enabled=event.enabled and switched_on, role=event.role or role)
            for event in laid.events
        ),
    )


def _is_on(common: Common) -> bool:
    return common.enabled and not dialects.switched_off(common.metadata)


def _clip(clip: Clip, layer: Layer, before: Transition, after: Transition) -> Laid:
    reference, common = active_reference(clip), clip.common
    span = common.span or (reference.available if reference else None)
    if span is None or span.length + before.early + after.late <= 0:
        layer.warn(f"{common.name!r} has no length and is left out.")
        return Laid((), (), span.length if span else Fraction(0))
    speed = common.warp.speed
    body = span.start if speed >= 0 else span.start - span.length * speed
    level = dialects.level(common)
    notes = [(TIME_EFFECT, name) for name in common.warp.changing]
    notes += [(EFFECT, name) for name in level.unread]
    own = otio_own.own(common.metadata)
    event = Event(
        id=text(own.get("id")),
        record_start=-before.early,
        record_length=before.early + span.length + after.late,
        source_start=body - before.early * speed,
        media=_media(clip, reference),
        channels=dialects.channels(common.metadata, legs=layer.legs),
        fade_in=_fade(before),
        fade_out=_fade(after),
        speed=speed,
        variable_speed=bool(common.warp.changing),
        pan=level.pan,
        enabled=_is_on(common),
        role=dialects.role(common.metadata),
        other_media=_others(clip, reference),
        notes=tuple(notes) if layer.kind == "audio" else (),
    )
    event = levelled(event, level.gain_db, level.points, Fraction(0))
    markers = tuple(_clip_markers(clip, span, body, layer))
    return Laid((otio_own.with_own(event, own) if own else event,), markers, span.length)


def _through(
    common: Common,
    inner: Laid,
    layer: Layer,
    before: Transition = _NOTHING,
    after: Transition = _NOTHING,
) -> Laid:
    """What a nest lets through of what it holds: its range, speed, level and transitions."""
    span, speed = common.span or Span(Fraction(0), inner.length), common.warp.speed
    origin = span.start if speed >= 0 else span.start - span.length * speed
    open_end = common.span is None and speed == 1 and after is _NOTHING
    last = None if open_end else span.length + after.late
    level = dialects.level(common)
    for name in (*common.warp.changing, *level.unread):
        layer.warn(f"the effect {name!r} of {common.name or 'the track'!r} is not applied.")
    events = []
    for event in inner.events:
        placed = (
            sped(moved(event, -origin), speed) if speed else frozen(event, span.start, span.length)
        )
        placed = trimmed(placed, -before.early, last) if placed is not None else None
        if placed is None:
            continue
        rising, falling = _fade(before), _fade(after)
        if rising is not None:
            placed = risen(placed, -before.early, rising)
        if falling is not None:
            placed = fallen(placed, span.length + after.late, falling)
        placed = levelled(placed, level.gain_db, level.points, Fraction(0))
        if placed.pan is None and level.pan is not None:
            placed = replace(placed, pan=level.pan)
        events.append(placed)
    if speed < 0:
        events.sort(key=lambda event: event.record_start)
    markers = _marked(common, inner, span, layer)
    return Laid(tuple(events), tuple(markers), span.length)


def _fade(transition: Transition) -> Fade | None:
    length = transition.early + transition.late
    return Fade(length, dialects.shape(transition.name)) if length else None


def _clip_markers(clip: Clip, span: Span, body: Fraction, layer: Layer) -> Iterator[Marker]:
    """Markers of a clip, which count in its media's time, where they fall in the record."""
    speed = clip.common.warp.speed
    for mark in clip.common.marks:
        media = mark.span.start - body
        at = media / speed if speed else Fraction(0)
        if not 0 <= at <= span.length:
            layer.warn(f"the marker {mark.name!r} of {clip.common.name!r} lies outside the clip.")
            continue
        length = mark.span.length / abs(speed) if speed else Fraction(0)
        yield Marker(at, mark.name, mark.note, length, mark.color)


def _marked(common: Common, inner: Laid, span: Span, layer: Layer) -> Iterator[Marker]:
    """Markers of a nest and of what it holds, through its range and speed."""
    speed = common.warp.speed
    own = [
        otio_own.with_marker(
            Marker(mark.span.start, mark.name, mark.note, mark.span.length, mark.color),
            otio_own.own(mark.metadata),
        )
        for mark in common.marks
    ]
    for marker in (*own, *inner.markers):
        if not speed:
            continue
        origin = span.start if speed > 0 else span.start - span.length * speed
        at = (marker.at - origin) / speed
        if common.span is not None and not 0 <= at <= span.length:
            layer.warn(f"the marker {marker.name!r} lies outside what plays and is left out.")
            continue
        yield replace(marker, at=at, length=marker.length / abs(speed))


def _media(clip: Clip, reference: Reference | None) -> MediaReference:
    media = dialects.media_of(clip.common.name, reference, clip.common.metadata)
    media = otio_own.with_media(media, otio_own.own(reference.metadata) if reference else {})
    return otio_own.with_media(media, otio_own.own(clip.common.metadata))


def _others(clip: Clip, active: Reference | None) -> tuple[tuple[str, MediaReference], ...]:
    found = {
        key: otio_own.with_media(
            dialects.media_of(reference.name, reference, {}),
            otio_own.own(reference.metadata),
        )
        for key, reference in clip.references
        if reference is not active
    }
    order = otio_own.own(clip.common.metadata).get("other_media")
    names = [name for name in order if name in found] if isinstance(order, list) else []
    return tuple((name, found[name]) for name in dict.fromkeys([*names, *found]))
