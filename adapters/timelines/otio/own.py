"""What roomtone keeps in `metadata["roomtone"]` because OpenTimelineIO has no field for it.

Written beside the standard fields and never instead of them: where a time was changed since, the
standard field counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from adapters.timelines.otio.json import Table, fraction, near, number, rows, table, text
from core.cut import Event, Fade, FadeShape, GainPoint, Marker, MediaReference, Track
from core.time import FrameRate

KEY = "roomtone"
_TEXTS = ("file_name", "reel", "scene", "take", "material_id")
_FLAGS = ("muted", "keeps_pitch", "variable_speed")
_MAX_POINTS = 100_000
_FARTHEST = 10**12
_LOUDEST_DB = 144.0


def own(metadata: Table) -> Table:
    """roomtone's own part of an item's metadata, empty where there is none."""
    return table(metadata.get(KEY))


def inexact(times: Iterable[Fraction]) -> list[str]:
    """Those of an item's times that their doubles do not give back, as text."""
    lost = {time for time in times if near(float(time)) != time}
    return [str(time) for time in sorted(lost)]


def position(kept: object) -> Fraction | None:
    """A time in frames that was written as text, where it makes sense, else None."""
    found = fraction(kept)
    return found if found is not None and abs(found) < _FARTHEST else None


def same(kept: object, now: Fraction) -> bool:
    """Whether a time that was written as text is what the file still says."""
    return position(kept) == now


def of_event(event: Event) -> dict[str, object]:
    """What an event carries beside its place, range, speed, channels and transitions."""
    kept: dict[str, object] = {name: True for name in _FLAGS if getattr(event, name)}
    if event.gain_db:
        kept["gain_db"] = event.gain_db
    if event.automation:
        kept["automation"] = [[str(point.at), point.gain_db] for point in event.automation]
    if event.pan is not None:
        kept["pan"] = event.pan
    if event.role:
        kept["role"] = event.role
    if event.notes:
        kept["notes"] = [list(note) for note in event.notes]
    return kept


def with_own(event: Event, kept: Table) -> Event:
    """The event with what `of_event` gave. Values that make no sense are passed over."""
    gain, pan = number(kept.get("gain_db")), number(kept.get("pan"))
    flags: dict[str, Any] = {name: True for name in _FLAGS if kept.get(name) is True}
    return replace(
        event,
        gain_db=event.gain_db if gain is None or event.gain_db else _level(gain),
        automation=event.automation or _automation(kept.get("automation")),
        pan=pan if pan is not None and event.pan is None and -1 <= pan <= 1 else event.pan,
        role=text(kept.get("role")) or event.role,
        notes=event.notes or _notes(kept.get("notes")),
        fade_in=event.fade_in or _fade(kept.get("fade_in"), event.record_length),
        fade_out=event.fade_out or _fade(kept.get("fade_out"), event.record_length),
        **flags,
    )


def of_fade(wanted: Fade) -> list[str]:
    """A fade that no transition stands for."""
    return [str(wanted.length), wanted.shape.value]


def of_media(media: MediaReference) -> dict[str, object]:
    """What a media reference says beside its URL and its range."""
    kept: dict[str, object] = {name: value for name in _TEXTS if (value := getattr(media, name))}
    if (media.available_start is None) != (media.available_length is None):
        for name in ("available_start", "available_length"):
            if (value := getattr(media, name)) is not None:
                kept[name] = str(value)
    return kept


def with_media(media: MediaReference, kept: Table) -> MediaReference:
    """The reference with what `of_media` gave."""
    if not kept:
        return media
    texts = {name: found for name in _TEXTS if (found := text(kept.get(name)))}
    start, length = (position(kept.get(f"available_{name}")) for name in ("start", "length"))
    return replace(
        media,
        available_start=media.available_start if start is None else start,
        available_length=media.available_length if length is None else length,
        **texts,
    )


def of_track(track: Track) -> dict[str, object]:
    """What a track carries beside its name, kind and switch."""
    kept: dict[str, object] = {}
    if track.muted:
        kept["muted"] = True
    if track.role:
        kept["role"] = track.role
    if track.channels:
        kept["channels"] = track.channels
    return kept


def with_track(track: Track, kept: Table) -> Track:
    """The track with what `of_track` gave."""
    width = kept.get("channels")
    known = isinstance(width, int) and not isinstance(width, bool) and 0 < width <= 1024
    return replace(
        track,
        muted=track.muted or kept.get("muted") is True,
        role=text(kept.get("role")) or track.role,
        channels=width if known and isinstance(width, int) else track.channels,
    )


def of_marker(marker: Marker) -> dict[str, object]:
    """A marker's exact place and length."""
    return {"at": str(marker.at), "length": str(marker.length)}


def with_marker(marker: Marker, kept: Table) -> Marker:
    """The marker at the place that `of_marker` gave, where its own still says the same."""
    at, length = fraction(kept.get("at")), fraction(kept.get("length"))
    return replace(
        marker,
        at=marker.at if at is None or float(at) != float(marker.at) else at,
        length=marker.length if length is None or float(length) != float(marker.length) else length,
    )


def of_rate(rate: FrameRate) -> dict[str, object]:
    """A cut's rate, which a double can't quite say, and how its timecode counts."""
    return {"fps": str(rate.fps), "drop": rate.drop}


def rate_in(kept: Table, written: float | None) -> FrameRate | None:
    """The rate that `of_rate` gave, where the timeline still counts at it."""
    kept_rate = table(kept.get("rate"))
    fps = fraction(kept_rate.get("fps"))
    if fps is None or fps <= 0 or written is None or float(fps) != written:
        return None
    drops = fps in (Fraction(30000, 1001), Fraction(60000, 1001))
    return FrameRate(fps, drop=drops and kept_rate.get("drop") is True)


def _fade(kept: object, longest: Fraction) -> Fade | None:
    match rows(kept):
        case [length, str(shape)] if shape in set(FadeShape):
            found = fraction(length)
            if found is not None and 0 < found <= longest:
                return Fade(found, FadeShape(shape))
    return None


def _level(gain_db: float) -> float:
    return max(-_LOUDEST_DB, min(_LOUDEST_DB, gain_db))


def _automation(kept: object) -> tuple[GainPoint, ...]:
    points = []
    for entry in rows(kept)[:_MAX_POINTS]:
        match entry:
            case [place, level]:
                at, gain = position(place), number(level)
                if at is not None and gain is not None:
                    points.append(GainPoint(at, _level(gain)))
    return tuple(sorted(points, key=lambda point: point.at))


def _notes(kept: object) -> tuple[tuple[str, str], ...]:
    found = []
    for entry in rows(kept):
        match entry:
            case [str(name), str(said)]:
                found.append((text(name), text(said)))
    return tuple(found)
