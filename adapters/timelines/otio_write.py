"""Writes OpenTimelineIO: a cut whose clips carry both original and cleaned media by name."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from adapters.timelines.named import MediaByName, MediaOfEvents, NamedMedia
from core.cut import Cut, Event, Fade, FadeShape
from core.time import FrameRate


def to_otio(cut: Cut, media: MediaOfEvents, active: str) -> Any:
    """The cut as an OpenTimelineIO timeline.

    media: for an event's id, its media by name (`original`, `cleaned`). active: the name that
    plays where a clip has it. Overlapping events become transitions where their fades match;
    what else overlaps goes to a further track of the same name.
    """
    import opentimelineio as otio

    timeline = otio.schema.Timeline(cut.name)
    timeline.global_start_time = _time(Fraction(cut.start), cut.rate)
    for track in cut.tracks:
        kind = otio.schema.TrackKind.Audio if track.kind == "audio" else "Video"
        for lane, events in enumerate(_lanes(track.events)):
            name = track.name if lane == 0 else f"{track.name} ({lane + 1})"
            written = otio.schema.Track(name, kind=kind)
            written.enabled = track.enabled
            _fill(written, events, cut.rate, media, active)
            timeline.tracks.append(written)
    for marker in cut.markers:
        span = otio.opentime.TimeRange(_time(marker.at, cut.rate), _time(Fraction(1), cut.rate))
        timeline.tracks.markers.append(otio.schema.Marker(marker.name, span))
    return timeline


def serialise(timeline: Any) -> str:
    """An OpenTimelineIO object as the text of an `.otio` file."""
    import opentimelineio as otio

    return str(otio.adapters.write_to_string(timeline, adapter_name="otio_json"))


def _time(frames: Fraction, rate: FrameRate) -> Any:
    import opentimelineio as otio

    return otio.opentime.RationalTime(float(frames), float(rate.fps))


def _blends(left: Event, right: Event) -> bool:
    """Whether two overlapping events are the two sides of one dissolve."""
    overlap = left.record_end - right.record_start
    return (
        overlap > 0
        and left.fade_out is not None
        and right.fade_in == left.fade_out
        and left.fade_out.length == overlap
    )


def _lanes(events: tuple[Event, ...]) -> list[list[Event]]:
    """Events sorted into rows in which only dissolves overlap."""
    lanes: list[list[Event]] = [[]]
    for event in sorted(events, key=lambda event: (event.record_start, event.id)):
        for lane in lanes:
            if not lane or lane[-1].record_end <= event.record_start or _blends(lane[-1], event):
                lane.append(event)
                break
        else:
            lanes.append([event])
    return lanes


def _fill(
    track: Any,
    events: list[Event],
    rate: FrameRate,
    media: MediaOfEvents,
    active: str,
) -> None:
    """Append gaps, clips and transitions to an OTIO track."""
    import opentimelineio as otio

    at = Fraction(0)
    for i, event in enumerate(events):
        start, end = event.record_start, event.record_end
        blended = i > 0 and _blends(events[i - 1], event)
        if blended:
            start = at
        elif event.record_start > at:
            gap = otio.opentime.TimeRange(
                _time(Fraction(0), rate), _time(event.record_start - at, rate)
            )
            track.append(otio.schema.Gap(source_range=gap))
        if event.fade_in is not None:
            early = start - event.record_start
            track.append(_transition(event.fade_in, early, rate))
        if i + 1 < len(events) and _blends(event, events[i + 1]):
            end -= (end - events[i + 1].record_start) // 2
        track.append(_clip(event, start, end, rate, media.get(event.id, {}), active))
        at = end
        if event.fade_out is not None and end == event.record_end:
            track.append(_transition(event.fade_out, event.fade_out.length, rate))


def _transition(fade: Fade, early: Fraction, rate: FrameRate) -> Any:
    import opentimelineio as otio

    return otio.schema.Transition(
        name="linear" if fade.shape is FadeShape.LINEAR else "equal power",
        transition_type=otio.schema.TransitionTypes.SMPTE_Dissolve,
        in_offset=_time(early, rate),
        out_offset=_time(fade.length - early, rate),
    )


def _clip(
    event: Event,
    start: Fraction,
    end: Fraction,
    rate: FrameRate,
    named: MediaByName,
    active: str,
) -> Any:
    import opentimelineio as otio

    source = event.source_start + (start - event.record_start) * event.speed
    clip = otio.schema.Clip(
        name=event.media.name,
        source_range=otio.opentime.TimeRange(_time(source, rate), _time(end - start, rate)),
    )
    clip.enabled = event.enabled
    if event.speed != 1:
        clip.effects.append(otio.schema.LinearTimeWarp(time_scalar=float(event.speed)))
    if event.media.reel:
        clip.metadata["cmx_3600"] = {"reel": event.media.reel}
    if event.channels:
        clip.metadata["Resolve_OTIO"] = {
            "Channels": [
                {"Source Channel ID": channel, "Source Track ID": 0} for channel in event.channels
            ]
        }
    references = {name: _external(item, rate) for name, item in named.items()}
    if references:
        clip.set_media_references(references, active if active in references else next(iter(named)))
    elif event.media.url:
        reference = otio.schema.ExternalReference(target_url=event.media.url)
        if event.media.available_start is not None and event.media.available_length is not None:
            reference.available_range = otio.opentime.TimeRange(
                _time(event.media.available_start, rate), _time(event.media.available_length, rate)
            )
        clip.media_reference = reference
    return clip


def _external(item: NamedMedia, rate: FrameRate) -> Any:
    import opentimelineio as otio

    return otio.schema.ExternalReference(
        target_url=item.url,
        available_range=otio.opentime.TimeRange(_time(item.start, rate), _time(item.length, rate)),
    )
