"""Cleaned clips with handles: a broadcast wave an event, timecode and iXML as the original's."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from adapters.media.decode import Sound
from adapters.media.write import WaveWriter
from core.cut import Event, Track
from core.media import MediaFile
from core.stems import FULL_SCALE, to_grid
from core.time import frames_to_samples, frames_to_timecode, round_half_up
from flows.desk import file_safe
from flows.marks import (
    Stamp,
    Worked,
    after_history,
    cleaning_lines,
    coding_history,
    ixml_fields,
)
from flows.progress import Progress
from flows.takes import CleanedTake
from flows.turnover import Turnover

BLOCK = 1 << 18
PATTERN = "{scene}_{take}_{track}"
SEPARATORS = "_-. "
LONGEST = 180
_RESERVED = re.compile(r"con|prn|aux|nul|(com|lpt)\d", re.IGNORECASE)


@dataclass(frozen=True)
class Clip:
    """A cleaned clip that was written.

    start, end: samples of the take's file that it holds, handles included.
    """

    event_id: str
    path: Path
    take: str
    start: int
    end: int
    sample_rate: int
    channels: int
    subtype: str
    time_reference: int | None


def write_clips(
    turnover: Turnover,
    cleaned: Mapping[str, CleanedTake],
    handles_s: float,
    folder: Path,
    progress: Progress,
    pattern: str = PATTERN,
    stamp: Stamp = Stamp(),
) -> tuple[Clip, ...]:
    """Write a cleaned clip for every linked event of dialogue, at the media's rate and level.

    handles_s: seconds kept before and after, as far as the take reaches. pattern: of the files'
    names, with the fields of config.settings.CLIP_FIELDS; clips of one name are numbered in the
    order of the cut. stamp: what the files are marked with. Raises InputError and OutputError.
    """
    name = "Writing clips"
    events = [
        (track, event)
        for track in turnover.cut.audio_tracks
        for event in track.events
        if event.id in turnover.links and event.id not in turnover.through
    ]
    progress.step(name, len(events))
    clips = []
    taken: set[str] = set()
    for track, event in events:
        stem = free_name(clip_name(pattern, turnover, track, event), taken)
        path = folder / f"{stem}.wav"
        clips.append(_write(turnover, event, cleaned, handles_s, path, stamp))
        progress.advance(name)
    return tuple(clips)


def clip_name(pattern: str, turnover: Turnover, track: Track, event: Event) -> str:
    """The name of an event's clip, without its suffix, made safe for every file system.

    Fields: scene and take as the recorder wrote them, else as the cut says; track: the
    microphones' names, else the track's; event: its id; cut: the name of the cut; reel: the tape
    or sound roll; name: the clip's own; timecode: of its first frame in the record. The file's
    own name stands for a scene or a name that nobody gave; another empty field takes the
    separator before it along.
    """
    link = turnover.links[event.id]
    notes, media = link.media.notes, event.media
    microphones = [notes.track_name(channel) for channel in link.channels]
    own = link.media.path.stem
    start = frames_to_timecode(turnover.cut.start + int(event.record_start), turnover.cut.rate)
    fields = {
        "scene": notes.scene or media.scene or own,
        "take": notes.take or media.take,
        "track": "_".join(filter(None, microphones)) or track.name,
        "event": event.id,
        "cut": turnover.cut.name or turnover.path.stem,
        "reel": notes.tape or media.reel,
        "name": media.name or own,
        "timecode": re.sub("[:;]", "-", start),
    }
    made = ""
    for literal, field, _, _ in string.Formatter().parse(pattern):
        made += literal
        value = fields[field].strip() if field else ""
        made = made + value if value or not field else made.rstrip(SEPARATORS)
    safe = file_safe(made.strip(SEPARATORS) or own).encode()[:LONGEST].decode(errors="ignore")
    return f"_{safe}" if _RESERVED.fullmatch(safe) else safe


def free_name(name: str, taken: set[str]) -> str:
    """The name, or with `_2`, `_3` … where one that differs at most in case is taken; enters it."""
    free, number = name, 1
    while free.casefold() in taken:
        number += 1
        free = f"{name}_{number}"
    taken.add(free.casefold())
    return free


def _stretch(turnover: Turnover, event: Event, handles_s: float) -> tuple[int, int]:
    """The samples of its file that a clip holds: what plays, and handles where there are any."""
    media = turnover.links[event.id].media
    # Whole frames, so that a format that counts in frames can say where the clip begins.
    handle = frames_to_samples(
        round_half_up(Fraction(handles_s) * turnover.cut.rate.fps),
        turnover.cut.rate.fps,
        media.sample_rate,
    )
    first, last = turnover.played(event)
    start = min(max(0, first - handle), media.frames)
    return start, max(start, min(media.frames, last + handle))


def _write(
    turnover: Turnover,
    event: Event,
    cleaned: Mapping[str, CleanedTake],
    handles_s: float,
    path: Path,
    stamp: Stamp,
) -> Clip:
    take = cleaned[turnover.take_of(event.id).id]
    start, end = _stretch(turnover, event, handles_s)
    subtype = write_stretch(
        path,
        Stretch(take.sound, take.media, turnover.links[event.id].channels, start, end),
        take.worked,
        {
            **ixml_fields([take.worked], stamp, path, [take.key]),
            "ROLE": "CLIP",
            "EVENT": event.id,
            "TAKE_KEY": take.key,
            "ORIGINAL_SHA256": take.media.sha256,
        },
    )
    reference = take.media.notes.time_reference
    return Clip(
        event_id=event.id,
        path=path,
        take=take.take.id,
        start=start,
        end=end,
        sample_rate=take.media.sample_rate,
        channels=len(turnover.links[event.id].channels),
        subtype=subtype,
        time_reference=None if reference is None else reference + start,
    )


@dataclass(frozen=True)
class Stretch:
    """Some of a cleaned take. path: of its cleaned sound, which has the channels of the file
    `media` that are named. start, end: samples.
    """

    path: Path
    media: MediaFile
    channels: tuple[int, ...]
    start: int
    end: int


def write_stretch(path: Path, part: Stretch, worked: Worked, fields: Mapping[str, str]) -> str:
    """Write a stretch of a cleaned take as a broadcast wave that keeps the take's notes.

    worked: what was done to it. fields: for iXML. Gives the subtype: `PCM_24`, or `FLOAT` where
    that would overflow. Raises InputError and OutputError.
    """
    media, start, end = part.media, part.start, part.end
    microphones = [
        media.notes.track_name(channel) or f"ch{channel + 1}" for channel in part.channels
    ]
    reference = media.notes.time_reference
    with Sound(part.path) as sound:
        every = range(sound.channels)
        peak = max(
            (
                float(np.max(np.abs(sound.read(at, min(BLOCK, end - at), every)), initial=0.0))
                for at in range(start, end, BLOCK)
            ),
            default=0.0,
        )
        fits = peak * FULL_SCALE + 1 < FULL_SCALE
        notes = replace(
            media.notes,
            time_reference=None if reference is None else reference + start,
            track_names=tuple(enumerate(microphones)),
            coding_history=after_history(
                media.notes.coding_history,
                cleaning_lines(media.sample_rate, len(microphones), [worked])
                + coding_history(
                    media.sample_rate, 24 if fits else 32, len(microphones), [], "clip"
                ),
            ),
        )
        with WaveWriter(
            path,
            media.sample_rate,
            len(microphones),
            "PCM_24" if fits else "FLOAT",
            notes,
            fields,
        ) as writer:
            for at in range(start, end, BLOCK):
                writer.write(to_grid(sound.read(at, min(BLOCK, end - at), every)))
    return "PCM_24" if fits else "FLOAT"
