"""Whether memory grows with length: the most a process holds for a short file and for an hour."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adapters.media.decode import Sound, blocks
from adapters.media.write import WaveWriter, write_text
from bench.peak import peak_memory
from bench.scratch import scratch_folder, weights_root, workspace
from bench.table import Table, figures, ratio, where
from config.deliveries import load_delivery
from config.recipes import load_recipe
from core.errors import UsageError
from core.media import SoundNotes
from core.stems import to_grid
from core.time import RATES
from flows.clean_audio import clean_audio
from flows.clean_cut import clean_cut
from flows.demo import build_production
from flows.job import Job
from flows.progress import Silent
from flows.runner import InTurn
from models.loudness import LoudnessMeter

RATE = 48_000
FPS = 25
EVENT_S = 10
BOOM = 1
BLOCK = 1 << 18
MEGABYTE = 1e6


@dataclass(frozen=True)
class Place:
    """Where a length is measured: its sound file, its cut, its own home, and the weights."""

    sound: Path
    cut: Path
    home: Path
    weights: Path


@dataclass(frozen=True)
class Spent:
    """seconds: wall clock. peak: bytes, the most the process held, libraries included."""

    seconds: float
    peak: int


def bench_memory(minutes: tuple[int, ...], weights: Path | None) -> Table:
    """The table of memory.

    minutes: lengths of the files, made of the demo's boom (48 kHz, mono, 24 bit; 8.6 MB a minute,
    and four times that while it is worked on). weights: as in `weights_root`. Each piece of work
    runs in a process of its own. Raises UsageError for a length that is none.
    """
    if not minutes or min(minutes) < 1:
        raise UsageError("Give lengths of at least one minute with --minutes.")
    here = where()
    lengths = sorted(set(minutes))
    spent: dict[str, list[Spent]] = {name: [] for name in WORKS}
    with scratch_folder() as scratch:
        root = weights_root(scratch, weights)
        takes = sorted((build_production(scratch / "demo") / "sound").glob("*.wav"))
        for length in lengths:
            place = _place(scratch / f"{length}min", root)
            write_boom(place.sound, takes, length * 60)
            _write_cut(place.cut, place.sound, length * 60)
            for name, work in WORKS.items():
                spent[name].append(_alone(work, place))
    return Table(
        title="Memory: " + ", ".join(f"{length}" for length in lengths) + " minutes of mono sound",
        columns=("work", "minutes", "peak MB", "ratio to shortest", "seconds", "audio s / s"),
        rows=tuple(
            (
                name,
                str(length),
                figures(found.peak / MEGABYTE),
                ratio(found.peak, values[0].peak),
                figures(found.seconds),
                ratio(60 * length, found.seconds),
            )
            for name, values in spent.items()
            for length, found in zip(lengths, values, strict=True)
        ),
        notes=(
            "clean a file: clean_audio with no recogniser (voice activity and speakers are found). "
            "conform a cut: clean_cut with the cleaned take in the store, an event every "
            f"{EVENT_S} s.",
            "peak: resident memory of the whole process, its libraries included.",
            here,
        ),
    )


def _alone(work: Callable[[Place], None], place: Place) -> Spent:
    """What a piece of work needs in a new process."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        return pool.submit(_spent, work, place).result()


def _spent(work: Callable[[Place], None], place: Place) -> Spent:
    started = time.perf_counter()
    work(place)
    return Spent(time.perf_counter() - started, peak_memory())


def _place(folder: Path, weights: Path) -> Place:
    folder.mkdir()
    (folder / "sound").mkdir()
    return Place(folder / "sound" / "long.wav", folder / "long.otio", folder / "home", weights)


def write_boom(path: Path, takes: Sequence[Path], seconds: int) -> None:
    """Writes the takes' boom, one after the other, over and over, up to a length."""
    notes = SoundNotes(time_reference=0, timecode_rate=RATES[str(FPS)], track_names=((0, "BOOM"),))
    left = seconds * RATE
    with WaveWriter(path, RATE, 1, "PCM_24", notes) as writer:
        while left:
            for take in takes:
                for block in blocks(take, [BOOM]):
                    some = block[:left]
                    writer.write(to_grid(some))
                    left -= len(some)


def _write_cut(path: Path, sound: Path, seconds: int) -> None:
    """A cut that plays a file from its start to its end, in events of equal length."""
    import opentimelineio as otio

    def span(start_s: int, length_s: int) -> otio.opentime.TimeRange:
        start, length = (otio.opentime.RationalTime(s * FPS, FPS) for s in (start_s, length_s))
        return otio.opentime.TimeRange(start, length)

    track = otio.schema.Track("A1", kind=otio.schema.TrackKind.Audio)
    media = otio.schema.ExternalReference(f"sound/{sound.name}", span(0, seconds))
    for start in range(0, seconds, EVENT_S):
        clip = otio.schema.Clip(f"event {start}", media, span(start, min(EVENT_S, seconds - start)))
        track.append(clip)
    timeline = otio.schema.Timeline("long", global_start_time=span(3600, 0).start_time)
    timeline.tracks.append(track)
    write_text(path, timeline.to_json_string())


def _load_nothing(place: Place) -> None:
    """Only the libraries, and the file opened."""
    with Sound(place.sound) as sound:
        sound.read(0, RATE, [0])


def _clean(place: Place) -> None:
    with workspace(place.home, place.weights, recogniser="none") as work:
        recipe, spec = load_recipe("standard"), load_delivery("r128")
        out = place.home.parent / "cleaned"
        clean_audio(work, [place.sound], out, recipe, spec, Silent())


def _conform(place: Place) -> None:
    out, media = place.home.parent / "out", (place.sound.parent,)
    job = Job(place.cut, media, out, load_recipe("standard"), load_delivery("r128"))
    with workspace(place.home, place.weights, recogniser="none") as work:
        clean_cut(work, job, Silent(), InTurn())


def _measure(place: Place) -> None:
    meter = LoudnessMeter(RATE, 1)
    for block in blocks(place.sound, [0], BLOCK):
        meter.add(block)
    if not np.isfinite(meter.integrated()):
        raise RuntimeError("the file is silent")


WORKS: dict[str, Callable[[Place], None]] = {
    "open a file": _load_nothing,
    "measure loudness": _measure,
    "clean a file": _clean,
    "conform a cut": _conform,
}
"""What is measured, in the order it is done: a cut is conformed from the file cleaned before."""
