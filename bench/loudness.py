"""Measuring loudness: against ffmpeg's ebur128 with true peak and libebur128, on one file."""

from __future__ import annotations

import math
import multiprocessing
import re
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from adapters.media.decode import blocks
from adapters.media.write import WaveWriter
from bench.peak import peak_memory
from bench.scratch import scratch_folder
from bench.table import Table, figures, ratio, where
from core.errors import UsageError
from core.media import SoundNotes
from core.stems import to_grid
from flows.demo import build_production
from models.loudness import LoudnessMeter, SpeechDetector, speech_gated

RATE = 48_000
BOOM = 1
BLOCK = 1 << 15
ROUNDS = 3
MEGABYTE = 1e6


@dataclass(frozen=True)
class Reading:
    """What a meter read (LUFS, LU, dBTP; NaN where it does not tell), and what that took.

    seconds: wall clock from the file to the numbers. peak: bytes the process held, NaN where
    that was not measured.
    """

    integrated: float
    loudness_range: float
    true_peak: float
    seconds: float = math.nan
    peak: float = math.nan


def bench_loudness(minutes: int) -> Table:
    """The table of meters. minutes: length of the file, the demo's boom (48 kHz, mono, 24 bit).

    Each meter runs in a process of its own, the fastest of three rounds counts.
    Raises UsageError for a length that is none.
    """
    if minutes < 1:
        raise UsageError("Give a length of at least one minute with --minutes.")
    here = where()
    with scratch_folder() as scratch:
        takes = sorted((build_production(scratch / "demo") / "sound").glob("*.wav"))
        path = scratch / "long.wav"
        _write_sound(path, takes, minutes * 60 * RATE)
        readings = {name: _fastest(meter, path) for name, meter in METERS.items()}
    yardstick = readings["ffmpeg ebur128"]
    return Table(
        title=f"Loudness: {minutes} minutes of mono sound at {RATE // 1000} kHz",
        columns=(
            *("meter", "seconds", "ratio to ffmpeg", "audio s / s", "peak MB"),
            *("LUFS", "LU", "dBTP"),
        ),
        rows=tuple(
            (
                name,
                figures(found.seconds),
                ratio(found.seconds, yardstick.seconds),
                ratio(60 * minutes, found.seconds),
                figures(found.peak / MEGABYTE),
                *(_number(value) for value in _values(found)),
            )
            for name, found in readings.items()
        ),
        notes=(
            "All read the file themselves, and integrated loudness, range and true peak. ffmpeg's "
            "time holds its start, the others' the import of their libraries.",
            "with speech: with the speech-gated estimate, most of which is voice activity.",
            "peak: resident memory of the whole process, its libraries included.",
            here,
        ),
    )


def _write_sound(path: Path, takes: list[Path], frames: int) -> None:
    """The takes' boom one after the other, over and over, up to a length in samples."""
    left = frames
    with WaveWriter(path, RATE, 1, "PCM_24", SoundNotes()) as writer:
        while left:
            for take in takes:
                for block in blocks(take, [BOOM]):
                    writer.write(to_grid(block[:left]))
                    left -= len(block[:left])


def _fastest(meter: Callable[[Path], Reading], path: Path) -> Reading:
    context = multiprocessing.get_context("spawn")
    found = []
    for _ in range(ROUNDS):
        with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
            found.append(pool.submit(meter, path).result())
    return min(found, key=lambda reading: reading.seconds)


def _roomtone(path: Path, *, speech: bool = False) -> Reading:
    started = time.perf_counter()
    meter, detector = LoudnessMeter(RATE, 1), SpeechDetector(RATE, 1) if speech else None
    for block in blocks(path, [0], BLOCK):
        meter.add(block)
        if detector is not None:
            detector.add(block)
    if detector is not None:
        speech_gated(meter, detector.finish())
    read = meter.integrated(), meter.loudness_range(), meter.true_peak()
    return Reading(*read, time.perf_counter() - started, peak_memory())


def _with_speech(path: Path) -> Reading:
    return _roomtone(path, speech=True)


def _ffmpeg(path: Path) -> Reading:
    import imageio_ffmpeg

    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-i", str(path)]
    command += ["-af", "ebur128=peak=true:framelog=quiet", "-f", "null", "-"]
    started = time.perf_counter()
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - started
    summary = ran.stderr.rpartition("Summary:")[2]

    def value(pattern: str) -> float:
        found = re.search(pattern, summary)
        return float(found[1]) if found else math.nan

    return Reading(
        value(r"I:\s+(-?[\d.]+) LUFS"),
        value(r"LRA:\s+(-?[\d.]+) LU"),
        value(r"Peak:\s+(-?[\d.]+) dBFS"),
        seconds,
    )


def _libebur128(path: Path) -> Reading:
    try:
        import pyebur128
    except ImportError:
        return Reading(math.nan, math.nan, math.nan)
    modes = pyebur128.MeasurementMode
    started = time.perf_counter()
    state = pyebur128.R128State(1, RATE, modes.MODE_I | modes.MODE_LRA | modes.MODE_TRUE_PEAK)
    for block in blocks(path, [0], BLOCK):
        state.add_frames(block[:, 0].copy(), len(block))
    peak = 20 * math.log10(pyebur128.get_true_peak(state, 0))
    read = pyebur128.get_loudness_global(state), pyebur128.get_loudness_range(state), peak
    return Reading(*read, time.perf_counter() - started, peak_memory())


def _values(found: Reading) -> tuple[float, float, float]:
    return found.integrated, found.loudness_range, found.true_peak


def _number(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "-"


METERS: dict[str, Callable[[Path], Reading]] = {
    "ffmpeg ebur128": _ffmpeg,
    "libebur128": _libebur128,
    "roomtone": _roomtone,
    "roomtone with speech": _with_speech,
}
