"""A film production of three short takes, and `roomtone` as a person runs it on them.

The takes are two made voices in noise, at a boom and at a microphone each; the cuts are built
with opentimelineio itself. Everything here counts samples on its own, without `core.time`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import opentimelineio as otio
import soundfile as sf
from numpy.typing import NDArray
from sqlalchemy import select
from synthetic_voice import placed, synthetic_voice

import db.tables
from adapters.media.write import WaveWriter
from bench.command import Ran, run_here, variables_of
from bench.remembered import remembered
from core.media import SoundNotes
from core.speech import Line, Word
from core.time import RATES
from db.catalogue import store_listening
from db.engine import open_database

ROOT = Path(__file__).resolve().parents[1]
RATE = 48_000
FPS = 24_000 / 1001
PER_FRAME = 2002  # samples a frame: 48000 × 1001 / 24000
CUT_START = 3600 * 24  # 01:00:00:00
STEP = 2.0**-23
CHANNELS = ("BOOM", "REN", "MARA")
BOOM_TRACK, LAV_TRACK = "A1 DX", "A2 LAV"
HARSH = 'limit_db = 20\ngentler = "gentle"\n[gates]\nlevel_change_db = 0\n'
"""A recipe whose gates hold everything back."""


@dataclass(frozen=True)
class Take:
    """A take to record. start: timecode of its first frame, in frames since midnight."""

    name: str
    frames: int
    start: int
    seed: int

    @property
    def samples(self) -> int:
        """Its length in samples."""
        return self.frames * PER_FRAME


TAKES = (
    Take("1-T01", 110, 10 * 3600 * 24, 1),
    Take("1-T02", 100, 11 * 3600 * 24 + 7, 2),
    Take("2-T01", 80, 12 * 3600 * 24 + 13, 3),
)


@dataclass(frozen=True)
class Play:
    """A stretch of a take on a track, in frames; dissolve: frames, centred on its start."""

    track: str
    take: str
    record: int
    source: int
    length: int
    channel: int = 0
    dissolve: int = 0


V1 = (
    Play(BOOM_TRACK, "1-T01", 6, 20, 44),
    Play(BOOM_TRACK, "1-T02", 50, 30, 46, dissolve=12),
    Play(BOOM_TRACK, "1-T01", 110, 60, 30),
    Play(LAV_TRACK, "1-T02", 20, 25, 50, channel=1),
    Play(LAV_TRACK, "1-T01", 100, 5, 40, channel=2),
)
V2 = (
    Play(BOOM_TRACK, "1-T01", 6, 20, 30),
    Play(BOOM_TRACK, "2-T01", 36, 10, 40, dissolve=8),
    Play(LAV_TRACK, "1-T02", 20, 25, 50, channel=1),
)


@dataclass(frozen=True)
class Home:
    """A roomtone installation in a folder of its own, and how it is set.

    It cleans with RNNoise and transcribes with nothing, unless `environment` says otherwise.
    """

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, str]:
        """The environment of its commands."""
        return {
            **variables_of(self.folder),
            "ROOMTONE_NIGHTLY_SETTLE_S": "0",
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(ROOT),
            **self.environment,
        }

    def run(self, *words: str | Path) -> Ran:
        """Run a command in this process."""
        with remembered():
            return run_here(words, self.variables)

    def start(self, *words: str | Path) -> subprocess.Popen[str]:
        """Start a command in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "cli.main", *map(str, words)],
            env=self.variables,
            cwd=self.folder.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@dataclass(frozen=True)
class Delivered:
    """A delivery of a cut of the production, and the home that it was made in."""

    film: Path
    home: Home
    out: Path

    @property
    def list(self) -> Any:
        """Its `delivery.json`."""
        return json.loads((self.out / "delivery.json").read_text("utf-8"))


def ended(process: subprocess.Popen[str]) -> Ran:
    """Wait for a started command."""
    out, err = process.communicate(timeout=120)
    return Ran(process.returncode, out, err)


def record_take(path: Path, take: Take, description: str = "") -> None:
    """Write a take: two voices that talk in turn, heard by a boom and by a microphone each."""
    rng = np.random.default_rng(take.seed)
    seconds = take.samples / RATE + 1
    voices = [
        np.repeat(placed(synthetic_voice(1.4, pitch), at, seconds, -90.0), 3)[: take.samples]
        for pitch, at in ((110.0, 0.3), (190.0, 2.0))
    ]
    noise = rng.normal(size=(take.samples, 3)) * (0.004, 0.001, 0.001)
    ren, mara = (voice.astype(np.float64) for voice in voices)
    sound = np.stack([0.35 * ren + 0.3 * mara, 0.5 * ren, 0.5 * mara], axis=1) + noise
    scene, _, number = take.name.partition("-T0")
    notes = SoundNotes(
        scene=scene,
        take=number,
        tape="SR7",
        project="SMALL FILM",
        description=description,
        track_names=tuple(enumerate(CHANNELS)),
        timecode_rate=RATES["23.976"],
        time_reference=take.start * PER_FRAME,
    )
    with WaveWriter(path, RATE, 3, "PCM_24", notes) as writer:
        writer.write(np.rint(sound / STEP).astype(np.int64))


def _time(frames: int) -> Any:
    return otio.opentime.RationalTime(frames, FPS)


def _span(start: int, length: int) -> Any:
    return otio.opentime.TimeRange(_time(start), _time(length))


def write_otio(path: Path, plays: Sequence[Play], frames: int = 150, sound: str = "sound") -> Path:
    """Write a cut as Resolve does: mono tracks, channels by number, media beside the cut."""
    timeline = otio.schema.Timeline(path.stem, global_start_time=_time(CUT_START))
    starts = {take.name: take for take in TAKES}
    for name in dict.fromkeys(play.track for play in plays):
        track = otio.schema.Track(name, kind=otio.schema.TrackKind.Audio)
        at = 0
        for play in (play for play in plays if play.track == name):
            if play.record > at:
                track.append(otio.schema.Gap(source_range=_span(0, play.record - at)))
            if play.dissolve:
                half = play.dissolve // 2
                track.append(
                    otio.schema.Transition(
                        transition_type="SMPTE_Dissolve",
                        in_offset=_time(half),
                        out_offset=_time(half),
                    )
                )
            take = starts[play.take]
            clip = otio.schema.Clip(
                name=play.take,
                source_range=_span(take.start + play.source, play.length),
                media_reference=otio.schema.ExternalReference(
                    target_url=f"{sound}/{play.take}.wav",
                    available_range=_span(take.start, take.frames),
                ),
            )
            clip.metadata["Resolve_OTIO"] = {
                "Channels": [{"Source Channel ID": play.channel, "Source Track ID": 0}]
            }
            track.append(clip)
            at = play.record + play.length
        if at < frames:
            track.append(otio.schema.Gap(source_range=_span(0, frames - at)))
        timeline.tracks.append(track)
    path.write_text(timeline.to_json_string(), encoding="utf-8")
    return path


def write_edl(path: Path, plays: Sequence[Play]) -> Path:
    """Write the boom track of a cut without its dissolves as a CMX3600 list."""

    def timecode(frames: int) -> str:
        seconds, rest = divmod(frames, 24)
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{rest:02}"

    lines = ["TITLE: SMALL FILM", "FCM: NON-DROP FRAME"]
    starts = {take.name: take for take in TAKES}
    booms = [play for play in plays if play.track == BOOM_TRACK]
    for number, play in enumerate(booms, 1):
        source, record = starts[play.take].start + play.source, CUT_START + play.record
        lines += [
            f"{number:03}  SR7      A     C        {timecode(source)} "
            f"{timecode(source + play.length)} {timecode(record)} "
            f"{timecode(record + play.length)}",
            f"* FROM CLIP NAME: {play.take}",
        ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def build(folder: Path) -> Path:
    """The production in a folder: `sound/`, `v1.otio`, `v2.otio` and `v1.edl`."""
    (folder / "sound").mkdir(parents=True)
    for take in TAKES:
        record_take(folder / "sound" / f"{take.name}.wav", take)
    write_otio(folder / "v1.otio", V1)
    write_otio(folder / "v2.otio", V2)
    write_edl(folder / "v1.edl", V1)
    return folder


def naive_track(folder: Path, plays: Sequence[Play], track: str, frames: int = 150) -> NDArray[Any]:
    """A production track in steps of 24 bit, put together sample by sample from the takes."""
    record = np.zeros(frames * PER_FRAME)
    own = [play for play in plays if play.track == track]
    for number, play in enumerate(own):
        follows = own[number + 1] if number + 1 < len(own) else None
        early = play.dissolve // 2
        late = follows.dissolve // 2 if follows else 0
        first, count = play.record - early, play.length + early + late
        sound = sf.read(folder / "sound" / f"{play.take}.wav")[0][:, play.channel]
        start = (play.source - early) * PER_FRAME
        part = sound[start : start + count * PER_FRAME].copy()
        for length, turned in ((2 * early, False), (2 * late, True)):
            if length:
                ramp = np.sin(
                    np.pi / 2 * (np.arange(length * PER_FRAME) + 0.5) / length / PER_FRAME
                )
                edge = slice(len(part) - len(ramp), None) if turned else slice(len(ramp))
                part[edge] *= ramp[::-1] if turned else ramp
        record[first * PER_FRAME : (first + count) * PER_FRAME] += part
    return np.rint(record / STEP).astype(np.int64)


def steps(path: Path) -> NDArray[np.int64]:
    """A sound file's samples in steps of 24 bit, shape (frames, channels), whatever its format."""
    sound = sf.read(path, dtype="float64", always_2d=True)[0] / STEP
    whole = np.rint(sound).astype(np.int64)
    np.testing.assert_array_equal(sound, whole)
    return whole


def stems(out: Path) -> dict[str, Path]:
    """The stems of a delivery by what follows the cut's name: `A1_DX.PROD`, `DX`, `CHAR.REN`."""
    return {path.stem.partition(".")[2]: path for path in sorted((out / "stems").glob("*.wav"))}


def sound_of(folder: Path) -> dict[str, str]:
    """sha256 of the decoded samples of every sound file below a folder, by relative path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(
            sf.read(path, dtype="float64", always_2d=True)[0].tobytes()
        ).hexdigest()
        for path in sorted(folder.rglob("*.wav"))
    }


def files_of(folder: Path) -> dict[str, tuple[str, int]]:
    """sha256 and time of change of every file below a folder, by relative path."""
    return {
        path.relative_to(folder).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@contextlib.contextmanager
def standing_in(folder: Path) -> Iterator[None]:
    """Work in a folder for a while."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def tell(home: Home, said: Mapping[str, Sequence[tuple[int, str]]]) -> None:
    """Let a home have heard REN say these words, by take: the frame they begin in, and the text.

    A word lasts five frames.
    """
    database = open_database(home.folder / "roomtone.db")
    with database.write() as session:
        for take in session.scalars(select(db.tables.Take)).all():
            lines = [_line(frame, text) for frame, text in said.get(take.name, ())]
            if lines:
                store_listening(
                    session, take.essence, "told", "told", False, None, "en", lines, take.project
                )
    database.close()


def _line(frame: int, text: str) -> Line:
    words = tuple(
        Word(word, (frame + 5 * i) * PER_FRAME, (frame + 5 * (i + 1)) * PER_FRAME)
        for i, word in enumerate(text.split())
    )
    return Line("REN", words[0].start, words[-1].end, words, "told")
