"""What a clip of an AAF is made of: from the file's mob to its locator, tape and timecode.

A composition refers to a master mob, whose slot refers to a file's source mob, whose slot refers
to a tape's or an import's, whose timecode slot counts the source. Timecode is taken from the
first mob of that chain that has one, never added up: Premiere repeats the timecode of a tape as
the position on it, and what it says twice is taken once.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from adapters.timelines.aaf.statements import (
    Count,
    Descriptor,
    Effect,
    Mob,
    Reference,
    Segment,
    Series,
    Slot,
    Storage,
)
from core.time import exact_fps

_CHAIN = 20
_NOTES = 40
_TAPE = "TapeDescriptor"
_IMPORT = "ImportDescriptor"
_NTSC = 1001
_MOST_CHANNELS = 2


@dataclass(frozen=True, slots=True)
class Material:
    """A file that a timeline refers to; times in seconds.

    timecode: of the file's first sample, None where nothing counts it. length: None where unsaid.
    imported: URL of the file that this one was made from. notes: pairs of name and text.
    """

    name: str
    mob: str
    url: str = ""
    reel: str = ""
    scene: str = ""
    take: str = ""
    timecode: Fraction | None = None
    length: Fraction | None = None
    channels: tuple[int, ...] = ()
    imported: str = ""
    notes: tuple[tuple[str, str], ...] = ()


def slot_of(mob: Mob, slot_id: int) -> Slot | None:
    """A mob's slot by its number."""
    return next((slot for slot in mob.slots if slot.id == slot_id), None)


def material(
    storage: Storage,
    source: Mob,
    reference: Reference,
    master: tuple[Mob, Slot] | None,
    fps: Fraction,
) -> Material:
    """What a reference to a source mob stands for.

    master: the clip by which it was reached, and its slot. fps: of the cut.
    """
    mob, slot = source, slot_of(source, reference.slot)
    timecode, reel, imported = _origin(storage, source, slot, fps)
    comments = dict(master[0].comments) if master else dict(source.comments)
    lower = {name.strip().casefold(): text.strip() for name, text in comments.items()}
    described = mob.descriptor or Descriptor("")
    name = master[0].name if master else mob.name
    notes = [("source mob", mob.name)] if mob.name and mob.name != name else []
    notes += [(key, text) for key, text in comments.items() if key and text]
    return Material(
        name=name,
        mob=mob.id,
        url=described.urls[0] if described.urls else "",
        reel=reel or _first(lower, "soundroll", "sound roll", "tape", "tapename"),
        scene=_first(lower, "scene"),
        take=_first(lower, "take", "take number"),
        timecode=timecode,
        length=_length(described, slot),
        channels=_channels(mob, slot, described, reference, master),
        imported=imported,
        notes=tuple(notes[:_NOTES]),
    )


def _first(known: dict[str, str], *names: str) -> str:
    return next((known[name] for name in names if known.get(name)), "")


def _length(described: Descriptor, slot: Slot | None) -> Fraction | None:
    if described.length and described.rate:
        return described.length / described.rate
    if slot is not None and slot.rate and slot.segment.length > 0:
        return slot.segment.length / slot.rate
    return None


def _channels(
    mob: Mob,
    slot: Slot | None,
    described: Descriptor,
    reference: Reference,
    master: tuple[Mob, Slot] | None,
) -> tuple[int, ...]:
    """Channels of the file that sound, from 0; empty where the timeline does not say."""
    if reference.channel_ids:
        lowest = min(1, *reference.channel_ids)
        return tuple(number - lowest for number in reference.channel_ids)
    width = described.channels
    if width == 1:
        return (0,)
    own = [each.id for each in mob.slots if each.kind == "Sound"]
    if len(own) > 1 and slot is not None and slot.id in own:
        return (own.index(slot.id),)
    if master is not None:
        same = [each.id for each in master[0].slots if _leads_to(each.segment, reference)]
        if len(same) > 1 and master[1].id in same:
            return (same.index(master[1].id),)
    return tuple(range(width)) if 0 < width <= _MOST_CHANNELS else ()


def _leads_to(segment: Segment, reference: Reference) -> bool:
    inner = _reference_in(segment)
    return inner is not None and (inner.mob, inner.slot) == (reference.mob, reference.slot)


def _reference_in(segment: Segment) -> Reference | None:
    """The first clip in a segment, where it is plain."""
    for _ in range(_CHAIN):
        if isinstance(segment, Reference):
            return segment
        parts = (
            segment.parts
            if isinstance(segment, Series)
            else segment.inputs
            if isinstance(segment, Effect)
            else ()
        )
        if not parts:
            return None
        segment = parts[0]
    return None


def _origin(
    storage: Storage, source: Mob, slot: Slot | None, fps: Fraction
) -> tuple[Fraction | None, str, str]:
    """Timecode (seconds) of a file's first sample, the reel, and the URL it was imported from."""
    timecode: Fraction | None = None
    reel = imported = ""
    position = Fraction(0)
    stated = Fraction(0)
    mob: Mob | None = source
    for _ in range(_CHAIN):
        if mob is None:
            break
        kind = mob.descriptor.kind if mob.descriptor else ""
        if kind == _TAPE and not reel:
            reel = mob.name
        if kind == _IMPORT and mob.descriptor and mob.descriptor.urls and not imported:
            imported = mob.descriptor.urls[0]
        if timecode is None:
            timecode = _timecode(storage, mob, position, stated, fps)
        inner = _reference_in(slot.segment) if slot is not None else None
        if inner is None or not inner.mob or slot is None or not slot.rate:
            break
        stated = inner.start / slot.rate
        position += stated
        mob = storage.mobs.get(inner.mob)
        slot = slot_of(mob, inner.slot) if mob is not None else None
    return timecode, reel, imported


def _timecode(
    storage: Storage, mob: Mob, position: Fraction, stated: Fraction, fps: Fraction
) -> Fraction | None:
    """Timecode in seconds of a position in a mob, by its timecode slot."""
    for slot in mob.slots:
        count = _count_in(slot.segment)
        if count is None or not 0 < count.fps <= 1000 or slot.rate is None:
            continue
        rate = counting_rate(slot.rate, count.fps, fps)
        start = count.start / rate
        twice = "premiere" in storage.product.casefold() and start > 0 and stated == start
        return position if twice else start + position
    return None


def _count_in(segment: Segment) -> Count | None:
    parts = segment.parts if isinstance(segment, Series) else (segment,)
    return next((part for part in parts if isinstance(part, Count)), None)


def counting_rate(rate: Fraction, nominal: int, fps: Fraction) -> Fraction:
    """Frames a second of a timecode track that counts `nominal` frame numbers a second.

    rate: of its slot, which may be a sample rate. fps: of the cut, which tells 23.976 from 24.
    """
    if rate < 1000 and round(rate) == nominal:
        return exact_fps(rate)
    return Fraction(nominal * 1000, _NTSC) if fps.denominator == _NTSC else Fraction(nominal)
