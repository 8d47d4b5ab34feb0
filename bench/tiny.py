"""A film of two short takes and a cut, and `roomtone` run on it in this process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import opentimelineio as otio

from adapters.media.write import WaveWriter
from bench.command import Ran, run_here, variables_of
from core.media import SoundNotes
from core.time import RATES

RATE, FPS, PER_FRAME = 48_000, 24, 2_000
CHANNELS = ("BOOM", "REN")
_FRAMES = 48
_START = 10 * 3600 * FPS
_CUT_START = 3600 * FPS
_PLAYS = (
    ("A1 DX", 0, ((0, 4, 20), (1, 10, 24))),
    ("A2 LAV", 1, ((1, 6, 30),)),
)
"""Tracks: name, channel, and what they play: take, first frame, frames."""


@dataclass(frozen=True)
class Tiny:
    """The film in a folder: sound, cut, a home and a delivery, which may not be there yet."""

    folder: Path

    @property
    def home(self) -> Path:
        """The home of the installation."""
        return self.folder / "home"

    @property
    def out(self) -> Path:
        """The folder that the cut is delivered to."""
        return self.folder / "out"

    @property
    def cut(self) -> Path:
        """The cut."""
        return self.folder / "film" / "reel.otio"

    @property
    def database(self) -> Path:
        """The home's database."""
        return self.home / "roomtone.db"

    def run(self, *words: str | Path) -> Ran:
        """Run a command in this process."""
        return run_here(words, variables_of(self.home))

    def clean(self) -> Ran:
        """Clean the cut into its folder."""
        return self.run("clean", self.cut, "--out", self.out, "--direct")


def made_film(folder: Path) -> Tiny:
    """Write the film into a folder."""
    sound = folder / "film" / "sound"
    sound.mkdir(parents=True)
    for number in range(2):
        _record(sound / f"1-T0{number + 1}.wav", number)
    tiny = Tiny(folder)
    tiny.cut.write_text(_timeline().to_json_string(), encoding="utf-8")
    return tiny


def _record(path: Path, number: int) -> None:
    """A take: a voice-like tone that comes and goes, in noise."""
    rng = np.random.default_rng(number)
    count = _FRAMES * PER_FRAME
    at = np.arange(count) / RATE
    tone = sum(np.sin(2 * np.pi * 140 * (number + 1) * k * at) / k for k in range(1, 12))
    voice = 0.1 * tone * (np.sin(2 * np.pi * 1.5 * at) > 0) * (1 + np.sin(2 * np.pi * 5 * at)) / 2
    mixed = np.stack([0.6 * voice, voice], axis=1) + 0.003 * rng.normal(size=(count, 2))
    notes = SoundNotes(
        scene="1",
        take=str(number + 1),
        tape="SR1",
        project="TINY",
        track_names=tuple(enumerate(CHANNELS)),
        timecode_rate=RATES["24"],
        time_reference=_start(number) * PER_FRAME,
    )
    with WaveWriter(path, RATE, len(CHANNELS), "PCM_24", notes) as writer:
        writer.write(np.rint(mixed * (1 << 23)).astype(np.int64))


def _start(take: int) -> int:
    return _START + take * 60 * FPS


def _timeline() -> Any:
    timeline = otio.schema.Timeline("reel", global_start_time=_time(_CUT_START))
    for name, channel, plays in _PLAYS:
        track = otio.schema.Track(name, kind=otio.schema.TrackKind.Audio)
        for take, first, frames in plays:
            clip = otio.schema.Clip(
                name=f"1-T0{take + 1}",
                source_range=_span(_start(take) + first, frames),
                media_reference=otio.schema.ExternalReference(
                    target_url=f"sound/1-T0{take + 1}.wav",
                    available_range=_span(_start(take), _FRAMES),
                ),
            )
            clip.metadata["Resolve_OTIO"] = {
                "Channels": [{"Source Channel ID": channel, "Source Track ID": 0}]
            }
            track.append(clip)
        timeline.tracks.append(track)
    return timeline


def _time(frames: int) -> Any:
    return otio.opentime.RationalTime(frames, FPS)


def _span(start: int, length: int) -> Any:
    return otio.opentime.TimeRange(_time(start), _time(length))
