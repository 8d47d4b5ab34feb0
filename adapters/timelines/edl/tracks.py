"""The edits of an EDL laid on tracks, transitions as overlaps.

A dissolve is two lines of one event: the outgoing side, mostly of no length, and the incoming
one, which starts where the dissolve does and lasts on. So the outgoing clip is let out past its
line by the dissolve's length. A line of no length goes on with the clip before it where reel,
place and source agree; else it is itself what is heard going out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from adapters.timelines.edl.edit import Edit, Level, OnTrack
from core.cut import Event, Fade, GainPoint, Track
from core.time import FrameRate, frames_to_timecode

_SHOWN = 5
_SLACK = 2


@dataclass(slots=True)
class _Clip:
    """An edit on one track, while transitions let it out."""

    edit: Edit
    own: OnTrack
    start: int
    line_end: int
    source: int
    let_out: int = 0
    fade_in: int = 0
    fade_out: int = 0

    @property
    def end(self) -> int:
        return self.line_end + self.let_out

    @property
    def source_end(self) -> tuple[int, int]:
        """Where the source is at the end of the line: as written, and by its length."""
        times, speed = self.edit.times, self.edit.speed
        down = speed < 0 and times.source_out > times.source_in
        played = int((self.line_end - self.start) * speed)
        return times.source_in if down else times.source_out, self.source + played


@dataclass(frozen=True)
class Laid:
    """The tracks of a list, and what is to be said about them. start: the cut's, since midnight."""

    tracks: tuple[Track, ...]
    warnings: tuple[str, ...]


def tracks_of(edits: Sequence[Edit], start: int, rate: FrameRate, names: dict[int, str]) -> Laid:
    """Every track that the edits name: audio by number, then video.

    names: of audio tracks, by number, where the list gives them; else A1, A2, …
    """
    audio: dict[int, list[tuple[Edit, OnTrack]]] = {}
    video: dict[int, list[tuple[Edit, OnTrack]]] = {}
    for edit in edits:
        for own in edit.audio:
            audio.setdefault(own.track, []).append((edit, own))
        for number in edit.video:
            video.setdefault(number, []).append((edit, OnTrack(number)))
    warnings: list[str] = []
    tracks = []
    for kind, numbered in (("audio", audio), ("video", video)):
        for number in sorted(numbered):
            name = f"V{number}" if kind == "video" else names.get(number, f"A{number}")
            clips = _clips(numbered[number], name, warnings)
            events = _events(clips, name, kind, start, rate, warnings)
            if events:
                tracks.append(Track(name=name, events=events, kind=kind))
    return Laid(tuple(tracks), tuple(dict.fromkeys(warnings)))


def mismatches(edits: Iterable[Edit]) -> list[str]:
    """Warnings of edits whose source is not as long as their record asks; a few, then a count."""
    odd = []
    for edit in edits:
        times = edit.times
        source = times.source_out - times.source_in
        if source == times.length and edit.speed == 1:
            continue
        wanted = abs(edit.speed) * times.length
        # M2 holds a tenth of a frame a second, so lengths agree within a percent or so.
        slack = 0 if edit.speed == 1 else _SLACK + wanted / 100
        if source and wanted and not edit.black:
            off = abs((source if edit.speed > 0 else abs(source)) - wanted)
            if off > slack:
                odd.append((edit.line, source, times.length, off))
    sentences = [
        f"Line {line}: {source} source frames for {length} record frames; the record length is "
        "used."
        for line, source, length, _ in odd[:_SHOWN]
    ]
    if len(odd) > _SHOWN:
        most = float(max(item[3] for item in odd[_SHOWN:]))
        sentences.append(
            f"{len(odd) - _SHOWN} more events have source lengths up to {most:g} frames off their "
            "record lengths, which are used."
        )
    return sentences


def _clips(edits: Sequence[tuple[Edit, OnTrack]], name: str, warnings: list[str]) -> list[_Clip]:
    clips: list[_Clip] = []
    by_line: dict[int, tuple[Edit, OnTrack]] = {}
    ends: dict[int, list[_Clip]] = {}
    used: set[int] = set()
    for edit, own in edits:
        by_line[edit.line] = (edit, own)
        if not edit.black and (edit.times.length or edit.blends):
            clip = _clip(edit, own)
            clips.append(clip)
            ends.setdefault(clip.line_end, []).append(clip)
    incoming = {clip.edit.line: clip for clip in clips}
    waiting = _waiting([edit for edit, _ in edits])
    for edit, _ in edits:
        if edit.blends and edit.kind[0] != "K" and edit.transition:
            line = edit.outgoing if edit.outgoing in by_line else waiting.get(edit.line)
            used.add(line or 0)
            left = _left(by_line.get(line or 0), edit, incoming, ends)
            if left is not None:
                left.let_out = left.fade_out = edit.transition
                if left.edit.line not in incoming:
                    clips.append(left)
                    incoming[left.edit.line] = left
            elif edit.black:
                warnings.append(
                    f"Line {edit.line}: a fade to black on {name} starts where no clip ends; "
                    "it is left out."
                )
        if edit.blends and edit.line in incoming:
            incoming[edit.line].fade_in = edit.transition
    for edit, _ in edits:
        idle = not edit.times.length and not edit.blends and not edit.black
        if idle and edit.line not in used:
            warnings.append(
                f"Line {edit.line} has no length and no dissolve starts from it; it is left out."
            )
    return clips


def _waiting(edits: Sequence[Edit]) -> dict[int, int]:
    """For a dissolve alone in its event: the line of no length just before it, which it leaves."""
    found: dict[int, int] = {}
    for before, edit in pairwise(edits):
        meets = before.times.record_out == edit.times.record_in
        if edit.blends and edit.outgoing is None and not before.times.length and meets:
            found[edit.line] = before.line
    return found


def _left(
    outgoing: tuple[Edit, OnTrack] | None,
    edit: Edit,
    incoming: dict[int, _Clip],
    ends: dict[int, list[_Clip]],
) -> _Clip | None:
    """The clip that a transition leaves, None for silence."""
    at = edit.times.record_in
    there = [c for c in ends.get(at, [])[:64] if not c.let_out and c.edit.line != edit.line]
    if outgoing is None:
        return there[0] if len(there) == 1 else None
    before, own = outgoing
    if before.black or before.times.record_out != at:
        return None
    if before.times.length or before.blends:
        clip = incoming.get(before.line)
        return None if clip is None or clip.let_out else clip
    for clip in there:
        if _goes_on(clip, before, edit):
            return clip
    return _clip(before, own)


def _goes_on(clip: _Clip, before: Edit, edit: Edit) -> bool:
    """Whether the outgoing line of no length is the clip before it."""
    if before.times.source_in not in clip.source_end:
        return False
    if clip.edit.media.reel == before.media.reel:
        return before.media.name in ("", clip.edit.media.name, before.media.reel)
    # Some hosts put the incoming reel on both lines; the source time tells.
    return before.times.source_in > 0 and before.media.reel == edit.media.reel != ""


def _clip(edit: Edit, own: OnTrack) -> _Clip:
    times = edit.times
    # Backwards, the first frame heard is the last of the source range.
    down = edit.speed < 0 and times.source_out > times.source_in
    source = times.source_out if down else times.source_in
    return _Clip(edit, own, times.record_in, times.record_out, source)


def _events(
    clips: Sequence[_Clip],
    name: str,
    kind: str,
    start: int,
    rate: FrameRate,
    warnings: list[str],
) -> tuple[Event, ...]:
    ordered = sorted(
        (clip for clip in clips if clip.end > clip.start),
        key=lambda clip: (clip.start, clip.end, clip.edit.line),
    )
    events = []
    for number, clip in enumerate(ordered, 1):
        length = clip.end - clip.start
        if clip.edit.kind[0] in "WK":
            warnings.append(
                f"Line {clip.edit.line}: a wipe is heard as a dissolve."
                if clip.edit.kind[0] == "W"
                else f"Line {clip.edit.line}: a key; what is under it is heard as well."
            )
        if max(clip.fade_in, clip.fade_out) > length:
            warnings.append(
                f"Line {clip.edit.line}: a transition is longer than its clip of {length} frames "
                f"at {frames_to_timecode(clip.start, rate)}; it ends with the clip."
            )
        events.append(_event(clip, f"{name}/{number:03d}", kind, start, warnings))
    return tuple(events)


def _event(clip: _Clip, name: str, kind: str, start: int, warnings: list[str]) -> Event:
    length = clip.end - clip.start
    sources = clip.own.sources or (clip.own.track,)
    gain, points = _levels(clip, warnings)
    mix = clip.own.mix
    return Event(
        id=name,
        record_start=Fraction(clip.start - start),
        record_length=Fraction(length),
        source_start=Fraction(clip.source),
        media=clip.edit.media,
        channels=tuple(source - 1 for source in sources) if kind == "audio" else (),
        fade_in=_fade(clip.fade_in, length),
        fade_out=_fade(clip.fade_out, length),
        gain_db=gain if mix is None else mix.gain_db,
        automation=points,
        pan=mix.pan if mix is not None else None,
        speed=clip.edit.speed,
        notes=clip.edit.notes,
    )


def _fade(frames: int, length: int) -> Fade | None:
    return Fade(Fraction(min(frames, length))) if frames else None


def _levels(clip: _Clip, warnings: list[str]) -> tuple[float, tuple[GainPoint, ...]]:
    """The constant gain and the automation that `AUDIO LEVEL AT` lines give."""
    levels: Sequence[Level] = clip.own.levels
    if len(levels) == 1 and clip.own.mix is None:
        return levels[0].gain_db, ()
    if not levels:
        return 0.0, ()
    speed = clip.edit.speed
    ends = sorted((clip.source, clip.source + int((clip.end - clip.start) * speed)))
    in_source = any(ends[0] <= level.at <= ends[1] for level in levels)
    in_record = all(clip.start <= level.at <= clip.end for level in levels)
    by_record = in_record and not in_source
    if not by_record and not speed:
        warnings.append(
            f"Line {levels[0].line}: levels of a freeze frame can't be placed; the first is used."
        )
        return levels[0].gain_db, ()
    points = [
        GainPoint(
            Fraction(level.at - clip.start) if by_record else (level.at - clip.source) / speed,
            level.gain_db,
        )
        for level in levels
    ]
    return 0.0, tuple(sorted(points, key=lambda point: point.at))
