"""Writes OpenTimelineIO: a cut whose clips carry both original and cleaned media by name.

What overlaps as a dissolve becomes a transition; what else overlaps goes to a further track,
which a reader plays at the same time and roomtone joins again. What OpenTimelineIO has no field
for, and the fractions that its doubles don't give back, go to `metadata["roomtone"]`, so that
roomtone reads the very same cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from adapters.media.whole import write_text
from adapters.timelines.named import MediaByName, MediaOfEvents, NamedMedia
from adapters.timelines.otio import own as otio_own
from core.cut import Cut, Event, Fade, FadeShape, Marker, MediaReference, Track
from core.time import FrameRate

_DEFAULT = "DEFAULT_MEDIA"
_AUDIO_TYPES = {1: "Mono", 2: "Stereo", 6: "5.1", 8: "7.1"}


def write(
    cut: Cut, media: MediaOfEvents, active: str, path: Path, metadata: Mapping[str, object]
) -> None:
    """Write a cut to an `.otio` file, whole or not at all.

    media, active: as for `to_otio`. metadata: what is said of the file as a whole (its
    provenance), kept under `metadata["roomtone"]` of the timeline; plain JSON values.
    Raises OutputError where the file can't be written.
    """
    timeline = to_otio(cut, media, active)
    kept = dict(timeline.metadata[otio_own.KEY])
    timeline.metadata[otio_own.KEY] = {**metadata, **kept}
    write_text(path, serialise(timeline))


def to_otio(cut: Cut, media: MediaOfEvents, active: str) -> Any:
    """The cut as an OpenTimelineIO timeline.

    media: for an event's id, its media by name (`original`, `cleaned`); an event without any
    keeps what it refers to. active: the name that plays where a clip has it.
    """
    import opentimelineio as otio

    timeline = otio.schema.Timeline(cut.name)
    timeline.global_start_time = _time(Fraction(cut.start), cut.rate)
    taken = [track.name for track in cut.tracks]
    for track in cut.tracks:
        rows = _rows(track.events)
        numbered = len(rows) > 1 or any(
            event.id != f"{track.name}/{i:03d}" for i, event in enumerate(track.events, 1)
        )
        for row, events in enumerate(rows):
            written = _track(track, row, taken)
            _fill(written, events, cut.rate, media, active, numbered=numbered)
            timeline.tracks.append(written)
    for marker in cut.markers:
        timeline.tracks.markers.append(_marker(marker, cut.rate))
    ends = [event.record_end for track in cut.tracks for event in track.events]
    kept: dict[str, object] = {"rate": otio_own.of_rate(cut.rate)}
    if (last := max(ends, default=Fraction(0))) != cut.length:
        kept["length"] = {"frames": str(cut.length), "of": str(last)}
    timeline.metadata[otio_own.KEY] = kept
    return timeline


def serialise(timeline: Any) -> str:
    """An OpenTimelineIO object as the text of an `.otio` file."""
    import opentimelineio as otio

    return str(otio.adapters.write_to_string(timeline, adapter_name="otio_json"))


def _time(frames: Fraction, rate: FrameRate) -> Any:
    import opentimelineio as otio

    return otio.opentime.RationalTime(float(frames), float(rate.fps))


def _span(start: Fraction, length: Fraction, rate: FrameRate) -> Any:
    import opentimelineio as otio

    return otio.opentime.TimeRange(_time(start, rate), _time(length, rate))


def _keep(written: Any, kept: Mapping[str, object], *times: Fraction) -> None:
    """Put what is kept, and the times that doubles lose, into an object's metadata."""
    lost = otio_own.inexact(times)
    own = {**kept, "exact": lost} if lost else dict(kept)
    if own:
        written.metadata[otio_own.KEY] = own


def _marker(marker: Marker, rate: FrameRate) -> Any:
    import opentimelineio as otio

    span = _span(marker.at, marker.length, rate)
    written = otio.schema.Marker(marker.name, span, comment=marker.note)
    written.color = marker.color
    _keep(written, otio_own.of_marker(marker))
    return written


def _track(track: Track, row: int, taken: list[str]) -> Any:
    """An empty track; further rows get a name that no other track has."""
    import opentimelineio as otio

    name, number = track.name, row
    while row and name in taken:
        number += 1
        name = f"{track.name} ({number})"
    if row:
        taken.append(name)
    kind = otio.schema.TrackKind.Audio if track.kind == "audio" else otio.schema.TrackKind.Video
    written = otio.schema.Track(name, kind=kind)
    written.enabled = track.enabled
    if track.channels in _AUDIO_TYPES:
        written.metadata["Resolve_OTIO"] = {"Audio Type": _AUDIO_TYPES[track.channels]}
    _keep(written, {**otio_own.of_track(track), **({"lane_of": track.name} if row else {})})
    return written


def _blends(left: Event, right: Event) -> bool:
    """Whether two overlapping events are the two sides of one dissolve."""
    overlap = left.record_end - right.record_start
    return (
        overlap > 0
        and left.record_start < right.record_start
        and left.record_end < right.record_end
        and left.fade_out is not None
        and right.fade_in == left.fade_out
        and left.fade_out.length == overlap
    )


def _rows(events: Sequence[Event]) -> list[list[Event]]:
    """Events sorted into rows in which nothing overlaps but dissolves, and no two of those."""
    rows: list[list[Event]] = [[]]
    for event in sorted(events, key=lambda event: (event.record_start, event.record_end)):
        for row in rows:
            if not row or row[-1].record_end <= event.record_start or _joins(row, event):
                row.append(event)
                break
        else:
            rows.append([event])
    return rows


def _joins(row: list[Event], event: Event) -> bool:
    before_last = row[-2].record_end if len(row) > 1 else Fraction(0)
    return _blends(row[-1], event) and before_last <= event.record_start


def _fill(
    track: Any,
    events: list[Event],
    rate: FrameRate,
    media: MediaOfEvents,
    active: str,
    *,
    numbered: bool,
) -> None:
    """Append gaps, clips and transitions to an OTIO track."""
    at = Fraction(0)
    for i, event in enumerate(events):
        before = events[i - 1] if i else None
        after = events[i + 1] if i + 1 < len(events) else None
        start, end = event.record_start, event.record_end
        kept: dict[str, object] = {"id": event.id} if numbered else {}
        if before is not None and _blends(before, event) and event.fade_in is not None:
            start = at
            track.append(_transition(event.fade_in, start - event.record_start, rate))
        else:
            if start > at:
                track.append(_gap(start - at, rate))
            # A transition between two clips would be a dissolve of both.
            if event.fade_in is not None and before is not None and start == at:
                kept["fade_in"] = otio_own.of_fade(event.fade_in)
            elif event.fade_in is not None:
                track.append(_transition(event.fade_in, Fraction(0), rate))
        if after is not None and _blends(event, after):
            end -= _half(end - after.record_start)
        alone = after is None or after.record_start > event.record_end
        if event.fade_out is not None and end == event.record_end and not alone:
            kept["fade_out"] = otio_own.of_fade(event.fade_out)
        track.append(_clip(event, start, end, rate, media.get(event.id, {}), active, kept))
        if event.fade_out is not None and end == event.record_end and alone:
            track.append(_transition(event.fade_out, event.fade_out.length, rate))
        at = end


def _half(overlap: Fraction) -> Fraction:
    """Half of an overlap, in whole frames where it has two of them."""
    return Fraction(overlap // 2) if overlap >= 2 else overlap / 2


def _gap(length: Fraction, rate: FrameRate) -> Any:
    import opentimelineio as otio

    gap = otio.schema.Gap(source_range=_span(Fraction(0), length, rate))
    _keep(gap, {}, length)
    return gap


def _transition(fade: Fade, early: Fraction, rate: FrameRate) -> Any:
    import opentimelineio as otio

    late = fade.length - early
    written = otio.schema.Transition(
        name="linear" if fade.shape is FadeShape.LINEAR else "equal power",
        transition_type=otio.schema.TransitionTypes.SMPTE_Dissolve,
        in_offset=_time(early, rate),
        out_offset=_time(late, rate),
    )
    _keep(written, {}, early, late)
    return written


def _clip(
    event: Event,
    start: Fraction,
    end: Fraction,
    rate: FrameRate,
    named: MediaByName,
    active: str,
    kept: dict[str, object],
) -> Any:
    """The part of an event between its transitions. kept: what it says of its own beside."""
    import opentimelineio as otio

    played = start if event.speed >= 0 else end
    source = event.source_start + (played - event.record_start) * event.speed
    clip = otio.schema.Clip(name=event.media.name, source_range=_span(source, end - start, rate))
    clip.enabled = event.enabled
    if event.speed == 0:
        clip.effects.append(otio.schema.FreezeFrame())
    elif event.speed != 1:
        clip.effects.append(otio.schema.LinearTimeWarp(time_scalar=float(event.speed)))
    if event.media.reel:
        clip.metadata["cmx_3600"] = {"reel": event.media.reel}
    if event.channels:
        clip.metadata["Resolve_OTIO"] = {
            "Channels": [
                {"Source Channel ID": channel, "Source Track ID": 0} for channel in event.channels
            ]
        }
    kept |= otio_own.of_event(event) | otio_own.of_media(event.media)
    references, playing = _references(event, named, active, rate)
    others = [name for name, _ in event.other_media if name in references]
    if others != sorted(others):
        kept["other_media"] = others
    clip.set_media_references(references, playing)
    _keep(clip, kept, source, end - start, event.speed)
    return clip


def _references(
    event: Event, named: MediaByName, active: str, rate: FrameRate
) -> tuple[dict[str, Any], str]:
    """A clip's media references by name, and the name of the one that plays."""
    references = {name: _reference(media, rate) for name, media in event.other_media}
    if named:
        references |= {name: _external(item, rate) for name, item in named.items()}
        return references, active if active in named else next(iter(named))
    playing, number = _DEFAULT, 1
    while playing in references:
        number += 1
        playing = f"{_DEFAULT} {number}"
    references[playing] = _reference(event.media, rate, clips_own=True)
    return references, playing


def _reference(media: MediaReference, rate: FrameRate, *, clips_own: bool = False) -> Any:
    """A reference as the cut has it. clips_own: whether the clip itself says the rest of it."""
    import opentimelineio as otio

    found = otio.schema.MissingReference()
    if media.url:
        found = otio.schema.ExternalReference(target_url=media.url)
    start, length = media.available_start, media.available_length
    if not clips_own:
        found.name = media.name
    kept = {} if clips_own else otio_own.of_media(media)
    if start is not None and length is not None:
        found.available_range = _span(start, length, rate)
        _keep(found, kept, start, length)
    else:
        _keep(found, kept)
    return found


def _external(item: NamedMedia, rate: FrameRate) -> Any:
    import opentimelineio as otio

    written = otio.schema.ExternalReference(
        target_url=item.url, available_range=_span(item.start, item.length, rate)
    )
    _keep(written, {}, item.start, item.length)
    return written
