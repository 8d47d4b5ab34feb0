"""From what an AAF says to a cut: which composition, at which rate, from which timecode."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from adapters.timelines.aaf.effects import SILENCE_DB
from adapters.timelines.aaf.laid import Laid
from adapters.timelines.aaf.lay import Layout, length_of
from adapters.timelines.aaf.sources import counting_rate
from adapters.timelines.aaf.statements import (
    Choice,
    Count,
    Effect,
    Group,
    Layers,
    Mob,
    Reference,
    Segment,
    Series,
    Slot,
    Storage,
)
from core.cut import Cut, Event, Fade, GainPoint, Marker, MediaReference, Track
from core.errors import InputError
from core.time import FrameRate

_TOP_LEVEL = "Usage_TopLevel"
_PICTURE_RATES = (Fraction(1), Fraction(1000))
_MAX_TRACKS = 2000
_MAX_MARKERS = 20_000
_FORMATS = {"1": 1, "2": 2, "3": 6, "4": 8}
"""Avid's `_TRACK_FORMAT`: mono, stereo, 5.1, 7.1."""
_KINDS = {"Sound": "audio", "Picture": "video"}


def cut_of(storage: Storage, stem: str) -> Cut:
    """The cut that a file holds. stem: its name, where the composition has none.

    Raises InputError (a clause, without the file's name) where it holds none.
    """
    warnings: dict[str, None] = dict.fromkeys(storage.warnings)
    mob = _composition(storage, warnings)
    rate, start = _counting(mob, warnings)
    layout = Layout(storage, rate.fps, warnings=warnings)
    tracks: list[Track] = []
    numbers = {"audio": 0, "video": 0}
    length = Fraction(0)
    for slot in mob.slots:
        kind = _KINDS.get(slot.kind)
        if kind is None:
            continue
        if len(tracks) >= _MAX_TRACKS:
            raise InputError(f"more than {_MAX_TRACKS} tracks")
        numbers[kind] += 1
        name = slot.name.strip() or f"{kind[0].upper()}{slot.number or numbers[kind]}"
        if slot.rate is None:
            warnings[f"{name}: its edit rate is unusable, so it is left out."] = None
            continue
        laid = layout.slot(slot, name)
        tracks.append(_track(slot, name, kind, laid, rate.fps))
        length = max(length, length_of(slot.segment) / slot.rate * rate.fps)
    ends = (event.record_end for track in tracks for event in track.events)
    cut = Cut(
        name=mob.name or stem,
        rate=rate,
        start=start,
        length=max([length, *ends]),
        tracks=tuple(tracks),
        markers=tuple(_markers(mob, rate.fps)),
    )
    if not any(track.events for track in cut.tracks):
        raise InputError("an empty cut: no track has a clip")
    return replace(cut, warnings=tuple(warnings))


def _composition(storage: Storage, warnings: dict[str, None]) -> Mob:
    """The sequence of a file: what says that it is, else what no other refers to."""
    compositions = [mob for mob in storage.mobs.values() if mob.kind == "composition"]
    if not compositions:
        clips = [
            mob
            for mob in storage.mobs.values()
            if mob.kind == "master" and any(slot.kind == "Sound" for slot in mob.slots)
        ]
        if len(clips) != 1:
            raise InputError("no sequence, only clips" if clips else "no sequence")
        warnings[f"The file holds no sequence: its only clip {clips[0].name!r} is read as one."] = (
            None
        )
        return clips[0]
    top = [mob for mob in compositions if mob.usage == _TOP_LEVEL]
    if not top:
        used = {mob_id for mob in compositions for mob_id in _referred(mob)}
        top = [mob for mob in compositions if mob.id not in used] or compositions
    chosen = max(top, key=lambda mob: (_amount(mob, "Sound"), _amount(mob, "Picture")))
    if len(top) > 1:
        others = ", ".join(repr(mob.name) for mob in top[:5] if mob is not chosen)
        warnings[
            f"The file holds {len(top)} sequences: {chosen.name!r}, with the most sound, is read, "
            f"not {others}."
        ] = None
    return chosen


def _referred(mob: Mob) -> Iterator[str]:
    for slot in mob.slots:
        yield from (part.mob for part in _parts(slot.segment) if isinstance(part, Reference))


def _parts(segment: Segment) -> Iterator[Segment]:
    """A segment and all that is in it."""
    left: list[Segment] = [segment]
    while left:
        part = left.pop()
        yield part
        match part:
            case Series():
                left += part.parts
            case Effect():
                left += part.inputs
            case Choice():
                left += (part.selected, *part.alternates)
            case Layers():
                left += part.layers
            case Group():
                left += part.choices


def _amount(mob: Mob, kind: str) -> Fraction:
    """Seconds of clips on a mob's tracks of a kind."""
    return sum(
        (
            Fraction(part.length) / slot.rate
            for slot in mob.slots
            if slot.kind == kind and slot.rate
            for part in _parts(slot.segment)
            if isinstance(part, Reference)
        ),
        Fraction(0),
    )


def _counting(mob: Mob, warnings: dict[str, None]) -> tuple[FrameRate, int]:
    """The cut's frame rate and the timecode of its first frame."""
    counts = [(slot, count) for slot in mob.slots if (count := _count_in(slot.segment)) is not None]
    counts = [(slot, count) for slot, count in counts if 0 < count.fps < 1000 and slot.rate]
    fps = next((r for r in _rates(mob, "Picture")), None)
    fps = fps or next((r for r in _rates(mob, "Timecode")), None)
    fps = fps or next((r for r in _rates(mob, "Sound")), None)
    if fps is None and counts:
        slot, count = min(counts, key=lambda one: one[0].number)
        assert slot.rate is not None
        ntsc = count.drop and count.fps in (30, 60)
        fps = counting_rate(slot.rate, count.fps, Fraction(1, 1001 if ntsc else 1))
        if not ntsc and count.fps in (24, 30, 48, 60):
            warnings[
                f"The timecode counts {count.fps} frames a second without saying whether they are "
                f"slowed by 1000/1001; {count.fps} is taken."
            ] = None
    if fps is None:
        warnings["No track says the frame rate; 24 is taken."] = None
        return FrameRate(Fraction(24)), 0
    fitting = [(slot, count) for slot, count in counts if count.fps == round(fps)]
    if not fitting:
        warnings[
            "No timecode track counts at the cut's frame rate, so it starts at 00:00:00:00."
        ] = None
        return FrameRate(fps), 0
    slot, count = min(fitting, key=lambda one: one[0].number)
    possible = fps in (Fraction(30000, 1001), Fraction(60000, 1001))
    return FrameRate(fps, drop=count.drop and possible), max(0, count.start)


def _count_in(segment: Segment) -> Count | None:
    parts = segment.parts if isinstance(segment, Series) else (segment,)
    return next((part for part in parts if isinstance(part, Count)), None)


def _rates(mob: Mob, kind: str) -> Iterator[Fraction]:
    """Edit rates of slots of a kind that are picture rates; timecode must count in its own."""
    for slot in sorted(mob.slots, key=lambda slot: slot.number):
        count = _count_in(slot.segment)
        fits = kind != "Timecode" or (
            count is not None and slot.rate is not None and count.fps == round(slot.rate)
        )
        low, high = _PICTURE_RATES
        if slot.kind == kind and slot.rate is not None and low <= slot.rate < high and fits:
            yield slot.rate


def _track(slot: Slot, name: str, kind: str, laid: tuple[Laid, ...], fps: Fraction) -> Track:
    attributes = dict(slot.attributes)
    events = tuple(_event(f"{name}/{number:03d}", one, fps) for number, one in enumerate(laid, 1))
    widest = max((len(event.channels) for event in events), default=0)
    return Track(
        name=name,
        events=events,
        kind=kind,
        muted=attributes.get("AudioMixerCompMute") == "1",
        channels=_FORMATS.get(attributes.get("_TRACK_FORMAT", ""), widest)
        if kind == "audio"
        else 0,
    )


def _event(event_id: str, laid: Laid, fps: Fraction) -> Event:
    source = laid.material
    origin = source.timecode if source.timecode is not None else Fraction(0)
    lane = laid.lane.points if laid.lane is not None else ()
    media = MediaReference(
        name=source.name,
        url=source.url,
        reel=source.reel,
        scene=source.scene,
        take=source.take,
        available_start=origin * fps,
        available_length=source.length * fps if source.length is not None else None,
        material_id=source.mob,
    )
    imported = replace(media, url=source.imported, material_id="")
    return Event(
        id=event_id,
        record_start=laid.at * fps,
        record_length=laid.length * fps,
        source_start=(origin + laid.position) * fps,
        media=media,
        channels=source.channels,
        fade_in=_fade(laid.fade_in, fps),
        fade_out=_fade(laid.fade_out, fps),
        gain_db=max(SILENCE_DB, round(laid.gain, 6)),
        automation=tuple(GainPoint(at * fps, round(level, 6)) for at, level in lane),
        pan=laid.pan,
        speed=laid.speed,
        variable_speed=laid.variable,
        muted=laid.muted,
        other_media=(("imported from", imported),) if source.imported else (),
        notes=source.notes,
    )


def _fade(fade: Fade | None, fps: Fraction) -> Fade | None:
    return replace(fade, length=fade.length * fps) if fade is not None and fade.length else None


def _markers(mob: Mob, fps: Fraction) -> Iterator[Marker]:
    made = 0
    for slot in mob.slots:
        for mark in slot.marks:
            made += 1
            if slot.rate is None or made > _MAX_MARKERS:
                return
            yield Marker(
                at=mark.at / slot.rate * fps,
                name=mark.text,
                note=mark.user,
                length=mark.length / slot.rate * fps,
                color=mark.color,
            )
