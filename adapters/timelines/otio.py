"""Reads OpenTimelineIO's own format.

Quirks handled here:
- Rates are floats (23.976023976023978): they become the exact fraction they stand for.
- Tracks are never flattened; each track's items are laid out by their own durations.
- A transition overlaps its neighbours: the outgoing clip runs on by `out_offset`, the incoming
  one starts `in_offset` early, both fade over the sum.
- Channels are in Resolve's dialect: `Resolve_OTIO: {Channels: [{Source Channel ID}]}`, from 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from core.cut import Cut, Event, Fade, FadeShape, Marker, MediaReference, Track
from core.errors import InputError
from core.time import FrameRate, exact_fps

_MAX_BYTES = 256 * 1024 * 1024
_AUDIO_RATE = 1000
_DENOMINATOR = 1_000_000


def read(path: Path) -> Cut:
    """Read an `.otio` file into a cut. Raises InputError where it is none or has no clip."""
    import opentimelineio as otio

    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{path} is over 256 MB, too large for a timeline.")
        timeline = otio.adapters.read_from_file(str(path), adapter_name="otio_json")
    except OSError as fault:
        raise InputError(f"{path} can't be read ({fault.strerror or fault}).") from fault
    except InputError:
        raise
    except Exception as fault:  # OpenTimelineIO raises its own and plain ValueErrors
        raise InputError(
            f"{path} can't be read as OpenTimelineIO ({str(fault).splitlines()[0][:120]}); "
            "export it again."
        ) from fault
    if not isinstance(timeline, otio.schema.Timeline):
        raise InputError(
            f"{path} holds a {type(timeline).__name__}, not a timeline; export a timeline."
        )
    return _cut(timeline, path)


def _cut(timeline: Any, path: Path) -> Cut:
    rate = _rate(timeline, path)
    warnings: list[str] = []
    tracks: list[Track] = []
    counts = {"audio": 0, "video": 0}
    for source in timeline.tracks:
        kind = str(getattr(source, "kind", "")).lower()
        if kind not in counts:
            warnings.append(f"Track {source.name!r} is of an unknown kind and is left out.")
            continue
        counts[kind] += 1
        name = source.name or f"{kind[0].upper()}{counts[kind]}"
        tracks.append(_track(source, name, kind, rate, warnings))
    if not any(track.events for track in tracks):
        raise InputError(f"{path} is an empty cut: no track has a clip.")
    start = timeline.global_start_time
    lengths = [_track_length(source, rate) for source in timeline.tracks]
    return Cut(
        name=timeline.name or path.stem,
        rate=rate,
        start=int(_frames(start, rate)) if start is not None else 0,
        length=max(
            [*lengths, *(event.record_end for track in tracks for event in track.events)],
            default=Fraction(0),
        ),
        tracks=tuple(tracks),
        markers=_markers(timeline.tracks, rate),
        warnings=tuple(warnings),
    )


def _rate(timeline: Any, path: Path) -> FrameRate:
    """The cut's frame rate: the start's, else that of the first item at a picture rate."""
    candidates = [timeline.global_start_time] if timeline.global_start_time else []
    for track in timeline.tracks:
        for item in track:
            trimmed = getattr(item, "source_range", None)
            candidates += [trimmed.duration, trimmed.start_time] if trimmed else []
    for time in candidates:
        if 1 <= time.rate < _AUDIO_RATE:
            return FrameRate(exact_fps(time.rate))
    raise InputError(
        f"{path} has no frame rate: neither its start nor any clip has a picture rate."
    )


def _frames(time: Any, rate: FrameRate) -> Fraction:
    """A RationalTime in exact frames of the cut's rate."""
    value = Fraction(time.value).limit_denominator(_DENOMINATOR)
    return value * rate.fps / exact_fps(time.rate)


def _item_range(item: Any) -> Any:
    """The stretch of an item that plays, or None where it has no length at all."""
    if item.source_range is not None:
        return item.source_range
    try:
        return item.available_range()
    except Exception:  # "no available range": an item that says nothing of its length
        return None


def _track_length(track: Any, rate: FrameRate) -> Fraction:
    spans = [_item_range(item) for item in track if hasattr(item, "source_range")]
    return sum((_frames(span.duration, rate) for span in spans if span), Fraction(0))


@dataclass(frozen=True)
class _Laid:
    """An item of a track with its place: `clip`, `gap` or `transition`."""

    kind: str
    item: Any
    at: Fraction


def _track(source: Any, name: str, kind: str, rate: FrameRate, warnings: list[str]) -> Track:
    laid: list[_Laid] = []
    at = Fraction(0)
    for item in source:
        schema = item.schema_name()
        if schema == "Transition":
            laid.append(_Laid("transition", item, at))
            continue
        span = _item_range(item)
        if span is None:
            warnings.append(f"{name}: {item.name!r} has no length and is left out.")
            continue
        if schema == "Clip":
            laid.append(_Laid("clip", item, at))
        elif schema != "Gap":
            warnings.append(f"{name}: {item.name!r} is a nested {schema}, not read yet: silent.")
        else:
            laid.append(_Laid("gap", item, at))
        at += _frames(span.duration, rate)
    events: list[Event] = []
    for i, here in enumerate(laid):
        if here.kind != "clip":
            continue
        before = laid[i - 1].item if i and laid[i - 1].kind == "transition" else None
        following = laid[i + 1] if i + 1 < len(laid) else None
        after = following.item if following and following.kind == "transition" else None
        event_id = f"{name}/{len(events) + 1:03d}"
        event = _event(event_id, here, rate, warnings)
        events.append(_with_fades(event, before, after, rate))
    return Track(name, tuple(events), kind, enabled=bool(source.enabled))


def _event(event_id: str, laid: _Laid, rate: FrameRate, warnings: list[str]) -> Event:
    clip = laid.item
    span = _item_range(clip)
    speed = Fraction(1)
    for effect in clip.effects:
        scalar = getattr(effect, "time_scalar", None)
        if scalar is not None:
            speed = Fraction(scalar).limit_denominator(_DENOMINATOR)
        else:
            warnings.append(f"{event_id}: effect {effect.effect_name or effect.name!r} is ignored.")
    return Event(
        id=event_id,
        record_start=laid.at,
        record_length=_frames(span.duration, rate),
        source_start=_frames(span.start_time, rate),
        media=_media(clip, rate),
        channels=_channels(clip),
        speed=speed,
        enabled=bool(clip.enabled),
    )


def _with_fades(event: Event, before: Any, after: Any, rate: FrameRate) -> Event:
    if before is not None:
        early, late = _frames(before.in_offset, rate), _frames(before.out_offset, rate)
        event = replace(
            event,
            record_start=event.record_start - early,
            record_length=event.record_length + early,
            source_start=event.source_start - early * event.speed,
            fade_in=Fade(early + late, _shape(before)),
        )
    if after is not None:
        early, late = _frames(after.in_offset, rate), _frames(after.out_offset, rate)
        event = replace(
            event,
            record_length=event.record_length + late,
            fade_out=Fade(early + late, _shape(after)),
        )
    return event


def _shape(transition: Any) -> FadeShape:
    named = f"{transition.transition_type} {transition.name}".lower()
    return FadeShape.LINEAR if "linear" in named else FadeShape.EQUAL_POWER


def _media(clip: Any, rate: FrameRate) -> MediaReference:
    reference = clip.media_reference
    available = getattr(reference, "available_range", None)
    reel = clip.metadata.get("cmx_3600", {})
    scene = clip.metadata.get("roomtone", {})
    return MediaReference(
        name=clip.name,
        url=str(getattr(reference, "target_url", "") or ""),
        reel=str(reel.get("reel", "")) if hasattr(reel, "get") else "",
        scene=str(scene.get("scene", "")) if hasattr(scene, "get") else "",
        take=str(scene.get("take", "")) if hasattr(scene, "get") else "",
        available_start=_frames(available.start_time, rate) if available else None,
        available_length=_frames(available.duration, rate) if available else None,
    )


def _channels(clip: Any) -> tuple[int, ...]:
    dialect = clip.metadata.get("Resolve_OTIO", {})
    listed = dialect.get("Channels", []) if hasattr(dialect, "get") else []
    found = []
    for entry in listed:
        number = entry.get("Source Channel ID") if hasattr(entry, "get") else None
        if isinstance(number, int) and number >= 0:
            found.append(number)
    return tuple(found)


def _markers(stack: Any, rate: FrameRate) -> tuple[Marker, ...]:
    return tuple(
        Marker(_frames(marker.marked_range.start_time, rate), marker.name, marker.comment or "")
        for marker in stack.markers
    )
