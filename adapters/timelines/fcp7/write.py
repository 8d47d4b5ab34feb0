"""Writes Final Cut Pro 7 XML (xmeml 5), as Premiere and Resolve read it.

What the format can't hold comes back different when the file is read again: a clip of several
channels is a linked clip a channel on tracks of one name (a stereo track that is written one
leg a track, as Premiere does); positions are whole frames, and a clip that starts within one
starts at the nearest and stays in sync (Premiere to the sample, others to the frame); gain and
automation are one curve; a speed is constant; mutes are clips and tracks that are off; roles,
other references and picture are not written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from urllib.parse import unquote
from xml.etree.ElementTree import Element, indent, tostring

from adapters.media.whole import write_text
from adapters.timelines.fcp7.elements import (
    WrittenFile,
    add,
    add_fade,
    add_file,
    add_levels,
    add_marker,
    add_rate,
    add_speed,
    add_timecode,
    has_rate,
    plain,
    truth,
)
from adapters.timelines.fcp7.xml import TICKS
from adapters.timelines.named import MediaOfEvents, NamedMedia
from core.cut import Cut, Event, Fade, Track
from core.errors import OutputError
from core.time import FrameRate, round_half_up

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE xmeml>\n'
_SAMPLE_RATE = 48000


def write(cut: Cut, media: MediaOfEvents, active: str, path: Path) -> None:
    """Write the audio of a cut as an `.xml` file, whole or not at all.

    media: for an event's id, its media by name; active: the name that plays where an event has
    it. Other events keep the reference they came with. Raises OutputError where the file can't
    be written or the format has no such frame rate.
    """
    if not has_rate(cut.rate):
        raise OutputError(
            f"{path} can't be written at {cut.rate} frames a second, which FCP7 XML can't name; "
            "write OTIO instead."
        )
    writing = _Writing(cut.rate, media, active)
    root = Element("xmeml", version="5")
    sequence = add(root, "sequence", id="sequence-1")
    add(sequence, "name", cut.name)
    add(sequence, "duration", round_half_up(cut.length))
    add_rate(sequence, cut.rate)
    add_timecode(sequence, cut.start, cut.rate)
    contents = add(sequence, "media")
    picture = add(add(add(contents, "video"), "format"), "samplecharacteristics")
    add_rate(picture, cut.rate)
    writing.audio(contents, cut.audio_tracks)
    if writing.exploded:
        sequence.set("explodedTracks", "true")
    for marker in cut.markers:
        add_marker(sequence, marker)
    indent(root)
    write_text(path, _HEAD + tostring(root, encoding="unicode") + "\n")


@dataclass(frozen=True)
class _Clip:
    """An event on the grid of frames. channels: one for each track that it is written on."""

    event: Event
    start: int
    end: int
    channels: tuple[int | None, ...]
    file: WrittenFile


@dataclass
class _Leg:
    """A track as it is written: one channel of the clips that have it.

    number: among the audio tracks, from 1. places: of its clips by their identity, from 1.
    """

    element: Element
    number: int
    clips: list[_Clip]
    places: dict[int, int]


@dataclass
class _Writing:
    """What one file is being written of, and what it holds already."""

    rate: FrameRate
    media: MediaOfEvents
    active: str
    exploded: bool = False
    _files: dict[WrittenFile, str] = field(default_factory=dict)
    _clips: int = 0
    _tracks: int = 0

    def audio(self, parent: Element, tracks: Sequence[Track]) -> None:
        """The `audio` of the sequence."""
        audio = add(parent, "audio")
        add(audio, "numOutputChannels", 2)
        sample = add(add(audio, "format"), "samplecharacteristics")
        add(sample, "depth", 24)
        add(sample, "samplerate", _SAMPLE_RATE)
        outputs = add(audio, "outputs")
        for number in (1, 2):
            group = add(outputs, "group")
            add(group, "index", number)
            add(group, "numchannels", 1)
            add(group, "downmix", 0)
            add(add(group, "channel"), "index", number)
        for track in tracks:
            clips = [clip for event in track.events if (clip := self._clip(event))]
            for row in _rows(clips):
                self._row(audio, track, row)

    def _clip(self, event: Event) -> _Clip | None:
        """An event on the grid, or None where nothing of it is left there."""
        start, end = round_half_up(event.record_start), round_half_up(event.record_end)
        if end <= start:
            return None
        named = self.media.get(event.id, {})
        item = named.get(self.active) or next(iter(named.values()), None)
        channels = item.channels if item is not None else event.channels
        file = _named(item, event) if item is not None else _referred(event)
        return _Clip(event, start, end, channels or (None,), file)

    def _row(self, audio: Element, track: Track, clips: list[_Clip]) -> None:
        """A row of clips as one track for each channel that the widest has."""
        width = max((len(clip.channels) for clip in clips), default=1)
        self.exploded |= width > 1
        legs = []
        for leg in range(width):
            self._tracks += 1
            attributes = {"MZ.TrackName": plain(track.name)}
            if width > 1:
                attributes["currentExplodedTrackIndex"] = str(leg)
                attributes["totalExplodedTrackCount"] = str(width)
            if width == 2:
                attributes["premiereTrackType"] = "Stereo"
            elif width == 1 and track.channels == 1:
                attributes["premiereTrackType"] = "Mono"
            here = [clip for clip in clips if len(clip.channels) > leg]
            places = {id(clip): place for place, clip in enumerate(here, 1)}
            legs.append(_Leg(add(audio, "track", **attributes), self._tracks, here, places))
        names = self._names(clips)
        for index, leg_ in enumerate(legs):
            self._leg(leg_, index, legs, names)
            add(leg_.element, "enabled", truth(track.sounds))
            add(leg_.element, "locked", "FALSE")
            add(leg_.element, "outputchannelindex", index % 2 + 1)

    def _names(self, clips: list[_Clip]) -> dict[tuple[int, int], str]:
        """Ids for the channels of clips, by the clip's identity and the leg."""
        names = {}
        for clip in clips:
            for leg in range(len(clip.channels)):
                self._clips += 1
                names[id(clip), leg] = f"clipitem-{self._clips}"
        return names

    def _leg(
        self, leg: _Leg, index: int, legs: list[_Leg], names: dict[tuple[int, int], str]
    ) -> None:
        for place, clip in enumerate(leg.clips):
            before = leg.clips[place - 1] if place else None
            after = leg.clips[place + 1] if place + 1 < len(leg.clips) else None
            blended = before is not None and _blends(before, clip)
            into = _length(clip.event.fade_in, clip)
            out = _length(clip.event.fade_out, clip)
            if blended and before is not None and clip.event.fade_in is not None:
                shape = clip.event.fade_in.shape
                add_fade(leg.element, clip.start, before.end, "center", shape, self.rate)
            elif into and clip.event.fade_in is not None:
                shape = clip.event.fade_in.shape
                end = clip.start + into
                add_fade(leg.element, clip.start, end, "start-black", shape, self.rate)
            item = add(leg.element, "clipitem", id=names[id(clip), index])
            faded = after is not None and _blends(clip, after)
            self._say(item, clip, index, bool(blended or into), bool(faded or out))
            if len(clip.channels) > 1:
                item.set("premiereChannelType", "stereo")
                _link(item, clip, legs, names)
            if not faded and out and clip.event.fade_out is not None:
                shape = clip.event.fade_out.shape
                add_fade(leg.element, clip.end - out, clip.end, "end-black", shape, self.rate)

    def _say(self, item: Element, clip: _Clip, leg: int, faded_in: bool, faded_out: bool) -> None:
        """What a clip item says of its clip."""
        event, fps = clip.event, self.rate.fps
        first, graph = _in_point(clip)
        whole = first.__floor__()
        length = clip.end - clip.start
        add(item, "name", event.media.name)
        add(item, "enabled", truth(event.sounds))
        add(item, "duration", max(int(graph[-1][0]), whole + length))
        add_rate(item, self.rate)
        add(item, "start", -1 if faded_in else clip.start)
        add(item, "end", -1 if faded_out else clip.end)
        add(item, "in", whole)
        add(item, "out", whole + length)
        add(item, "pproTicksIn", round_half_up(first * TICKS / fps))
        add(item, "pproTicksOut", round_half_up((first + length) * TICKS / fps))
        if event.media.material_id and event.id not in self.media:
            add(item, "masterclipid", event.media.material_id)
        known = clip.file in self._files
        name = self._files.setdefault(clip.file, f"file-{len(self._files) + 1}")
        add_file(item, name, None if known else clip.file, self.rate)
        channel = clip.channels[leg]
        if channel is not None:
            source = add(item, "sourcetrack")
            add(source, "mediatype", "audio")
            add(source, "trackindex", channel + 1)
        if event.speed != 1:
            add_speed(item, event.speed, graph)
        add_levels(item, event, whole)
        if event.media.scene or event.media.take:
            logging = add(item, "logginginfo")
            add(logging, "scene", event.media.scene)
            add(logging, "shottake", event.media.take)


def _rows(clips: list[_Clip]) -> list[list[_Clip]]:
    """Clips in rows in which only the sides of dissolves overlap; one row where there is none."""
    rows: list[list[_Clip]] = [[]]
    for clip in sorted(clips, key=lambda clip: (clip.start, clip.event.id)):
        for row in rows:
            if not row or row[-1].end <= clip.start or _blends(row[-1], clip):
                row.append(clip)
                break
        else:
            rows.append([clip])
    return rows


def _blends(left: _Clip, right: _Clip) -> bool:
    """Whether two clips are the two sides of one dissolve."""
    fade_out, fade_in = left.event.fade_out, right.event.fade_in
    return (
        fade_out is not None
        and fade_out == fade_in
        and left.start <= right.start < left.end <= right.end
        and fade_out.length == left.event.record_end - right.event.record_start
    )


def _length(fade: Fade | None, clip: _Clip) -> int:
    return min(round_half_up(fade.length), clip.end - clip.start) if fade is not None else 0


def _in_point(clip: _Clip) -> tuple[Fraction, list[tuple[Fraction, Fraction]]]:
    """The in point in frames of the clip as it plays, and the source frame over those frames."""
    event, file = clip.event, clip.file
    start = file.start if file.start is not None else Fraction(0)
    # The grid moves the clip's start within a frame; what plays there moves with it.
    source = event.source_start - start + (clip.start - event.record_start) * event.speed
    length = clip.end - clip.start
    if event.speed == 0:
        return source, [(Fraction(0), source), (source + length, source)]
    if event.speed > 0:
        first = source / event.speed
        whole = max((file.length or Fraction(0)) / event.speed, first + length)
        return first, [(Fraction(0), Fraction(0)), (whole, whole * event.speed)]
    most = max(file.length or Fraction(0), source)
    first = (source - most) / event.speed
    whole = max(-most / event.speed, first + length)
    return first, [(Fraction(0), most), (whole, most + whole * event.speed)]


def _link(item: Element, clip: _Clip, legs: list[_Leg], names: dict[tuple[int, int], str]) -> None:
    for index in range(len(clip.channels)):
        link = add(item, "link")
        add(link, "linkclipref", names[id(clip), index])
        add(link, "mediatype", "audio")
        add(link, "trackindex", legs[index].number)
        add(link, "clipindex", legs[index].places[id(clip)])
        add(link, "groupindex", 1)


def _named(item: NamedMedia, event: Event) -> WrittenFile:
    return WrittenFile(
        name=item.path.name,
        url=_host_url(item.path),
        reel=event.media.reel,
        start=item.start,
        length=item.length,
        sample_rate=item.sample_rate,
        width=item.width,
    )


def _host_url(path: Path) -> str:
    """A file's URL as Premiere writes it: with a host, and a drive's colon escaped."""
    rest = path.as_uri().removeprefix("file:///")
    drive = rest[:2]
    if drive[1:] == ":":
        rest = f"{drive[0]}%3a{rest[2:]}"
    return f"file://localhost/{rest}"


def _referred(event: Event) -> WrittenFile:
    media = event.media
    return WrittenFile(
        name=media.file_name or unquote(media.url.rpartition("/")[2]),
        url=media.url,
        reel=media.reel,
        start=media.available_start,
        length=media.available_length,
        sample_rate=0,
        width=max(event.channels, default=-1) + 1,
    )
