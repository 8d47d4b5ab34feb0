"""From pyaaf2's objects to plain statements: bounded in number and depth.

pyaaf2 decodes a property when it is asked for, so damage shows anywhere and as anything. What
can't be decoded counts as absent; the whole walk visits at most MAX_OBJECTS objects.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from adapters.timelines.aaf.riff import summary_format
from adapters.timelines.aaf.statements import (
    Blend,
    Choice,
    ControlPoint,
    Count,
    Descriptor,
    Effect,
    Gap,
    Group,
    LayerReference,
    Layers,
    Mob,
    Note,
    Parameter,
    Reference,
    Segment,
    Series,
    Slot,
    Storage,
)
from core.errors import InputError
from core.time import exact_fps

MAX_OBJECTS = 1_000_000
"""Objects of a file that are looked at: some five for each event of a cut."""
MAX_DEPTH = 50
_MAX_TEXT = 1000
_MAX_HEAD = 16384
_MAX_UNITS = 1 << 62
_MAX_RATE = 1_000_000
_AUDIO_RATE = 1000
_SOUND = ("01030202-0200-0000-060e-2b3404010101", "78e1ebe1-6cef-11d2-807d-006008143e6f")
_PICTURE = ("01030202-0100-0000-060e-2b3404010101", "6f3c8ce1-6cef-11d2-807d-006008143e6f")
_INTERPOLATIONS = {
    "5b6c85a4-0ede-11d3-80a9-006008143e6f": "linear",
    "5b6c85a5-0ede-11d3-80a9-006008143e6f": "constant",
    "15829ec3-1f24-458a-960d-c65bb23c2aa1": "log",
    "c09153f7-bd18-4e5a-ad09-cbdd654fa001": "power",
}
_MOBS = {"CompositionMob": "composition", "MasterMob": "master", "SourceMob": "source"}


class Walk:
    """Counts the objects that are looked at. Raises InputError past MAX_OBJECTS."""

    def __init__(self) -> None:
        self.left = MAX_OBJECTS
        self.warnings: dict[str, None] = {}

    def step(self) -> None:
        """Count one object."""
        self.left -= 1
        if self.left < 0:
            raise InputError("more objects than a cut can have")

    def warn(self, sentence: str) -> None:
        """Keep a warning, once."""
        if len(self.warnings) < 1000:
            self.warnings[sentence] = None


def read_storage(file: Any) -> Storage:
    """All mobs of an open pyaaf2 file. Raises InputError, or whatever pyaaf2 raises."""
    walk = Walk()
    mobs: dict[str, Mob] = {}
    content = file.content
    for mob in _members(content.mobs, walk):
        made = _mob(mob, walk)
        if made is not None:
            mobs[made.id] = made
    product = ""
    for identification in _objects(_properties(file.header), "IdentificationList", walk):
        product = _text(_value(_properties(identification), "ProductName"))
    return Storage(mobs, frozenset(_embedded(content)), product, tuple(walk.warnings))


def _embedded(content: Any) -> Iterator[str]:
    """The mobs that have essence in the file, by the keys of the set, without reading it."""
    with contextlib.suppress(Exception):
        for key in content["EssenceData"].references:
            yield str(key)


def _mob(mob: Any, walk: Walk) -> Mob | None:
    kind = _MOBS.get(type(mob).__name__)
    found = _properties(mob)
    mob_id = _text(_value(found, "MobID"))
    if kind is None or not mob_id:
        return None
    name = _text(_value(found, "Name"))
    slots = tuple(_slot(slot, name, walk) for slot in _objects(found, "Slots", walk))
    descriptor = next(iter(_objects(found, "EssenceDescription", walk)), None)
    return Mob(
        id=mob_id,
        kind=kind,
        name=name,
        usage=_text(_value(found, "UsageCode")),
        slots=slots,
        descriptor=_descriptor(descriptor, walk) if descriptor is not None else None,
        comments=_tags(found, "UserComments", walk),
    )


def _slot(slot: Any, mob: str, walk: Walk) -> Slot:
    found = _properties(slot)
    segment = next(iter(_objects(found, "Segment", walk)), None)
    marks: tuple[Note, ...] = ()
    made: Segment = Gap(0)
    if type(slot).__name__ == "EventMobSlot":
        marks = tuple(_marks(segment, walk))
    elif segment is not None:
        made = _segment(segment, mob, 0, walk)
    return Slot(
        id=_whole(_value(found, "SlotID")),
        name=_text(_value(found, "SlotName")),
        kind=_kind(segment, walk),
        rate=_rate(_value(found, "EditRate")),
        number=_whole(_value(found, "PhysicalTrackNumber")),
        origin=_whole(_value(found, "Origin")),
        segment=made,
        marks=marks,
        attributes=_tags(found, "TimelineMobAttributeList", walk),
    )


def _kind(segment: Any, walk: Walk) -> str:
    """`Sound`, `Picture` or what the data definition calls itself; of the parts where unsaid."""
    for _ in range(MAX_DEPTH):
        if segment is None:
            return ""
        found = _properties(segment)
        definition = _value(found, "DataDefinition")
        auid = _text(_value(_properties(definition), "Identification")) if definition else ""
        if auid in _SOUND:
            return "Sound"
        if auid in _PICTURE:
            return "Picture"
        if definition:
            return _text(getattr(definition, "short_name", ""))
        parts = _objects(found, "Components", walk) or _objects(found, "InputSegments", walk)
        segment = next(iter(parts), None)
    return ""


def _segment(item: Any, mob: str, depth: int, walk: Walk) -> Segment:
    """A segment and what is in it; `mob` is the name of the mob it is in, for warnings."""
    walk.step()
    found = _properties(item)
    kind = type(item).__name__
    length = max(0, _whole(_value(found, "Length")))
    if depth >= MAX_DEPTH:
        walk.warn(f"{mob!r} is nested more than {MAX_DEPTH} deep; what is deeper is left out.")
        return Gap(length)

    def inside(name: str) -> tuple[Segment, ...]:
        return tuple(_segment(part, mob, depth + 1, walk) for part in _objects(found, name, walk))

    if kind == "SourceClip":
        return _reference(found, length)
    if kind == "Sequence":
        return Series(length, inside("Components"))
    if kind == "Transition":
        group = next(iter(_objects(found, "OperationGroup", walk)), None)
        operation, name, parameters = _operation(group, walk)
        return Blend(length, operation, name, parameters)
    if kind == "OperationGroup":
        operation, name, parameters = _operation(item, walk)
        return Effect(length, operation, name, parameters, inside("InputSegments"))
    if kind == "Selector":
        selected = inside("Selected")
        return Choice(length, selected[0] if selected else Gap(length), inside("Alternates"))
    if kind == "NestedScope":
        return Layers(length, inside("Slots"))
    if kind == "ScopeReference":
        numbers = (_whole(_value(found, name)) for name in ("RelativeScope", "RelativeSlot"))
        return LayerReference(length, *numbers)
    if kind == "EssenceGroup":
        return Group(length, inside("Choices"))
    if kind == "Timecode":
        start, fps = (_whole(_value(found, name)) for name in ("Start", "FPS"))
        return Count(length, start, fps, bool(_value(found, "Drop")))
    return Gap(length, "" if kind == "Filler" else kind)


def _reference(found: dict[str, Any], length: int) -> Reference:
    mob = _text(_value(found, "SourceID"))
    ids = _value(found, "ChannelIDs")
    return Reference(
        length=length,
        start=_whole(_value(found, "StartTime")),
        mob=mob if any(character in "123456789abcdef" for character in mob[15:]) else "",
        slot=_whole(_value(found, "SourceMobSlotID")),
        channel_ids=tuple(_whole(one) for one in ids[:64]) if isinstance(ids, list) else (),
        fade_in=max(0, _whole(_value(found, "FadeInLength"))),
        fade_in_type=_fade_type(_value(found, "FadeInType")),
        fade_out=max(0, _whole(_value(found, "FadeOutLength"))),
        fade_out_type=_fade_type(_value(found, "FadeOutType")),
    )


def _fade_type(value: Any) -> int:
    return {"FadeLinearAmp": 1, "FadeLinearPower": 2}.get(str(value), 0)


def _operation(group: Any, walk: Walk) -> tuple[str, str, tuple[Parameter, ...]]:
    if group is None:
        return "", "", ()
    found = _properties(group)
    definition = _value(found, "Operation")
    known = _properties(definition) if definition is not None else {}
    parameters = tuple(_parameter(item, walk) for item in _objects(found, "Parameters", walk))
    return _text(_value(known, "Identification")), _text(_value(known, "Name")), parameters


def _parameter(item: Any, walk: Walk) -> Parameter:
    found = _properties(item)
    name = ""
    with contextlib.suppress(Exception):
        name = _text(item.name)
    points = []
    for point in _objects(found, "PointList", walk):
        inside = _properties(point)
        at, value = _number(_value(inside, "Time")), _number(_value(inside, "Value"))
        if at is not None and value is not None:
            points.append(ControlPoint(at, value))
    rule = _value(found, "Interpolation")
    known = _properties(rule) if rule is not None else {}
    auid = _text(_value(known, "Identification"))
    return Parameter(
        auid=_text(_value(found, "Definition")),
        name=name,
        constant=_number(_value(found, "Value")),
        points=tuple(sorted(points, key=lambda point: point.at)),
        interpolation=_INTERPOLATIONS.get(auid, _text(_value(known, "Name"))),
    )


def _marks(segment: Any, walk: Walk) -> Iterator[Note]:
    if segment is None:
        return
    parts = _objects(_properties(segment), "Components", walk) or [segment]
    for part in parts:
        found = _properties(part)
        if "Position" not in found:
            continue
        attributes = dict(_tags(found, "CommentMarkerAttributeList", walk))
        yield Note(
            at=_whole(_value(found, "Position")),
            length=max(0, _whole(_value(found, "Length"))),
            text=_text(_value(found, "Comment")) or attributes.get("_ATN_CRM_COM", ""),
            color=attributes.get("_ATN_CRM_COLOR", ""),
            user=_text(_value(found, "CommentMarkerUSer")) or attributes.get("_ATN_CRM_USER", ""),
        )


def _descriptor(item: Any, walk: Walk) -> Descriptor:
    found = _properties(item)
    urls = []
    for locator in _objects(found, "Locator", walk):
        inside = _properties(locator)
        url = _text(_value(inside, "URLString")) or _text(_value(inside, "Name"))
        urls += [url] if url else []
    rate, audio = (_rate(_value(found, name)) for name in ("SampleRate", "AudioSamplingRate"))
    head = _bytes(_value(found, "Summary"))[:_MAX_HEAD]
    format_ = summary_format(head)
    bits = _whole(_value(found, "QuantizationBits"))
    return Descriptor(
        kind=type(item).__name__,
        urls=tuple(urls),
        rate=rate or audio,
        audio_rate=audio or (Fraction(format_.rate) if format_ and format_.rate else rate),
        length=max(0, _whole(_value(found, "Length"))),
        channels=_whole(_value(found, "Channels")) or (format_.channels if format_ else 0),
        bits=bits or (format_.bits if format_ else 0),
        block_align=_whole(_value(found, "BlockAlign")),
        head=head,
    )


def _tags(found: dict[str, Any], name: str, walk: Walk) -> tuple[tuple[str, str], ...]:
    """A list of tagged values as names and text."""
    tags = []
    for item in _objects(found, name, walk):
        inside = _properties(item)
        value = _value(inside, "Value")
        if isinstance(value, str | int | Fraction):
            tags.append((_text(_value(inside, "Name")), _text(str(value))))
    return tuple(tags)


def _properties(item: Any) -> dict[str, Any]:
    """An object's properties by name; those that have none are left out."""
    found: dict[str, Any] = {}
    with contextlib.suppress(Exception):
        for each in list(item.property_entries.values()):
            with contextlib.suppress(Exception):
                if name := each.name:
                    found[name] = each
    return found


def _value(found: dict[str, Any], name: str) -> Any:
    """A property's value, None where it is absent or can't be decoded."""
    if name not in found:
        return None
    try:
        return found[name].value
    except Exception:  # pyaaf2 raises anything on damaged data
        return None


def _objects(found: dict[str, Any], name: str, walk: Walk) -> list[Any]:
    """The objects that a property holds: one, a list or a set."""
    if name not in found:
        return []
    held = found[name]
    if hasattr(held, "references"):
        return list(_members(held, walk))
    walk.step()
    try:
        value = held.value
    except InputError:
        raise
    except Exception:
        return []
    return [] if value is None else [value]


def _members(held: Any, walk: Walk) -> Iterator[Any]:
    """The members of a list or set one by one, without those that can't be read."""
    keys = held.references if isinstance(held.references, dict) else range(len(held.references))
    get: Callable[[Any], Any] = held.get
    for key in list(keys):
        walk.step()
        try:
            member = get(key)
        except Exception as fault:
            walk.warn(f"An object can't be read ({type(fault).__name__}) and is left out.")
            continue
        if member is not None:
            yield member


def _text(value: Any) -> str:
    text = "" if value is None else str(value)
    return text[:_MAX_TEXT].split("\x00", 1)[0].encode("utf-8", "replace").decode()


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    try:
        return bytes(value) if isinstance(value, list) else b""
    except (ValueError, TypeError):
        return b""


def _whole(value: Any) -> int:
    number = _number(value)
    return int(number) if number is not None else 0


def _number(value: Any) -> Fraction | None:
    """A number of any of AAF's types, None where it is none or beyond 62 bits."""
    try:
        if isinstance(value, Fraction):  # pyaaf2's own kind of fraction is not reduced
            made = Fraction(value.numerator, value.denominator)
        elif isinstance(value, int | float):
            made = Fraction(value)
        else:
            return None
    except (ValueError, OverflowError, ZeroDivisionError):
        return None
    return made if abs(made) < _MAX_UNITS else None


def _rate(value: Any) -> Fraction | None:
    """Edit units a second; 23.976 and its like become the fraction that they stand for."""
    number = _number(value)
    if number is None or not 0 < number <= _MAX_RATE:
        return None
    return exact_fps(number) if number < _AUDIO_RATE else number
