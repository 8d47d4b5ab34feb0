"""The cuts of the demo production, as a turnover brings them: OTIO, CMX3600, and their truth."""

from __future__ import annotations

from typing import Any

from core.time import frames_to_timecode, span_to_samples, timecode_to_frames
from flows.demo_script import CutEvent, CutScript, Production, Take

BOOM_TRACK = "A1 DX"


def cut_truth(production: Production, cut: CutScript) -> dict[str, Any]:
    """Every event of a cut to the sample: the cut points, without what dissolves add to them."""
    fps, rate = production.frame_rate.fps, production.sample_rate
    events = []
    for event in cut.events:
        start, length = span_to_samples(event.record, event.length, fps, rate)
        events.append(
            {
                "track": event.track,
                "take": event.take,
                "channel": production.take(event.take).channels.index(event.channel),
                "record_start": event.record,
                "source_in": event.source,
                "length": event.length,
                "dissolve": event.dissolve,
                "record_start_sample": start,
                "record_end_sample": start + length,
                "source_in_sample": production.samples(event.source),
            }
        )
    return {
        "frames": cut.frames,
        "samples": production.samples(cut.frames),
        "start_timecode": production.cut_start,
        "events": events,
    }


def otio_timeline(production: Production, cut: CutScript) -> Any:
    """The cut as an opentimelineio Timeline, shaped as Resolve exports one.

    Media are named relative to a folder beside `sound/`; available ranges count timecode.
    A picture track without media goes along, as in any turnover.
    """
    import opentimelineio as otio

    schema = otio.schema
    start = timecode_to_frames(production.cut_start, production.frame_rate)
    timeline = schema.Timeline(cut.name, global_start_time=_time(production, start))
    picture = schema.Track("V1", kind=schema.TrackKind.Video)
    _fill(picture, production, cut.track(BOOM_TRACK))
    timeline.tracks.append(picture)
    for name in sorted({event.track for event in cut.events}):
        track = schema.Track(name, kind=schema.TrackKind.Audio)
        track.metadata["Resolve_OTIO"] = {"Audio Type": "Mono"}
        _fill(track, production, cut.track(name))
        timeline.tracks.append(track)
    return timeline


def _fill(track: Any, production: Production, events: tuple[CutEvent, ...]) -> None:
    """Put the events on a track: gaps between them, dissolves where both sides sound."""
    import opentimelineio as otio

    at = 0
    for event in events:
        if event.record > at:
            gap = _range(production, 0, event.record - at)
            track.append(otio.schema.Gap(source_range=gap))
        if event.dissolve and track.kind == otio.schema.TrackKind.Audio:
            half = event.dissolve // 2
            track.append(
                otio.schema.Transition(
                    transition_type=otio.schema.TransitionTypes.SMPTE_Dissolve,
                    in_offset=_time(production, half),
                    out_offset=_time(production, event.dissolve - half),
                )
            )
        track.append(_clip(production, event, sounds=track.kind == otio.schema.TrackKind.Audio))
        at = event.record + event.length


def _clip(production: Production, event: CutEvent, *, sounds: bool) -> Any:
    import opentimelineio as otio

    take = production.take(event.take)
    start = production.timecode(take)
    clip = otio.schema.Clip(
        name=f"{take.scene}-{take.take}",
        source_range=_range(production, start + event.source, event.length),
    )
    clip.metadata["cmx_3600"] = {"reel": take.tape}
    if sounds:
        channel = {"Source Channel ID": take.channels.index(event.channel), "Source Track ID": 0}
        clip.metadata["Resolve_OTIO"] = {"Channels": [channel]}
        clip.media_reference = otio.schema.ExternalReference(
            target_url=f"../sound/{take.name}.wav",
            available_range=_range(production, start, take.frames),
        )
    return clip


def _time(production: Production, frames: int) -> Any:
    import opentimelineio as otio

    return otio.opentime.RationalTime(frames, float(production.frame_rate.fps))


def _range(production: Production, start: int, length: int) -> Any:
    import opentimelineio as otio

    return otio.opentime.TimeRange(_time(production, start), _time(production, length))


def edl(production: Production, cut: CutScript) -> str:
    """The boom track of the cut as a CMX3600 EDL (the boom is channel 2 of its takes: A2).

    A dissolve is written as CMX3600 has it: it begins where the incoming event does, so both
    events are moved by the half that lies before the cut point, and an outgoing line without
    length comes first.
    """
    lines = [f"TITLE: {production.title} {cut.name}", "FCM: NON-DROP FRAME", ""]
    events = cut.track(BOOM_TRACK)
    for i, event in enumerate(events):
        take = production.take(event.take)
        early = event.dissolve // 2
        late = events[i + 1].dissolve // 2 if i + 1 < len(events) else 0
        source, record = event.source - early, event.record - early
        length = event.length + early - late
        remarks = [f"* FROM CLIP NAME: {take.scene}-{take.take}"]
        files = [f"* SOURCE FILE: {take.name}"]
        if event.dissolve:
            before = events[i - 1]
            out = production.take(before.take)
            out_at = before.source + record - before.record
            lines.append(_edl_line(production, i + 1, out, 0, (out_at, record, 0)))
            remarks = [
                f"* FROM CLIP NAME: {out.scene}-{out.take}",
                f"* TO CLIP NAME: {take.scene}-{take.take}",
            ]
            files.insert(0, f"* SOURCE FILE: {out.name}")
        lines.append(_edl_line(production, i + 1, take, event.dissolve, (source, record, length)))
        lines += remarks + files
    return "\n".join(lines) + "\n"


def _edl_line(
    production: Production, number: int, take: Take, dissolve: int, place: tuple[int, int, int]
) -> str:
    """One line of the list. place: frames into the take, frames into the cut, length."""
    source, record, length = place
    rate = production.frame_rate
    source += production.timecode(take)
    record += timecode_to_frames(production.cut_start, rate)
    clock = " ".join(
        frames_to_timecode(at, rate) for at in (source, source + length, record, record + length)
    )
    effect = f"D    {dissolve:03d}" if dissolve else "C       "
    return f"{number:03d}  {take.tape:<8} A2    {effect} {clock}"
