"""Cleaned clips with handles: a broadcast wave an event, timecode and iXML as the original's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from adapters.media.decode import Sound
from adapters.media.write import WaveWriter
from core.stems import FULL_SCALE, to_grid
from core.time import frames_to_samples
from flows.progress import Progress
from flows.stems import coding_history, file_safe
from flows.takes import CleanedTake
from flows.turnover import Turnover

BLOCK = 1 << 18


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
) -> tuple[Clip, ...]:
    """Write a cleaned clip for every linked event, at the media's rate and production level.

    handles_s: seconds kept before and after, as far as the take reaches.
    """
    name = "Writing clips"
    progress.step(name, len(turnover.links))
    clips = []
    for track in turnover.cut.audio_tracks:
        for event in track.events:
            if event.id in turnover.links:
                length = event.record_length * abs(event.speed)
                clips.append(_write(turnover, event.id, length, cleaned, handles_s, folder))
                progress.advance(name)
    return tuple(clips)


def _write(
    turnover: Turnover,
    event_id: str,
    length: Fraction,
    cleaned: Mapping[str, CleanedTake],
    handles_s: float,
    folder: Path,
) -> Clip:
    link = turnover.links[event_id]
    take = cleaned[turnover.take_of(event_id).id]
    media = take.media
    handle = round(handles_s * media.sample_rate)
    played = frames_to_samples(length, turnover.cut.rate.fps, media.sample_rate)
    start = min(max(0, link.source_start - handle), media.frames)
    end = max(start, min(media.frames, link.source_start + played + handle))
    microphones = [
        media.notes.track_name(channel) or f"ch{channel + 1}" for channel in link.channels
    ]
    stem = file_safe(f"{event_id}_{media.path.stem}_{'_'.join(microphones)}")
    reference = media.notes.time_reference
    with Sound(take.path) as sound:
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
            coding_history=media.notes.coding_history
            + coding_history(
                media.sample_rate, 24 if fits else 32, len(link.channels), [take.card.name]
            ),
        )
        path = folder / f"{stem}.wav"
        with WaveWriter(
            path,
            media.sample_rate,
            len(link.channels),
            "PCM_24" if fits else "FLOAT",
            notes,
            {"ROLE": "CLIP", "EVENT": event_id, "TAKE_KEY": take.key},
        ) as writer:
            for at in range(start, end, BLOCK):
                writer.write(to_grid(sound.read(at, min(BLOCK, end - at), every)))
    return Clip(
        event_id=event_id,
        path=path,
        take=take.take.id,
        start=start,
        end=end,
        sample_rate=media.sample_rate,
        channels=len(link.channels),
        subtype="PCM_24" if fits else "FLOAT",
        time_reference=notes.time_reference,
    )
