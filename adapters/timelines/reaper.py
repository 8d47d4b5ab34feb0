"""Writes a REAPER project (`.rpp`): raw, cleaned and removed sound beside one another.

Each track of the cut becomes a folder of tracks: `raw` (muted), `cleaned` (which plays) and,
where the media has it, `removed` (muted: what cleaning took away). Decisions made here:
- Positions and lengths are differences of positions rounded to the sample at 48 kHz, as stems
  are, in seconds of twelve decimals. The timecode of the first frame is the project's offset.
- REAPER's fades count from 0: linear is 0, equal power 1. Items always mix (`ITEMMIX 1`), so the
  two sides of a dissolve sum.
- An event of one channel, or of two neighbouring ones, is one item with a channel mode; of more,
  an item for each channel, for the master bus would not hear the third and later ones.
- Backwards plays a reversed source. A freeze has no sound and is left out.
- Automation is straight in dB, REAPER's envelopes are straight in amplitude: steps are made small.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil
from pathlib import Path

from adapters.media.whole import write_text
from adapters.timelines.named import MediaByName, MediaOfEvents, NamedMedia
from core.conform import cut_length
from core.cut import Cut, Event, Fade, FadeShape, Marker, Track
from core.time import FrameRate, frames_to_samples, round_half_up
from core.words import some

SAMPLE_RATE = 48000
_RAW, _CLEANED, _REMOVED = "original", "cleaned", "removed"
_LANES = ((_RAW, "raw", True), (_CLEANED, "cleaned", False), (_REMOVED, "removed", True))
_SHAPES = {FadeShape.LINEAR: 0, FadeShape.EQUAL_POWER: 1}
_SOURCES = {
    ".flac": "FLAC",
    ".m4a": "VIDEO",
    ".m4v": "VIDEO",
    ".mov": "VIDEO",
    ".mp3": "MP3",
    ".mp4": "VIDEO",
    ".mxf": "VIDEO",
    ".ogg": "VORBIS",
    ".opus": "OPUS",
    ".wv": "WAVPACK",
}
_STEP_DB = 1.5
_NAMESPACE = uuid.UUID("b1d0bd1f-57b0-4d2e-9f3e-2a7c7c1e6a52")
_SHOWN = 5


@dataclass(frozen=True)
class _Block:
    """A block of a project, `<NAME fields … >`, with lines and blocks in it."""

    head: str
    body: tuple[str | _Block, ...]


@dataclass(frozen=True)
class _Item:
    """An event on one lane, in samples of the session. media: the file that plays."""

    event: Event
    media: NamedMedia
    start: int
    length: int
    head: Fraction
    stands_in: bool


def write(cut: Cut, media: MediaOfEvents, path: Path) -> None:
    """Write a cut as a REAPER project at `path`, whole or not at all.

    media: for an event's id its `original`, `cleaned` and `removed` media, as far as there are.
    An event without cleaned media plays its original on the cleaned track, under a name that
    says so. What can't be written is said in the project's notes. Raises OutputError.
    """
    tracks: list[_Block] = []
    for number, track in enumerate(cut.audio_tracks, 1):
        tracks += _folder(cut, track, number, media, path.parent)
    notes = tuple(f"|{' '.join(line.split())}" for line in _notes(cut, media))
    project = _Block(
        'REAPER_PROJECT 0.1 "7.0" 0',
        (
            _Block("NOTES 0 2", notes),
            *_settings(cut),
            *_markers(cut),
            *tracks,
        ),
    )
    write_text(path, "\n".join(_text(project, 0)) + "\n")


def quoted(text: str) -> str:
    """A string as REAPER reads it: within the first of `"`, `'` and backticks that it lacks.

    Line ends become spaces; where it has all three, its backticks become apostrophes.
    """
    plain = " ".join(text.replace("\0", " ").split())
    for mark in ('"', "'", "`"):
        if mark not in plain:
            return f"{mark}{plain}{mark}"
    plain = plain.replace("`", "'")
    return f"`{plain}`"


def _text(block: _Block, depth: int) -> Iterator[str]:
    indent = "  " * depth
    yield f"{indent}<{block.head}"
    for part in block.body:
        if isinstance(part, _Block):
            yield from _text(part, depth + 1)
        else:
            yield f"{indent}  {part}"
    yield f"{indent}>"


def _settings(cut: Cut) -> Iterator[str]:
    base, drop = _frame_rate(cut.rate)
    yield "RIPPLE 0"
    yield "AUTOXFADE 0"
    yield f"PROJOFFS {_decimal(Fraction(cut.start) / cut.rate.fps)} 0 0"
    yield f"TIMEMODE 5 5 -1 {base} {drop} 0 -1"
    yield "PANMODE 3"
    yield "CURSOR 0"
    yield "TIMELOCKMODE 0"
    yield "TEMPOENVLOCKMODE 0"
    yield "ITEMMIX 1"
    yield f"SAMPLERATE {SAMPLE_RATE} 1 0"
    yield "TEMPO 120 4 4"
    yield f"SELECTION 0 {_seconds(cut_length(cut, SAMPLE_RATE))}"
    yield "MASTER_NCH 2 2"


def _frame_rate(rate: FrameRate) -> tuple[int, int]:
    """REAPER's frame rate: frames in a second, and 1 for drop-frame, 2 for 1000/1001 of it."""
    if rate.drop:
        return rate.nominal, 1
    return rate.nominal, 0 if rate.fps.denominator == 1 else 2


def _markers(cut: Cut) -> Iterator[str]:
    """Markers, and regions for those that last longer than a frame."""
    for number, marker in enumerate(cut.markers, 1):
        start = _place(cut, marker.at)
        region = marker.length > 1
        kind = 1 if region else 0
        yield f"MARKER {number} {_seconds(start)} {quoted(_marker_name(marker))} {kind}"
        if region:
            yield f'MARKER {number} {_seconds(_place(cut, marker.at + marker.length))} "" 1'


def _marker_name(marker: Marker) -> str:
    return f"{marker.name}: {marker.note}" if marker.note else marker.name


def _folder(
    cut: Cut, track: Track, number: int, media: MediaOfEvents, folder: Path
) -> list[_Block]:
    """A track of the cut as a folder and the lanes in it that hold anything."""
    items = {name: _items(cut, track, name, media) for name, _, _ in _LANES}
    lanes = [
        (name, label, muted) for name, label, muted in _LANES if name != _REMOVED or items[name]
    ]
    key = f"{cut.name}/{number}"
    blocks = [_track(track.name, key, mute=not track.sounds, bus="1 1", items=())]
    for index, (name, label, muted) in enumerate(lanes):
        bus = "2 -1" if index == len(lanes) - 1 else "0 0"
        lane = f"{key}/{label}"
        written = tuple(
            block
            for place, item in enumerate(items[name], 1)
            for block in _item(cut, item, f"{lane}/{place}", folder)
        )
        blocks.append(_track(f"{track.name} {label}", lane, mute=muted, bus=bus, items=written))
    return blocks


def _track(name: str, key: str, *, mute: bool, bus: str, items: Sequence[_Block]) -> _Block:
    return _Block(
        f"TRACK {_guid(key)}",
        (
            f"NAME {quoted(name)}",
            "VOLPAN 1 0 -1 -1 1",
            f"MUTESOLO {int(mute)} 0 0",
            f"ISBUS {bus}",
            "NCHAN 2",
            f"TRACKID {_guid(key)}",
            "MAINSEND 1 0",
            *items,
        ),
    )


def _items(cut: Cut, track: Track, name: str, media: MediaOfEvents) -> list[_Item]:
    """What of a track's events lies on one lane."""
    found = []
    for event in track.events:
        chosen, stands_in = _chosen(media.get(event.id, {}), name)
        if chosen is None or event.speed == 0:
            continue
        first, last = _place(cut, event.record_start), _place(cut, event.record_end)
        head = Fraction(max(0, -first))
        if last > max(first, 0):
            start = max(first, 0)
            found.append(_Item(event, chosen, start, last - start, head, stands_in))
    return found


def _chosen(named: MediaByName, name: str) -> tuple[NamedMedia | None, bool]:
    """An event's media of a name; the original stands in for a cleaned one that is missing."""
    if name in named or name != _CLEANED:
        return named.get(name), False
    return named.get(_RAW), True


def _item(cut: Cut, item: _Item, key: str, folder: Path) -> Iterator[_Block]:
    """The blocks of an event on a lane: one, or one for each channel."""
    modes = _channel_modes(item.media.channels, item.media.width)
    event, rate = item.event, abs(item.event.speed)
    label = event.media.name or item.media.path.stem
    for index, (mode, suffix) in enumerate(modes):
        name = label + suffix + (" (not cleaned)" if item.stands_in else "")
        guid = _guid(f"{key}/{index}")
        yield _Block(
            "ITEM",
            (
                f"POSITION {_seconds(item.start)}",
                f"LENGTH {_seconds(item.length)}",
                "LOOP 0",
                f"FADEIN {_fade(cut, item, event.fade_in, at_start=True)}",
                f"FADEOUT {_fade(cut, item, event.fade_out, at_start=False)}",
                f"MUTE {int(not event.sounds)} 0",
                f"IGUID {guid}",
                f"NAME {quoted(name)}",
                f"VOLPAN {_amplitude(event.gain_db)} {event.pan or 0:.6f} 1 -1",
                f"SOFFS {_decimal(_offset(cut, item))}",
                f"PLAYRATE {_decimal(rate)} {int(event.keeps_pitch)} 0 -1 0 0.0025",
                f"CHANMODE {mode}",
                f"GUID {guid}",
                _source(item, folder),
                *_envelope(cut, item),
            ),
        )


def _channel_modes(channels: Sequence[int], width: int) -> list[tuple[int, str]]:
    """REAPER's channel modes that play the channels, each with what to add to the item's name.

    0 plays the file as it is, 3 and 4 its first and second channel; 5 to 66 channels 3 to 64 and
    131 to 194 channels 65 to 128; 67 to 130 pairs from 1/2 to 64/65 and 195 on those from 65/66.
    """
    numbers = [channel + 1 for channel in channels] or list(range(1, width + 1))
    if len(numbers) <= 2 and numbers == list(range(1, width + 1)):
        return [(0, "")]
    if len(numbers) == 2 and numbers[1] == numbers[0] + 1:
        return [(numbers[0] + (66 if numbers[0] <= 64 else 130), "")]
    suffixes = [f" ch{number}" if len(numbers) > 1 else "" for number in numbers]
    modes = [number + (2 if number <= 64 else 66) for number in numbers]
    return list(zip(modes, suffixes, strict=True))


def _offset(cut: Cut, item: _Item) -> Fraction:
    """Seconds into the source, reversed where it plays backwards, at the item's start.

    Rounded to a sample of the file.
    """
    event, media = item.event, item.media
    frames = event.source_start - media.start
    into = Fraction(frames) / cut.rate.fps + item.head * event.speed / SAMPLE_RATE
    sample = round_half_up(into * media.sample_rate)
    if event.speed < 0:
        sample = media.frames - sample
    return Fraction(sample, media.sample_rate)


def _fade(cut: Cut, item: _Item, fade: Fade | None, *, at_start: bool) -> str:
    """A fade's shape and its length in seconds: the difference of two rounded positions."""
    if fade is None:
        return "1 0 0 1 0 0 0"
    event = item.event
    if at_start:
        length = _place(cut, event.record_start + fade.length) - item.start
    else:
        length = item.start + item.length - _place(cut, event.record_end - fade.length)
    shape = _SHAPES[fade.shape]
    inside = min(max(0, length), item.length)
    return f"{shape} {_seconds(inside)} 0 {shape} 0 0 0"


def _source(item: _Item, folder: Path) -> _Block:
    path = item.media.path
    file = _Block(
        f"SOURCE {_SOURCES.get(path.suffix.lower(), 'WAVE')}",
        (f"FILE {quoted(_relative(path, folder))}",),
    )
    if item.event.speed > 0:
        return file
    length = _decimal(Fraction(item.media.frames, item.media.sample_rate))
    return _Block("SOURCE SECTION", (f"LENGTH {length}", "MODE 3", "STARTPOS 0", file))


def _relative(path: Path, folder: Path) -> str:
    """A file's path from the project's folder, with `/`; absolute where there is none (Windows)."""
    try:
        return Path(os.path.relpath(path, folder.absolute())).as_posix()
    except ValueError:
        return path.as_posix()


def _envelope(cut: Cut, item: _Item) -> Iterator[_Block]:
    """Automation as a take's volume envelope; its times run at the take's play rate."""
    points = item.event.automation
    if not points:
        return
    scale = abs(item.event.speed) / cut.rate.fps
    lead = item.head / SAMPLE_RATE * abs(item.event.speed)
    places = [(point.at * scale - lead, point.gain_db) for point in points]
    lines = [f"PT {_decimal(places[0][0])} {_amplitude(places[0][1])} 0"]
    for (start, low), (end, high) in pairwise(places):
        steps = max(1, ceil(abs(high - low) / _STEP_DB))
        for step in range(1, steps + 1):
            time = start + (end - start) * step / steps
            level = low + (high - low) * step / steps
            lines.append(f"PT {_decimal(time)} {_amplitude(level)} 0")
    yield _Block("VOLENV", ("ACT 1 -1", "VIS 1 1 1", "VOLTYPE 0", *lines))


def _notes(cut: Cut, media: MediaOfEvents) -> Iterator[str]:
    """What a person should know of the project."""
    yield f"{cut.name}, written by roomtone."
    yield "Raw and removed tracks are muted: unmute one at a time to compare."
    events = [event for track in cut.audio_tracks for event in track.events]
    if not any(_REMOVED in media.get(event.id, {}) for event in events):
        yield "There are no tracks of removed sound: the delivery holds no such files."
    without = [event.id for event in events if not media.get(event.id)]
    if without:
        yield f"Left out, for their media are offline: {some(without, _SHOWN)}."
    raw = [e.id for e in events if _RAW in media.get(e.id, {}) and _CLEANED not in media[e.id]]
    if raw:
        yield f"Not cleaned, so the original plays: {some(raw, _SHOWN)}."
    still = [event.id for event in events if event.speed == 0]
    if still:
        yield f"Left out, for a freeze frame has no sound: {some(still, _SHOWN)}."
    changing = [event.id for event in events if event.variable_speed]
    if changing:
        yield f"At the mean of a speed that changes: {some(changing, _SHOWN)}."
    yield from cut.warnings


def _place(cut: Cut, frames: Fraction) -> int:
    """The sample of the session that a position in the cut lies at."""
    origin = frames_to_samples(cut.start, cut.rate.fps, SAMPLE_RATE)
    return frames_to_samples(cut.start + frames, cut.rate.fps, SAMPLE_RATE) - origin


def _seconds(samples: int) -> str:
    return _decimal(Fraction(samples, SAMPLE_RATE))


def _decimal(value: Fraction) -> str:
    """A number with twelve decimals, rounded from the exact fraction."""
    whole = round_half_up(value * 10**12)
    sign = "-" if whole < 0 else ""
    return f"{sign}{abs(whole) // 10**12}.{abs(whole) % 10**12:012d}"


def _amplitude(level_db: float) -> str:
    """A factor for a level; -144 dB and less are silence."""
    return "0" if level_db <= -144 else f"{10 ** (level_db / 20):.12f}"


def _guid(key: str) -> str:
    """An id that is the same for the same cut, so that a project is the same bytes again."""
    return f"{{{str(uuid.uuid5(_NAMESPACE, key)).upper()}}}"
