"""Lays the segments of an AAF's slot out in time: clips with their place, source and level.

Times are exact seconds, since every slot counts in a rate of its own. A transition pulls what
follows it back by its length, so the clips at its sides overlap as they do in a `Cut`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

from adapters.timelines.aaf.effects import (
    Kind,
    gain_of,
    kind_of,
    pan_of,
    shape_of,
    speed_of,
)
from adapters.timelines.aaf.laid import (
    Laid,
    at_speed,
    beginning,
    ending,
    faded,
    joined,
    louder,
    trimmed,
)
from adapters.timelines.aaf.sources import Material, material, slot_of
from adapters.timelines.aaf.statements import (
    Blend,
    Choice,
    Effect,
    Gap,
    Group,
    LayerReference,
    Layers,
    Mob,
    Reference,
    Segment,
    Series,
    Slot,
    Storage,
)
from core.cut import Fade, FadeShape
from core.errors import InputError

MAX_EVENTS = 200_000
_MAX_STEPS = 2_000_000
_MAX_POINTS = 500_000
_MAX_DEPTH = 100
_MAX_WARNINGS = 1000
_MAX_MOBS = 50


@dataclass(frozen=True, slots=True)
class _Scope:
    """The layers around a segment: which one it is in, and when they begin."""

    layers: tuple[Segment, ...]
    index: int
    at: Fraction
    rate: Fraction


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a segment stands: its slot's rate, when it begins, and what it was reached through."""

    rate: Fraction
    at: Fraction = Fraction(0)
    depth: int = 0
    scopes: tuple[_Scope, ...] = ()
    master: tuple[Mob, Slot] | None = None
    path: tuple[tuple[str, int], ...] = ()


@dataclass
class Layout:
    """Lays slots out. storage: the file. fps: the cut's. label: of the track, for warnings.

    Raises InputError where a cut has more events, or takes more steps, than a cut can.
    """

    storage: Storage
    fps: Fraction
    label: str = ""
    sound: bool = True
    warnings: dict[str, None] = field(default_factory=dict)
    events: int = 0
    steps: int = 0
    points: int = 0
    _materials: dict[tuple[object, ...], Material] = field(default_factory=dict)
    _mobs: dict[tuple[str, int], tuple[Laid, ...]] = field(default_factory=dict)
    _layers: dict[int, tuple[Segment, tuple[Laid, ...]]] = field(default_factory=dict)

    def slot(self, slot: Slot, label: str) -> tuple[Laid, ...]:
        """The clips of a slot, in order of their start."""
        self.label, self.sound = label, slot.kind == "Sound"
        rate = slot.rate or self.fps
        laid = self._lay(slot.segment, _Place(rate))
        self.events += len(laid)
        self._count(0)
        return tuple(sorted(laid, key=lambda one: one.at))

    def warn(self, text: str) -> None:
        """Keep a warning about the track at hand, once."""
        if len(self.warnings) < _MAX_WARNINGS:
            self.warnings[f"{self.label}: {text}"] = None

    def _count(self, steps: int) -> None:
        self.steps += steps
        if self.steps > _MAX_STEPS or self.events > MAX_EVENTS:
            raise InputError(f"more than {MAX_EVENTS} events, or nesting without end")

    def _lay(self, segment: Segment, place: _Place) -> list[Laid]:
        self._count(1)
        if place.depth > _MAX_DEPTH:
            self.warn(f"nesting deeper than {_MAX_DEPTH} is left out.")
            return []
        below = replace(place, depth=place.depth + 1)
        match segment:
            case Reference():
                return self._reference(segment, place)
            case Series():
                return self._series(segment, below)
            case Effect():
                return self._effect(segment, below)
            case Choice():
                return self._choice(segment, below)
            case Layers():
                return self._top_layer(segment.layers, below)
            case LayerReference():
                return self._other_layer(segment, below)
            case Group():
                tried = (self._lay(choice, below) for choice in segment.choices)
                return next((laid for laid in tried if laid), [])
            case Gap(kind=kind) if kind and self.sound:
                self.warn(f"a segment of class {kind} is not sound that can be read: silent.")
        return []

    def _reference(self, reference: Reference, place: _Place) -> list[Laid]:
        if not reference.mob or not reference.length:
            return []
        mob = self.storage.mobs.get(reference.mob)
        slot = slot_of(mob, reference.slot) if mob is not None else None
        start = Fraction(reference.start) / place.rate
        length = Fraction(reference.length) / place.rate
        if mob is None or (slot is None and mob.kind != "source"):
            self.warn(f"a clip refers to {reference.mob}, which the file does not hold: offline.")
            name = place.master[0].name if place.master else ""
            return [self._offline(name, reference, place, start)]
        if slot is not None and slot.rate:
            start += Fraction(slot.origin) / slot.rate
        if mob.kind == "source":
            made = self._material(mob, reference, place.master)
            return [faded(Laid(place.at, length, made, start), reference, place.rate)]
        assert slot is not None
        if slot.segment == Reference(slot.segment.length, 0, "", 0) and mob.kind == "master":
            self.warn(f"the clip {mob.name!r} leads to no file: offline.")
            return [self._offline(mob.name, reference, place, start)]
        inner = self._inside(mob, slot, place)
        if isinstance(slot.segment, Reference) and len(inner) == 1:
            only = inner[0]
            clip = replace(
                only, at=place.at, length=length, position=only.position + start * only.speed
            )
            laid = [replace(clip, fade_in=None, fade_out=None)]
        else:
            laid = trimmed(inner, start, length, place.at)
        self._count(len(laid))
        return [faded(one, reference, place.rate) for one in laid]

    def _offline(self, name: str, reference: Reference, place: _Place, start: Fraction) -> Laid:
        """A clip of media that the file says nothing of."""
        length = Fraction(reference.length) / place.rate
        clip = Laid(place.at, length, Material(name, reference.mob), start)
        return faded(clip, reference, place.rate)

    def _inside(self, mob: Mob, slot: Slot, place: _Place) -> tuple[Laid, ...]:
        """The clips of another mob's slot, from its start; laid once and kept."""
        key = (mob.id, slot.id)
        if key in place.path or len(place.path) >= _MAX_MOBS:
            self.warn(f"{mob.name!r} refers to itself or is nested too deep: left out.")
            return ()
        if key not in self._mobs:
            inner = _Place(
                rate=slot.rate or place.rate,
                depth=place.depth + 1,
                master=(mob, slot) if mob.kind == "master" else place.master,
                path=(*place.path, key),
            )
            segment = slot.segment
            if isinstance(segment, Reference):  # its length is said elsewhere, and may be 0 here
                segment = replace(segment, length=max(1, segment.length))
            self._mobs[key] = tuple(self._lay(segment, inner))
            self.points += sum(len(one.lane.points) for one in self._mobs[key] if one.lane)
            if self.points > _MAX_POINTS:
                raise InputError(f"more than {_MAX_POINTS} points of automation")
        return self._mobs[key]

    def _material(
        self, mob: Mob, reference: Reference, master: tuple[Mob, Slot] | None
    ) -> Material:
        by = (master[0].id, master[1].id) if master else ("", 0)
        key = (mob.id, reference.slot, reference.channel_ids, by)
        if key not in self._materials:
            self._materials[key] = material(self.storage, mob, reference, master, self.fps)
        return self._materials[key]

    def _series(self, series: Series, place: _Place) -> list[Laid]:
        """Parts one after another. A transition's fades go to the clips that meet in it."""
        laid: list[Laid] = []
        at = place.at
        before: tuple[int, Fraction] | None = None  # where the last part's clips begin, its length
        blend: tuple[Fraction, FadeShape] | None = None
        for part in series.parts:
            if isinstance(part, Blend):
                if before is None or blend is not None:
                    self.warn("a transition with nothing before it is ignored.")
                    continue
                length = min(Fraction(part.length) / place.rate, before[1])
                blend = (length, self._shape(part))
                at -= length
                continue
            length = length_of(part) / place.rate
            clips = self._lay(part, replace(place, at=at))
            if blend is not None and before is not None:
                overlap = min(blend[0], length)
                at += blend[0] - overlap
                if overlap < blend[0]:
                    self.warn("a transition longer than the clip after it is shortened.")
                    clips = self._lay(part, replace(place, at=at))
                fade = Fade(overlap, blend[1])
                ends = at + overlap
                laid[before[0] :] = [ending(one, ends, fade) for one in laid[before[0] :]]
                clips = [beginning(one, at, fade) for one in clips]
            before, blend = (len(laid), length), None
            laid += clips
            at += length
            if len(laid) > MAX_EVENTS:
                raise InputError(f"more than {MAX_EVENTS} events")
        return laid

    def _shape(self, blend: Blend) -> FadeShape:
        if blend.name and "dissolve" not in blend.name.casefold() and self.sound:
            self.warn(f"the transition {blend.name!r} is read as a dissolve.")
        return shape_of(blend)

    def _effect(self, effect: Effect, place: _Place) -> list[Laid]:
        kind = kind_of(effect)
        if kind is Kind.LAYERS:
            return self._top_layer(effect.inputs, place)
        if kind is Kind.LEGS:
            legs = [one for part in effect.inputs for one in self._lay(part, place)]
            return joined(legs)
        laid = self._lay(effect.inputs[0], place) if effect.inputs else []
        seconds = Fraction(effect.length) / place.rate
        if kind is Kind.SPEED:
            speed = speed_of(effect)
            if speed is None:
                self.warn(f"the speed of {effect.name!r} is not given: it plays at its own.")
                return laid
            return at_speed(laid, speed, seconds, place.at, place.rate)
        if kind is Kind.GAIN:
            lane = gain_of(effect, seconds)
            self._count(len(laid) * len(lane.points) // 16)
            return [louder(one, lane, place.at, seconds) for one in laid]
        if kind is Kind.PAN:
            return self._panned(laid, effect, place.at, seconds)
        if self.sound:
            self.warn(f"the effect {effect.name or effect.operation!r} is ignored.")
        return laid

    def _panned(
        self, laid: list[Laid], effect: Effect, at: Fraction, seconds: Fraction
    ) -> list[Laid]:
        points = [(at + share * seconds, pan) for share, pan in pan_of(effect)]
        if not points:
            return laid
        panned = []
        for one in laid:
            before = [pan for time, pan in points if time <= one.at] or [points[0][1]]
            during = {pan for time, pan in points if one.at < time < one.end}
            if during - {before[-1]}:
                self.warn("pan that moves is read as it is where a clip begins.")
            panned.append(replace(one, pan=before[-1]))
        self._count(len(laid) * len(points) // 16)
        return panned

    def _choice(self, choice: Choice, place: _Place) -> list[Laid]:
        """Avid mutes a clip by selecting what is beneath it and keeping the clip beside."""
        if isinstance(choice.selected, Gap | LayerReference) and choice.alternates:
            laid = self._lay(choice.alternates[0], place)
            return [replace(one, muted=True) for one in laid]
        return self._lay(choice.selected, place)

    def _top_layer(self, layers: tuple[Segment, ...], place: _Place) -> list[Laid]:
        if not layers:
            return []
        scope = _Scope(layers, len(layers) - 1, place.at, place.rate)
        return self._lay(layers[-1], replace(place, scopes=(*place.scopes, scope)))

    def _other_layer(self, reference: LayerReference, place: _Place) -> list[Laid]:
        """The stretch of a layer below that shows through."""
        outer = len(place.scopes) - 1 - reference.scope
        if not 0 <= outer < len(place.scopes):
            return []
        scope = place.scopes[outer]
        index = scope.index - reference.layer
        if not 0 <= index < len(scope.layers) or reference.layer < 1:
            return []
        layer = scope.layers[index]
        key = id(layer)
        if key not in self._layers:
            scopes = (*place.scopes[:outer], replace(scope, index=index))
            inner = replace(place, at=scope.at, rate=scope.rate, scopes=scopes)
            self._layers[key] = (layer, tuple(self._lay(layer, inner)))
        laid = self._layers[key][1]
        self._count(len(laid) // 16)
        length = Fraction(reference.length) / place.rate
        return trimmed(laid, place.at, length, place.at)


def length_of(segment: Segment) -> Fraction:
    """A segment's length in edit units: a sequence's is that of its parts, less transitions."""
    if not isinstance(segment, Series) or not segment.parts:
        return Fraction(segment.length)
    total = Fraction(0)
    for part in segment.parts:
        total += -part.length if isinstance(part, Blend) else length_of(part)
    return max(total, Fraction(0))
