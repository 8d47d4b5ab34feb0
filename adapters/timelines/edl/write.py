"""Writes CMX3600 edit decision lists: all audio tracks of a cut in one list.

What an EDL can't hold is lost: positions between frames, the shape of fades, roles, pan beyond
a percent, scene and take, media beside the active one, picture. What is switched off or muted
is left out. The reader (`edl`) takes back what is here, remarks included.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from urllib.parse import unquote

from adapters.media.whole import write_text
from adapters.timelines.edl.rows import Line, Side, edit_lines, plain, remarks, short_reels
from adapters.timelines.named import MediaOfEvents
from core.cut import Cut, Event, Fade, Marker, Track
from core.time import FrameRate, frames_to_timecode, round_half_up

# Hosts on Windows and the disks of CMX systems want both; every host reads both.
_END = "\r\n"
_TITLE = 70
_MARKER_COLOR = "RED"
_NUMBER = re.compile(r"A([1-9][0-9]{0,2})")


@dataclass(frozen=True)
class _Laid:
    """An event in whole frames with the lengths of its fades."""

    event: Event
    side: Side
    fade_in: int
    fade_out: int


@dataclass(frozen=True)
class _Block:
    """An event of the list: its edit lines, on one track."""

    track: int
    lines: tuple[Line, ...]

    @property
    def start(self) -> int:
        return self.lines[0].record[0]

    @property
    def end(self) -> int:
        return self.lines[-1].record[1]


def write(cut: Cut, media: MediaOfEvents, active: str, path: Path) -> None:
    """Write a cut to an `.edl` file, whole or not at all.

    media: for an event's id, its media by name; an event without any keeps what it refers to.
    active: the name that plays where a clip has it. Raises OutputError where the file can't be
    written.
    """
    write_text(path, serialise(cut, media, active))


def serialise(cut: Cut, media: MediaOfEvents, active: str) -> str:
    """A cut as the text of an EDL, its lines ended with CR and LF.

    Arguments are those of `write`. Every clip is a line on its track (`A`, `A2`, `A3`, …); a
    dissolve is two lines of one event, fades to and from silence dissolve with black.
    """
    numbered = list(zip(_numbers(cut.audio_tracks), cut.audio_tracks, strict=True))
    heard = [
        (number, [event for event in track.events if event.sounds])
        for number, track in numbered
        if track.sounds
    ]
    reels = short_reels(event.media.reel for _, events in heard for event in events)
    blocks: list[_Block] = []
    for number, events in heard:
        laid = [
            _laid(cut, event, _side(cut, event, number, reels, media, active)) for event in events
        ]
        blocks += _blocks([item for item in laid if item.side.record[1] > item.side.record[0]])
    blocks = _with_black(cut, blocks, min((number for number, _ in numbered), default=1))
    blocks.sort(key=lambda block: (block.start, block.track, block.end))
    rows = [
        f"TITLE:   {plain(cut.name)[:_TITLE]}",
        f"FCM: {'DROP' if cut.rate.drop else 'NON-DROP'} FRAME",
    ]
    if any(track.name != f"A{number}" for number, track in numbered):
        rows += [f"* TRACK A{number}: {plain(track.name)}" for number, track in numbered]
    width = max(3, len(str(len(blocks))))
    waiting = sorted(cut.markers, key=lambda marker: marker.at)
    for i, block in enumerate(blocks):
        rows += edit_lines(f"{i + 1:0{width}d}", block.track, block.lines, cut.rate)
        rows += remarks(block.lines, cut.rate)
        following = blocks[i + 1].start if i + 1 < len(blocks) else None
        while waiting and (following is None or cut.start + waiting[0].at < following):
            rows.append(_locator(waiting.pop(0), cut))
    rows += [
        f">>> SOURCE {short} {plain(name)}"
        for name, short in reels.items()
        if name not in ("", short)
    ]
    return _END.join([*rows, ""])


def _numbers(tracks: Sequence[Track]) -> list[int]:
    """Channel numbers of tracks: their own where all are named A1, A2, …; else in order."""
    own = [int(match[1]) for track in tracks if (match := _NUMBER.fullmatch(track.name))]
    if len(own) == len(tracks) == len(set(own)):
        return own
    return list(range(1, len(tracks) + 1))


def _side(
    cut: Cut,
    event: Event,
    track: int,
    reels: dict[str, str],
    media: MediaOfEvents,
    active: str,
) -> Side:
    start = round_half_up(cut.start + event.record_start)
    end = round_half_up(cut.start + event.record_end)
    named = media.get(event.id, {})
    chosen = named.get(active) or next(iter(named.values()), None)
    channels = chosen.channels if chosen is not None else event.channels
    in_url = re.split(r"[\\/]", unquote(event.media.url))[-1]
    file = chosen.path.name if chosen is not None else event.media.file_name or in_url
    return Side(
        track=track,
        reel=reels[event.media.reel],
        name=event.media.name or file,
        file=file,
        url=chosen.url if chosen is not None else event.media.url,
        sources=tuple(channel + 1 for channel in channels),
        record=(start, end),
        entry=event.source_start + (start - cut.start - event.record_start) * event.speed,
        speed=event.speed,
        gain_db=event.gain_db,
        pan=event.pan,
        automation=event.automation,
    )


def _laid(cut: Cut, event: Event, side: Side) -> _Laid:
    start, end = side.record

    def frames(fade: Fade | None, edge: Fraction, sign: int) -> int:
        length = fade.length if fade is not None else Fraction(0)
        inner = round_half_up(cut.start + edge + sign * length)
        return min(end - start, max(0, inner - start if sign > 0 else end - inner))

    return _Laid(
        event,
        side,
        frames(event.fade_in, event.record_start, 1),
        frames(event.fade_out, event.record_end, -1),
    )


def _blocks(clips: Sequence[_Laid]) -> Iterable[_Block]:
    """The events of one track: cuts, dissolves between two clips, fades from and to black."""
    partners = _partners(clips)
    left = set(partners.values())
    for i, clip in enumerate(clips):
        side = clip.side
        start, end = side.record
        # The rest of a clip that fades out is on the line of what it fades into.
        last = end - clip.fade_out
        if clip.fade_in:
            leaves = clips[partners[i]].side if i in partners else None
            yield _Block(
                side.track,
                (Line(leaves, 0, (start, start)), Line(side, clip.fade_in, (start, last))),
            )
        elif last > start:
            yield _Block(side.track, (Line(side, 0, (start, last)),))
        if clip.fade_out and i not in left:
            yield _Block(
                side.track,
                (Line(side, 0, (last, last)), Line(None, clip.fade_out, (last, end))),
            )


def _partners(clips: Sequence[_Laid]) -> dict[int, int]:
    """For a clip that a dissolve enters, the one it leaves, by their places."""
    ending: dict[tuple[int, int], list[int]] = defaultdict(list)
    for i, clip in enumerate(clips):
        if clip.fade_out:
            ending[clip.side.record[1], clip.fade_out].append(i)
    partners = {}
    for i, clip in enumerate(clips):
        start = clip.side.record[0]
        for j in ending.get((start + clip.fade_in, clip.fade_in), []) if clip.fade_in else []:
            if j != i and clips[j].side.record[0] <= start:
                partners[i] = j
                ending[start + clip.fade_in, clip.fade_in].remove(j)
                break
    return partners


def _with_black(cut: Cut, blocks: list[_Block], track: int) -> list[_Block]:
    """The blocks with black before and after, where the cut is longer than its sound."""
    start, end = cut.start, round_half_up(cut.start + cut.length)
    first = min((block.start for block in blocks), default=end)
    last = max((block.end for block in blocks), default=end)
    ends = [(start, first), (last, end)]
    return blocks + [_Block(track, (Line(None, 0, part),)) for part in ends if part[0] < part[1]]


def _locator(marker: Marker, cut: Cut) -> str:
    """A locator as Avid lists it; it always has a colour."""
    rate: FrameRate = cut.rate
    at = frames_to_timecode(round_half_up(cut.start + marker.at), rate)
    color = "".join(plain(marker.color).split()) or _MARKER_COLOR
    return f"* LOC: {at} {color:<7} {plain(marker.name)}".rstrip()
