"""Where the clips of a Final Cut Pro 7 track come to lie.

A clip whose start or end is -1 reaches to the far end of the transition there, and its in and
out points hold that reach already; one that states its start or end at the cut is lengthened.
In and out points count in the clip as it plays, after its speed change, at the clip's own rate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from urllib.parse import unquote

from adapters.timelines.fcp7.effects import straight, value_at
from adapters.timelines.fcp7.statements import Clip, ClipMarker, TrackSays, Transition
from core.cut import Event, Fade, GainPoint, Marker, MediaReference

LONGEST_SECONDS = 24 * 3600
"""How long a sequence may be: a day, as in Premiere."""

_ZERO = Fraction(0)
_BEFORE = ("start-black",)
_AFTER = ("end-black",)


@dataclass(frozen=True)
class Placed:
    """A clip and the event it makes."""

    clip: Clip
    event: Event


@dataclass(frozen=True)
class _Span:
    """Where a clip lies. at: the record frame of its in point; start, end: with its fades."""

    at: Fraction
    start: Fraction
    end: Fraction
    fade_in: Fade | None
    fade_out: Fade | None


@dataclass(frozen=True)
class _Source:
    """What a clip plays from its in point on, in frames of the clip's rate from the file's first.

    first: the in point, as the clip counts it. fps: the rate it counts in.
    """

    start: Fraction
    speed: Fraction
    variable: bool
    first: Fraction
    fps: Fraction


def placed(track: TrackSays, fps: Fraction, warnings: list[str]) -> Iterator[Placed]:
    """The clips of a track with the events they make, in frames of the sequence's rate fps.

    The events have no ids, and those of nests play the nest's frames. What can't be placed is
    left out and told in warnings.
    """
    items = track.items
    count = 0
    for index, clip in enumerate(items):
        if isinstance(clip, Transition) or clip.kind == "generator":
            continue
        count += 1
        where = f"{track.name}, clip {count} ({clip.name or 'unnamed'})"
        before, after = _beside(items, index)
        span = _span(clip, before, after, fps)
        if span is None:
            warnings.append(f"{where} has no place in a sequence of at most a day and is left out.")
            continue
        for transition in (before, after):
            if transition and track.kind == "audio" and not transition.known:
                warnings.append(
                    f"{where}: transition {transition.name!r} is read as an equal-power fade."
                )
        source = _source(clip, span, fps, where, warnings)
        yield Placed(clip, _event(clip, span, source, fps))
        if track.kind == "audio":
            warnings += [f"{where}: {fault}." for fault in clip.sound.faults]


def markers(
    found: tuple[ClipMarker, ...], first: Fraction, scale: Fraction, at: Fraction
) -> Iterator[Marker]:
    """Markers in record frames. first: the frame they count to that lies at `at`."""
    for marker in found:
        start = (marker.first - first) * scale + at
        length = (marker.last - marker.first) * scale if marker.last is not None else _ZERO
        yield Marker(start, marker.name, marker.note, length, marker.color)


def _beside(
    items: tuple[Clip | Transition, ...], index: int
) -> tuple[Transition | None, Transition | None]:
    """The transitions into and out of a clip, of those between it and its neighbours."""
    clip = items[index]
    assert isinstance(clip, Clip)
    before, after = list(_run(items, index, -1)), list(_run(items, index, 1))
    return (
        _touching(before, clip.start, _AFTER),
        _touching(after, clip.end, _BEFORE),
    )


def _run(items: tuple[Clip | Transition, ...], index: int, step: int) -> Iterator[Transition]:
    index += step
    while 0 <= index < len(items):
        item = items[index]
        if not isinstance(item, Transition):
            return
        yield item
        index += step


def _touching(
    found: list[Transition], edge: Fraction | None, foreign: tuple[str, ...]
) -> Transition | None:
    """The transition at an edge of a clip. foreign: alignments that are another clip's fade."""
    own = [item for item in found if item.alignment not in foreign]
    if edge is None or edge < 0:
        return next(iter(own or found), None)
    return next((item for item in own if item.start <= edge <= item.end), None)


def _span(
    clip: Clip, before: Transition | None, after: Transition | None, fps: Fraction
) -> _Span | None:
    start, end = clip.start, clip.end
    at = before.start if (start is None or start < 0) and before else start
    past = after.end if (end is None or end < 0) and after else end
    length = None
    if clip.first is not None and clip.last is not None:
        length = clip.last - clip.first
        if clip.fps != fps:
            length *= fps / clip.fps
    if (at is None or at < 0) and past is not None and past >= 0 and length:
        at = past - length
    if (past is None or past < 0) and at is not None and at >= 0 and length:
        past = at + length
    if at is None or past is None or at < 0 or past <= at or past > LONGEST_SECONDS * fps:
        return None
    first = min(at, before.start) if before else at
    last = max(past, after.end) if after else past
    if clip.late:
        first, last, at = first + clip.late, last + clip.late, at + clip.late
    return _Span(
        at,
        first,
        last,
        _fade(before, last - first) if before else None,
        _fade(after, last - first) if after else None,
    )


def _fade(transition: Transition, longest: Fraction) -> Fade:
    return Fade(min(transition.end - transition.start, longest), transition.shape)


def _source(clip: Clip, span: _Span, fps: Fraction, where: str, warnings: list[str]) -> _Source:
    remap = clip.sound.remap
    recorded = span.end - span.start
    if clip.start is not None and clip.start >= 0 and clip.end is not None and clip.end >= 0:
        recorded = clip.end - clip.start
    first = clip.first if clip.first is not None else _ZERO
    own = clip.fps
    played = clip.last - first if clip.last is not None else None
    if own != fps and played == recorded:
        own = fps  # some writers count in and out points in the sequence's frames
    lasts = recorded if own == fps else recorded * own / fps
    exact = clip.ticks * own if clip.ticks is not None else first
    if exact != first and abs(exact - first) >= 1:
        warnings.append(
            f"{where}: pproTicksIn says frame {float(exact):g}, its in point {float(first):g}, "
            "which is taken."
        )
        exact = first
    first = exact
    if remap is None:
        if played is not None and played != lasts and abs(played - lasts) >= 1:
            warnings.append(
                f"{where}: {float(played):g} source frames for {float(lasts):g} frames of the "
                "record; it plays at its own speed."
            )
        return _Source(first, Fraction(1), False, first, own)
    if remap.variable:
        if not remap.graph:
            return _Source(first, remap.speed, True, first, own)
        start, end = (value_at(remap.graph, at) for at in (first, first + lasts))
        mean = (end - start) / lasts
        return _Source(start, mean, not straight(remap.graph), first, own)
    return _Source(_constant(clip, first, played, lasts, own), remap.speed, False, first, own)


def _constant(
    clip: Clip, first: Fraction, played: Fraction | None, lasts: Fraction, own: Fraction
) -> Fraction:
    """The source frame of the in point of a clip at constant speed."""
    remap = clip.sound.remap
    assert remap is not None
    in_source = (
        played is not None
        and abs(played - lasts) >= 1
        and abs(played - lasts * abs(remap.speed)) < 1
    )
    if remap.speed == 0:
        return value_at(remap.graph, first) if remap.graph else first
    if remap.speed > 0:
        return first if in_source else first * remap.speed
    if in_source and clip.last is not None:
        return clip.last
    if remap.graph and remap.graph[0][1] > remap.graph[-1][1]:
        return value_at(remap.graph, first)
    if clip.file is not None and clip.file.length is not None:
        whole = clip.file.length * own
    else:
        whole = (clip.duration or first + lasts) * -remap.speed
    return whole + first * remap.speed


def _event(clip: Clip, span: _Span, source: _Source, fps: Fraction) -> Event:
    scale = fps / source.fps
    media = _media(clip, fps)
    start = source.start + clip.offset if clip.offset else source.start
    start = (start if scale == 1 else start * scale) + (media.available_start or _ZERO)
    late = span.at - span.start
    return Event(
        id="",
        record_start=span.start,
        record_length=span.end - span.start,
        source_start=start - late * source.speed if late else start,
        media=media,
        channels=(clip.channel,) if clip.channel is not None else (),
        fade_in=span.fade_in,
        fade_out=span.fade_out,
        gain_db=clip.sound.gain_db,
        automation=tuple(
            GainPoint((when - source.first) * scale + late, level)
            for when, level in clip.sound.levels
        ),
        pan=clip.sound.pan,
        speed=source.speed,
        variable_speed=source.variable,
        enabled=clip.enabled,
    )


def _media(clip: Clip, fps: Fraction) -> MediaReference:
    file = clip.file
    if file is None:
        return MediaReference(clip.name, scene=clip.scene, take=clip.take)
    # A name that only repeats the URL's says nothing apart from it.
    path = unquote(file.url).replace("\\", "/")
    repeats = path.rpartition("/")[2] in (file.name, "")
    return MediaReference(
        name=clip.name,
        url=file.url,
        file_name="" if repeats and file.url else file.name,
        reel=file.reel,
        scene=clip.scene,
        take=clip.take,
        available_start=(file.start or _ZERO) * fps,
        available_length=file.length * fps if file.length is not None else None,
        material_id=clip.material_id,
    )


def with_pan(event: Event, pan: float | None) -> Event:
    """An event panned where its clip says nothing of it."""
    return event if pan is None or event.pan is not None else replace(event, pan=pan)
