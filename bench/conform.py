"""Conforming a feature: thousands of events on four tracks, in how long and in how much memory."""

from __future__ import annotations

import multiprocessing
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from adapters.media.probe import probe
from adapters.media.relink import Link
from adapters.media.write import WaveWriter
from bench.peak import peak_memory
from bench.scratch import scratch_folder, workspace
from bench.table import Table, figures, ratio, where
from config.deliveries import load_delivery
from core.cut import Cut, Event, Fade, MediaReference, Track
from core.errors import UsageError
from core.media import MediaFile, SoundNotes
from core.roles import Choice
from core.stems import to_grid
from core.time import RATES, frames_to_samples
from flows.progress import Silent
from flows.stems import render_stems
from flows.takes import CleanedTake
from flows.turnover import Turnover
from models.card import ModelCard

RATE = 48_000
FPS = RATES["24"]
FILES = 4
FILE_MINUTES = 20
TRACKS = ("A1 DX", "A2 FX", "A3 FX", "A4 MX")
EVENTS_AN_HOUR = 2_500
DISSOLVE = 6
SEED = 1
MEGABYTE = 1e6
CARD = ModelCard("a copy", "1", "", "", "MIT", "nothing", "", stand_in=True)


@dataclass(frozen=True)
class Spent:
    """A cut conformed in a process of its own.

    seconds: wall clock. peak: bytes, the most the process held, libraries included.
    stems: files written.
    """

    seconds: float
    peak: int
    stems: tuple[Path, ...]


def bench_conform(minutes: tuple[int, ...]) -> Table:
    """The table of conforming.

    minutes: lengths of the cuts, with 2,500 events an hour on four tracks, one of them dialogue;
    the sources are four files of 20 minutes. The cleaned takes are the originals, so that nothing
    but the conform counts. Raises UsageError for a length that is none.
    """
    if not minutes or min(minutes) < 1:
        raise UsageError("Give lengths of at least one minute with --minutes.")
    here = where()
    lengths = sorted(set(minutes))
    rows: list[tuple[str, ...]] = []
    shortest = 0
    with scratch_folder() as scratch:
        files = [_recorded(scratch / f"take{number}.wav", number) for number in range(FILES)]
        for length in lengths:
            turnover = made_turnover(files, length)
            out = scratch / f"{length}min"
            out.mkdir()
            spent = _alone(turnover, scratch / "home", out)
            size = sum(path.stat().st_size for path in spent.stems)
            copied = _copy(spent.stems, scratch / "copy.wav")
            for path in spent.stems:
                path.unlink()
            shortest = shortest or spent.peak
            rows.append(
                (
                    str(length),
                    str(len(turnover.links)),
                    str(len(spent.stems)),
                    figures(size / MEGABYTE),
                    figures(spent.seconds),
                    ratio(60 * length, spent.seconds),
                    figures(copied),
                    ratio(spent.seconds, copied),
                    figures(spent.peak / MEGABYTE),
                    ratio(spent.peak, shortest),
                )
            )
    return Table(
        title="Conform: " + ", ".join(f"{length}" for length in lengths) + " minutes",
        columns=(
            "minutes",
            "events",
            "stems",
            "MB",
            "seconds",
            "audio s / s",
            "copy s",
            "ratio to copy",
            "peak MB",
            "ratio to shortest",
        ),
        rows=tuple(rows),
        notes=(
            "PROD, DX and NR of a dialogue track, the dialogue sum, and three tracks that pass "
            "through, 48 kHz and 24 bit; measured in one pass and written in a second.",
            "copy: ffmpeg -c copy of the same files, one after the other. Stems are flushed to the "
            "disk and opened again; copies are not.",
            "peak: resident memory of the whole process, its libraries included.",
            here,
        ),
    )


def _recorded(path: Path, seed: int) -> MediaFile:
    """A long mono file of noise that swells like speech does."""
    rng = np.random.default_rng(seed)
    with WaveWriter(path, RATE, 1, "PCM_24", SoundNotes(track_names=((0, "BOOM"),))) as writer:
        for _ in range(FILE_MINUTES * 60):
            sound = rng.standard_normal((RATE, 1)) * 10 ** (rng.uniform(-60, -26) / 20)
            writer.write(to_grid(np.clip(sound, -0.9, 0.9)))
    return replace(probe(path), essence=path.stem)


def made_turnover(files: Sequence[MediaFile], minutes: int) -> Turnover:
    """A cut of so many minutes with its media found: events of uneven length, some in dissolves.

    files: the media, of one rate and length.
    """
    rng = np.random.default_rng(SEED)
    frames = minutes * 60 * FPS.nominal
    count = max(1, minutes * EVENTS_AN_HOUR // 60 // len(TRACKS))
    links: dict[str, Link] = {}
    tracks = []
    for name in TRACKS:
        edges = np.sort(rng.choice(np.arange(1, frames), count - 1, replace=False))
        bounds = [0, *(int(edge) for edge in edges), frames]
        events = []
        for number in range(count):
            start, end = bounds[number], bounds[number + 1]
            joined = number > 0 and number % 4 == 0 and start >= DISSOLVE
            media = files[int(rng.integers(len(files)))]
            length = end - start + (DISSOLVE if joined else 0)
            event = Event(
                id=f"{name}/{number + 1:03d}",
                record_start=Fraction(end - length),
                record_length=Fraction(length),
                source_start=Fraction(0),
                media=MediaReference(media.path.stem),
                fade_in=Fade(Fraction(min(DISSOLVE, length))) if joined else None,
                gain_db=float(rng.integers(-6, 3)),
            )
            room = media.frames - frames_to_samples(length, FPS.fps, media.sample_rate)
            first = int(rng.integers(max(1, room)))
            events.append(event)
            links[event.id] = Link(event.id, media, "url", first, (0,), ())
        tracks.append(Track(name, tuple(events)))
    dialogue = TRACKS[0]
    return Turnover(
        cut=Cut("bench", FPS, FPS.nominal * 3600, Fraction(frames), tuple(tracks)),
        path=Path("bench.otio"),
        digest="0" * 64,
        links=links,
        offline=(),
        media={media.essence: media for media in files},
        notes=(),
        choices=tuple(Choice(name, name == dialogue, "", "") for name in TRACKS),
        through=frozenset(
            event.id for track in tracks if track.name != dialogue for event in track.events
        ),
    )


def _alone(turnover: Turnover, home: Path, out: Path) -> Spent:
    """The conform in a new process."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        return pool.submit(_conform, turnover, home, out).result()


def _conform(turnover: Turnover, home: Path, out: Path) -> Spent:
    cleaned = {
        take.id: CleanedTake(
            take=take,
            media=turnover.media[take.essence],
            key=take.essence,
            path=turnover.media[take.essence].path,
            sha256="",
            card=CARD,
            gates=(),
            defects=(),
            repairs=(),
            cleaned_now=False,
        )
        for take in turnover.takes
    }
    with workspace(home, home / "weights", sample_rate=RATE) as work:
        started = time.perf_counter()
        rendered = render_stems(
            work, turnover, cleaned, {}, load_delivery("none"), out, Silent(), "silence"
        )
        seconds = time.perf_counter() - started
    return Spent(seconds, peak_memory(), tuple(stem.path for stem in rendered.stems))


def _copy(stems: Sequence[Path], to: Path) -> float:
    """Seconds that ffmpeg takes to copy the stems."""
    import imageio_ffmpeg

    program = imageio_ffmpeg.get_ffmpeg_exe()
    seconds = 0.0
    for path in stems:
        command = [program, "-v", "error", "-y", "-i", str(path), "-c", "copy", "-rf64", "auto"]
        started = time.perf_counter()
        subprocess.run([*command, str(to)], check=True)
        seconds += time.perf_counter() - started
        to.unlink()
    return seconds
