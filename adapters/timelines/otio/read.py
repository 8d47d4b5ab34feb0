"""Reads OpenTimelineIO: `.otio`, and the bundles `.otioz` and `.otiod` that carry media along.

Two stages: `otio_items` gives the file's own items, `otio_nest` lays them out in the record.

- Rates are doubles (23.976023976023978): they become the exact fraction they stand for.
- The timeline's start gives the rate; without one, the rate of most of its items.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from adapters.timelines.otio import bundle as otio_bundle
from adapters.timelines.otio import nest as otio_nest
from adapters.timelines.otio import own as otio_own
from adapters.timelines.otio.items import Nest, Reading, nest
from adapters.timelines.otio.json import (
    MAX_BYTES,
    Clock,
    Table,
    number,
    parse,
    rows,
    schema,
    table,
    text,
)
from adapters.timelines.otio.nest import length_of, own_markers
from adapters.timelines.otio.tracks import Lane, lanes_of, sound_of_nests, tracks_of
from core.cut import Cut, Marker, Track
from core.errors import InputError
from core.time import FrameRate, exact_fps, round_half_up
from core.words import some

_AUDIO_RATE = 1000
_SHOWN = 3
_MOST = 1000


def read(path: Path, essence: Path | None = None) -> Cut:
    """Read an `.otio` file, an `.otioz` bundle or an `.otiod` folder into a cut.

    essence: folder into which the sound that an `.otioz` carries is extracted, under the
    bundle's sha256; None leaves it there, and a warning says so. Raises InputError, one sentence
    that names the file, where it is none of these or has no clip.
    """
    suffix = path.suffix.lower()
    if suffix == ".otioz":
        return otio_bundle.extracted(_cut(otio_bundle.content(path), path), path, essence)
    if suffix == ".otiod" or path.is_dir():
        return otio_bundle.beside(_cut(_bytes(path / "content.otio"), path), path)
    return _cut(_bytes(path), path)


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(
                f"{path} is over 256 MB, too large for a timeline; export one reel or sequence."
            )
        return path.read_bytes()
    except OSError as fault:
        raise InputError(f"{path} can't be read ({fault.strerror or fault}).") from fault


def _cut(data: bytes, path: Path) -> Cut:
    timeline = _timeline(parse(data, path), path)
    metadata = table(timeline.get("metadata"))
    own = otio_own.own(metadata)
    rate = _rate(timeline, own, path)
    warnings: list[str] = []
    reading = Reading(path, Clock(rate.fps), warnings)
    stack = nest(table(timeline.get("tracks")), reading)
    if reading.newer:
        known = ", ".join(list(reading.newer)[:_SHOWN])
        warnings.append(f"It holds {known}, newer than roomtone knows, read as the older ones.")
    start = reading.clock.frames(timeline.get("global_start_time"), {})
    if start is None:
        start = Fraction(0)
        if timeline.get("global_start_time") is not None:
            warnings.append("The timeline's start makes no sense; it is taken as 00:00:00:00.")
    if start.denominator != 1:
        warnings.append(f"The timeline starts within a frame ({float(start):g}): rounded.")
    lanes = [*lanes_of(stack, warnings), *sound_of_nests(stack, warnings)]
    if not any(lane.laid.events for lane in lanes):
        raise InputError(f"{path} is an empty cut: no track has a clip that can be read.")
    tracks = tracks_of(lanes)
    length = max(
        [length_of(stack), *(event.record_end for track in tracks for event in track.events)]
    )
    kept = table(own.get("length"))
    if otio_own.same(kept.get("of"), length):
        length = otio_own.position(kept.get("frames")) or length
    warnings += _of_events(tracks)
    return Cut(
        name=text(timeline.get("name")) or path.stem,
        rate=rate,
        start=round_half_up(start),
        length=length,
        tracks=tracks,
        markers=tuple(_markers(stack, lanes, start, length)),
        warnings=_shortened(warnings),
    )


def _timeline(found: object, path: Path) -> Table:
    """The timeline in a file: itself, or the only one of a collection."""
    name, _ = schema(found)
    if name == "SerializableCollection":
        inside = [table(item) for item in rows(table(found).get("children"))]
        timelines = [item for item in inside if schema(item)[0] == "Timeline"]
        if len(timelines) == 1:
            return timelines[0]
        raise InputError(
            f"{path} is a collection of {len(timelines)} timelines; export one timeline."
        )
    if name != "Timeline":
        holds = f"a {name[:40]!r}" if name else "no OpenTimelineIO object"
        raise InputError(f"{path} holds {holds}, not a timeline; export a timeline.")
    return table(found)


def _rate(timeline: Table, own: Table, path: Path) -> FrameRate:
    """The cut's frame rate: the start's, else the picture rate that most items count at."""
    start = _picture_rate(timeline.get("global_start_time"))
    metadata = table(table(timeline.get("metadata")).get("fcp_xml"))
    if start is None:
        counted = Counter(_item_rates(table(timeline.get("tracks"))))
        start = counted.most_common(1)[0][0] if counted else None
    kept = otio_own.rate_in(own, start)
    if kept is not None:
        return kept
    if start is None:
        raise InputError(
            f"{path} has no frame rate: neither its start nor any clip counts at a picture's; "
            "export it from a timeline with one."
        )
    fps = exact_fps(start)
    shown = text(table(metadata.get("timecode")).get("displayformat")).upper()
    drops = shown == "DF" and fps in (Fraction(30000, 1001), Fraction(60000, 1001))
    return FrameRate(fps, drop=drops)


def _picture_rate(time: object) -> float | None:
    rate = number(table(time).get("rate"))
    return rate if rate is not None and 1 <= rate < _AUDIO_RATE else None


def _item_rates(raw: Table, depth: int = 0) -> Iterator[float]:
    """Picture rates at which the items of tracks count, in the file's order."""
    for entry in rows(raw.get("children")):
        child = table(entry)
        span = table(child.get("source_range"))
        for time in (span.get("duration"), child.get("in_offset"), span.get("start_time")):
            rate = _picture_rate(time)
            if rate is not None:
                yield rate
                break
        if depth < 3:
            yield from _item_rates(child, depth + 1)


def _markers(
    stack: Nest, lanes: Sequence[Lane], start: Fraction, length: Fraction
) -> Iterator[Marker]:
    """The timeline's markers, then those of its tracks and clips.

    The timeline's count from its first frame, or, as some systems write them, in its timecode,
    which shows where one lies past the end and its timecode does not.
    """
    for marker in own_markers(stack):
        absolute = marker.at > length and start <= marker.at <= start + length
        yield replace(marker, at=marker.at - start) if absolute else marker
    for lane in lanes:
        yield from lane.laid.markers


def _of_events(tracks: Sequence[Track]) -> list[str]:
    """What the events' notes say was not applied, a sentence each with where it was."""
    places: dict[tuple[str, str], list[str]] = {}
    for track in tracks:
        for event in track.events:
            for note in event.notes:
                places.setdefault(note, []).append(event.id)
    sentences = []
    for (kind, name), ids in places.items():
        where = some(ids, _SHOWN)
        if kind == otio_nest.EFFECT:
            sentences.append(f"{where}: the effect {name!r} is not applied.")
        elif kind == otio_nest.TIME_EFFECT:
            sentences.append(f"{where}: the speed changes ({name!r}); the mean speed is used.")
    return sentences


def _shortened(warnings: Sequence[str]) -> tuple[str, ...]:
    if len(warnings) <= _MOST:
        return tuple(warnings)
    return (*warnings[:_MOST], f"There are {len(warnings) - _MOST} more warnings.")
