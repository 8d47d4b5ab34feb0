"""A film of three takes and two cuts, small enough to be cleaned many times over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import opentimelineio as otio

from adapters.media.write import WaveWriter
from core.media import SoundNotes
from core.time import RATES

RATE, FPS = 48_000, 24
TAKES = ("1-T01", "1-T02", "2-T01")
TAKE_FRAMES = 30
_START = 3600 * FPS
_FULL = 1 << 23


@dataclass(frozen=True)
class Play:
    """A stretch of a take on a track; record, source, length: frames."""

    track: str
    take: str
    record: int
    source: int
    length: int


CUTS = {
    "v1": (
        Play("A1 DX", "1-T01", 0, 4, 20),
        Play("A1 DX", "1-T02", 20, 6, 20),
        Play("A2 DX", "2-T01", 12, 4, 24),
    ),
    "v2": (Play("A1 DX", "1-T02", 6, 2, 24), Play("A2 DX", "2-T01", 0, 4, 20)),
    "v3": (Play("A1 DX", "1-T01", 0, 4, 24), Play("A1 DX", "2-T01", 24, 5, 24)),
}


def build_small_film(folder: Path) -> Path:
    """The film in a folder: `sound/` and a cut `v1.otio` and others; always the same bytes."""
    (folder / "sound").mkdir(parents=True)
    for number, name in enumerate(TAKES):
        _record(folder / "sound" / f"{name}.wav", name, number)
    for name, plays in CUTS.items():
        text = _timeline(name, plays).to_json_string()
        (folder / f"{name}.otio").write_text(text, "utf-8")
    return folder


def _record(path: Path, name: str, number: int) -> None:
    """A voice that swells and fades, two microphones, in noise."""
    frames = TAKE_FRAMES * RATE // FPS
    rng = np.random.default_rng(number)
    at = np.arange(frames) / RATE
    pitch = 110.0 * 1.3**number
    voice = sum(np.sin(2 * np.pi * pitch * k * at) / k for k in range(1, 30))
    voice = voice * np.clip(np.sin(2 * np.pi * 1.7 * at), 0, None) * 0.1
    sound = np.stack([voice, 0.4 * voice], axis=1) + rng.normal(0, 0.004, (frames, 2))
    scene, _, take = name.partition("-T0")
    notes = SoundNotes(
        scene=scene,
        take=take,
        tape="SR1",
        track_names=((0, "BOOM"), (1, "MARA")),
        timecode_rate=RATES["24"],
        time_reference=_source(number) * RATE // FPS,
    )
    with WaveWriter(path, RATE, 2, "PCM_24", notes) as writer:
        writer.write(np.rint(sound * _FULL).astype(np.int64))


def _source(number: int) -> int:
    return (10 + number) * 3600 * FPS


def _timeline(name: str, plays: Sequence[Play]) -> Any:
    timeline = otio.schema.Timeline(name, global_start_time=_time(_START))
    for track_name in dict.fromkeys(play.track for play in plays):
        track = otio.schema.Track(track_name, kind=otio.schema.TrackKind.Audio)
        at = 0
        for play in (play for play in plays if play.track == track_name):
            if play.record > at:
                track.append(otio.schema.Gap(source_range=_span(0, play.record - at)))
            start = _source(TAKES.index(play.take))
            clip = otio.schema.Clip(
                name=play.take,
                source_range=_span(start + play.source, play.length),
                media_reference=otio.schema.ExternalReference(
                    target_url=f"sound/{play.take}.wav",
                    available_range=_span(start, TAKE_FRAMES),
                ),
            )
            channel = 0 if track_name == "A1 DX" else 1
            clip.metadata["Resolve_OTIO"] = {
                "Channels": [{"Source Channel ID": channel, "Source Track ID": 0}]
            }
            track.append(clip)
            at = play.record + play.length
        timeline.tracks.append(track)
    return timeline


def _time(frames: int) -> Any:
    return otio.opentime.RationalTime(frames, FPS)


def _span(start: int, length: int) -> Any:
    return otio.opentime.TimeRange(_time(start), _time(length))
