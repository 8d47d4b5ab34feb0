"""What an OpenTimelineIO file says, item by item: the first of two stages.

Every version of a schema is read alike: `Clip.1` has one media reference, `Clip.2` several by
name; `Sequence` and `Filler` are old names of Track and Gap; `Marker.3` has a table for a color.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from adapters.timelines.otio.json import (
    Clock,
    Span,
    Table,
    exact_times,
    near,
    number,
    rows,
    schema,
    table,
    text,
)
from core.errors import InputError

MAX_ITEMS = 50_000
MAX_DEPTH = 50
MAX_LAYINGS = 600_000
"""Items, each as often as nests lie around it: it is laid out anew for every one."""

MAX_REFERENCES = 64
MAX_EFFECTS = 1000
"""Of one clip."""

DEFAULT_MEDIA = "DEFAULT_MEDIA"

_KNOWN = {"Clip": 2, "Track": 1, "Sequence": 1, "Stack": 1, "Gap": 1, "Filler": 1, "Transition": 1}
_CHANGING = ("timewarp", "time warp", "retime", "speed ramp", "timeremap", "time remap")
_MAX_SPEED = 1000


@dataclass(frozen=True)
class Mark:
    """A marker of an item, in the item's own time."""

    span: Span
    name: str
    note: str
    color: str
    metadata: Table


@dataclass(frozen=True)
class Reference:
    """A media reference."""

    name: str
    url: str
    available: Span | None
    metadata: Table


@dataclass(frozen=True)
class Warp:
    """What the time effects of an item do.

    speed: media consumed in the time that the item takes. changing: names of those whose speed
    is not constant or can't be read.
    """

    speed: Fraction = Fraction(1)
    changing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gap:
    """A stretch of nothing. why: where it stands for something that is not read."""

    length: Fraction
    why: str = ""


@dataclass(frozen=True)
class Transition:
    """early, late: how far it reaches before and after the cut point. name: with its type."""

    early: Fraction
    late: Fraction
    name: str


@dataclass(frozen=True)
class Common:
    """What clips and nests share. span: the source_range, None where there is none or no sense."""

    name: str
    span: Span | None
    enabled: bool
    warp: Warp
    effects: tuple[Table, ...]
    marks: tuple[Mark, ...]
    metadata: Table


def plain(name: str = "") -> Common:
    """What an item has that says nothing but its name."""
    return Common(name, None, True, Warp(), (), (), {})


@dataclass(frozen=True)
class Clip:
    """references: by name; active: the name of the one that plays."""

    common: Common
    references: tuple[tuple[str, Reference], ...]
    active: str


@dataclass(frozen=True)
class Nest:
    """A Track or a Stack, with what it holds. kind: of a track, as written, in lower case."""

    common: Common
    stack: bool
    kind: str
    children: tuple[Child, ...]


Child = Clip | Gap | Transition | Nest


@dataclass
class Reading:
    """What goes along while a file is read. path: for messages.

    where: the track that is being read. warnings grows, as do items (how many there were),
    layings and newer (schemas of a version that is not known, each once).
    """

    path: Path
    clock: Clock
    warnings: list[str]
    where: str = ""
    items: int = 0
    layings: int = 0
    newer: dict[str, None] = field(default_factory=dict)


def nest(raw: Table, reading: Reading, depth: int = 0) -> Nest:
    """A Stack or Track with all that it holds, down to MAX_DEPTH.

    Raises InputError where the file has more items than a timeline can have.
    """
    name, _ = schema(raw)
    children: list[Child] = []
    for i, child in enumerate(rows(raw.get("children")), 1):
        if depth == 0:
            reading.where = text(table(child).get("name")) or f"track {i}"
        children.append(_child(table(child), reading, depth + 1))
    if depth == 0:
        reading.where = "the timeline"
    return Nest(
        common=_common(raw, reading),
        stack=name == "Stack",
        kind=text(raw.get("kind")).lower(),
        children=tuple(children),
    )


def _child(raw: Table, reading: Reading, depth: int) -> Child:
    _count(reading, depth)
    name, version = schema(raw)
    if version > _KNOWN.get(name, version):
        reading.newer[f"{name}.{version}"] = None
    exact = exact_times(table(raw.get("metadata")))
    if name == "Clip":
        return _clip(raw, reading)
    if name in ("Gap", "Filler"):
        span = reading.clock.span(raw.get("source_range"), exact)
        return Gap(span.length) if span else Gap(Fraction(0), "a gap of no length")
    if name == "Transition":
        return _transition(raw, reading)
    span = reading.clock.span(raw.get("source_range"), exact)
    if name in ("Stack", "Track", "Sequence"):
        if depth <= MAX_DEPTH:
            return nest(raw, reading, depth)
        why = f"{text(raw.get('name'))!r} is nested over {MAX_DEPTH} deep"
    else:
        why = f"{text(raw.get('name'))!r} is of an unknown kind ({name or 'no schema'})"
    return Gap(span.length if span else Fraction(0), why)


def _count(reading: Reading, depth: int = 1) -> None:
    reading.items += 1
    reading.layings += depth
    if reading.layings > MAX_LAYINGS:
        raise InputError(f"{reading.path} has too many clips in nests of nests; flatten them.")
    if reading.items > MAX_ITEMS:
        raise InputError(
            f"{reading.path} has over {MAX_ITEMS:,} clips, gaps, transitions and markers; export "
            "a part of it."
        )


def _common(raw: Table, reading: Reading) -> Common:
    metadata = table(raw.get("metadata"))
    exact = exact_times(metadata)
    effects = tuple(table(effect) for effect in rows(raw.get("effects"))[:MAX_EFFECTS])
    span = reading.clock.span(raw.get("source_range"), exact)
    if span is None and raw.get("source_range") is not None:
        reading.warnings.append(
            f"{reading.where}: the range of {text(raw.get('name'))!r} makes no sense; its media's "
            "is used."
        )
    return Common(
        name=text(raw.get("name")),
        span=span,
        enabled=raw.get("enabled") is not False,
        warp=_warp(effects, exact),
        effects=effects,
        marks=tuple(_marks(raw, reading)),
        metadata=metadata,
    )


def _clip(raw: Table, reading: Reading) -> Clip:
    several = table(raw.get("media_references"))
    if not several and raw.get("media_reference") is not None:
        several = {DEFAULT_MEDIA: raw.get("media_reference")}
    active = text(raw.get("active_media_reference_key")) or DEFAULT_MEDIA
    names = list(several)
    if len(names) > MAX_REFERENCES:
        reading.warnings.append(
            f"{reading.where}: {text(raw.get('name'))!r} has {len(names)} media references; "
            f"{MAX_REFERENCES} of them are read."
        )
        names = sorted(names, key=lambda name: name != active)[:MAX_REFERENCES]
    references = tuple((text(name), _reference(table(several[name]), reading)) for name in names)
    return Clip(common=_common(raw, reading), references=references, active=active)


def _reference(raw: Table, reading: Reading) -> Reference:
    metadata = table(raw.get("metadata"))
    name, _ = schema(raw)
    url = text(raw.get("target_url"))
    if name == "ImageSequenceReference":
        url = text(raw.get("target_url_base")) + text(raw.get("name_prefix"))
    return Reference(
        name=text(raw.get("name")),
        url=url,
        available=reading.clock.span(raw.get("available_range"), exact_times(metadata)),
        metadata=metadata,
    )


def _transition(raw: Table, reading: Reading) -> Transition:
    exact = exact_times(table(raw.get("metadata")))
    early = reading.clock.frames(raw.get("in_offset"), exact)
    late = reading.clock.frames(raw.get("out_offset"), exact)
    name = text(raw.get("name"))
    if early is None or late is None or early < 0 or late < 0:
        reading.warnings.append(f"{reading.where}: the transition {name!r} has no length.")
        early = late = Fraction(0)
    return Transition(early, late, f"{name} {text(raw.get('transition_type'))}".strip())


def _warp(effects: tuple[Table, ...], exact: dict[float, Fraction]) -> Warp:
    speed, changing = Fraction(1), []
    for effect in effects:
        name, _ = schema(effect)
        called = text(effect.get("effect_name")) or text(effect.get("name")) or name
        if name == "FreezeFrame":
            speed = Fraction(0)
        elif name == "LinearTimeWarp":
            scalar = number(effect.get("time_scalar"))
            if scalar is None or abs(scalar) > _MAX_SPEED:
                changing.append(called)
            else:
                speed *= exact.get(scalar) or near(scalar)
        elif is_time_effect(effect):
            changing.append(called)
    return Warp(speed, tuple(changing))


def is_time_effect(effect: Table) -> bool:
    """Whether an effect changes speed."""
    name, _ = schema(effect)
    if name in ("LinearTimeWarp", "FreezeFrame", "TimeEffect"):
        return True
    own = table(table(effect.get("metadata")).get("Resolve_OTIO"))
    words = (effect.get("effect_name"), effect.get("name"), own.get("Effect Name"), name)
    return any(mark in text(word).lower() for word in words for mark in _CHANGING)


def _marks(raw: Table, reading: Reading) -> Iterator[Mark]:
    for entry in rows(raw.get("markers")):
        _count(reading)
        marker = table(entry)
        metadata = table(marker.get("metadata"))
        span = reading.clock.span(marker.get("marked_range"), exact_times(metadata))
        if span is None:
            reading.warnings.append(
                f"{reading.where}: the marker {text(marker.get('name'))!r} has no place."
            )
            continue
        color = marker.get("color")
        yield Mark(
            span=span,
            name=text(marker.get("name")),
            note=text(marker.get("comment")) or _foreign_comment(metadata),
            color=text(color) or text(table(color).get("name")),
            metadata=metadata,
        )


def _foreign_comment(metadata: Table) -> str:
    """A marker's note where an adapter for an older schema left it."""
    found = (text(table(dialect).get("comment")) for dialect in metadata.values())
    return next((note for note in found if note), "")
