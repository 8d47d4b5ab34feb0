"""How much the engines win on noisy speech, and what the wrapper costs over the bare engine."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adapters.media.decode import Sound
from bench.table import MISSING, Table, figures, ratio, where
from core.errors import InputError
from models.denoise import dfn3, dfn3_stream, rnnoise
from models.denoise.clean import DenoiseOptions, clean_channel
from models.denoise.protocol import Denoiser
from models.weights import WeightsFolder

Samples = NDArray[np.float64]

RATE = 48_000
SNRS_DB = (0, 5, 10, 15)
DEEPFILTERNET = "deepfilternet3"


@dataclass(frozen=True)
class Mix:
    """A clean clip and the same with noise, mono at 48 kHz. snr_db: by RMS over the clip."""

    clean: Samples
    noisy: Samples
    snr_db: int


@dataclass(frozen=True)
class Way:
    """A way of cleaning.

    bare: what it is measured against: the authors' ONNX graphs for DeepFilterNet3.
    limit_db: attenuation limit of the wrapper; None is no limit.
    """

    name: str
    engine: Denoiser
    bare: Denoiser
    limit_db: float | None


@dataclass(frozen=True)
class Score:
    """SI-SDR in dB of every mix, in their order; seconds of the way, and of its bare engine."""

    si_sdr: tuple[float, ...]
    seconds: float
    bare: float


def bench_denoise(shared: Path, weights: Path, threads: int) -> Table:
    """The table of denoising.

    shared: the folder with `speech/clean48` and `speech/noise48`. weights: the folder in which
    DeepFilterNet3 lies; without it, only RNNoise is measured. Raises InputError where the shared
    folder has no clips at 48 kHz.
    """
    here = where()
    mixes = made_mixes(shared)
    bare: Denoiser = rnnoise.load()
    ways = [Way("RNNoise", bare, bare, None)]
    folder = WeightsFolder(weights)
    if DEEPFILTERNET in {item.name for item in folder.installed()}:
        sha256 = folder.sha256(DEEPFILTERNET)
        engine = dfn3_stream.load(folder.path(DEEPFILTERNET), sha256)
        bare = dfn3.load(folder.path(DEEPFILTERNET), sha256, threads)
        names = ((None, "full"), (12.0, "12 dB"), (6.0, "6 dB"))
        ways += [Way(f"DeepFilterNet3, {name}", engine, bare, limit) for limit, name in names]
    noisy = Score(tuple(si_sdr(mix.clean, mix.noisy) for mix in mixes), 0.0, 0.0)
    seconds = sum(len(mix.clean) for mix in mixes) / RATE
    rows = [_row("noisy", mixes, noisy, noisy, seconds)]
    rows += [_row(way.name, mixes, _score(way, mixes), noisy, seconds) for way in ways]
    return Table(
        title=f"Denoise: {len(mixes)} mixes, {figures(seconds)} s",
        columns=(
            "SI-SDR dB at",
            *(f"{snr} dB" for snr in SNRS_DB),
            "mean",
            "gain",
            "audio s / s",
            "ratio to bare",
        ),
        rows=tuple(rows),
        notes=(
            "Every clip of speech/clean48 with every noise of speech/noise48; SNR by RMS.",
            "ratio to bare: seconds of clean_channel (level, engine, limit) to those of the engine "
            "alone (for DeepFilterNet3 its ONNX graphs) on the same mix just before.",
            *(() if len(ways) > 1 else ("DeepFilterNet3 is not installed and was left out.",)),
            here,
        ),
    )


def made_mixes(shared: Path) -> tuple[Mix, ...]:
    """Every clean clip with every noise at every SNR; the noise goes on where a clip left off."""
    clips = sorted((shared / "speech" / "clean48").glob("*.wav"))
    noises = sorted((shared / "speech" / "noise48").glob("*.wav"))
    if not clips or not noises:
        raise InputError(
            f"{shared} has no speech/clean48 and speech/noise48; give the folder that has with "
            "--shared."
        )
    mixes = []
    for noise in map(_read, noises):
        at = 0
        for clean in map(_read, clips):
            under = np.take(noise, range(at, at + len(clean)), mode="wrap")
            at += len(clean)
            mixes += [Mix(clean, mixed(clean, under, snr), snr) for snr in SNRS_DB]
    return tuple(mixes)


def mixed(clean: Samples, noise: Samples, snr_db: float) -> Samples:
    """Clean sound with noise at an SNR: the ratio in dB of the mean squares of both."""
    gain = np.sqrt(np.mean(np.square(clean)) / np.mean(np.square(noise))) * 10 ** (-snr_db / 20)
    return np.asarray(clean + gain * noise)


def si_sdr(reference: Samples, estimate: Samples) -> float:
    """Scale-invariant signal-to-distortion ratio in dB (Le Roux et al., ICASSP 2019), means out."""
    target = reference - np.mean(reference)
    heard = estimate - np.mean(estimate)
    target = target * (np.dot(heard, target) / np.dot(target, target))
    return float(10 * np.log10(np.sum(np.square(target)) / np.sum(np.square(heard - target))))


def _read(path: Path) -> Samples:
    with Sound(path) as sound:
        if sound.sample_rate != RATE:
            raise InputError(f"{path} is not at {RATE} Hz; convert it or take it away.")
        return sound.read(0, sound.frames, [0])[:, 0]


def _score(way: Way, mixes: tuple[Mix, ...]) -> Score:
    """Engine and wrapper take turns, so that whatever else the machine does slows both."""
    options = DenoiseOptions(limit_db=way.limit_db)
    way.bare.denoise(mixes[0].noisy.astype(np.float32))
    scores, seconds, bare = [], 0.0, 0.0
    for mix in mixes:
        passage = mix.noisy.astype(np.float32)
        started = time.perf_counter()
        way.bare.denoise(passage)
        between = time.perf_counter()
        cleaned = _cleaned(mix.noisy, way.engine, options)
        seconds += time.perf_counter() - between
        bare += between - started
        scores.append(si_sdr(mix.clean, cleaned))
    return Score(tuple(scores), seconds, bare)


def _cleaned(noisy: Samples, engine: Denoiser, options: DenoiseOptions) -> Samples:
    def read(start: int, frames: int) -> Samples:
        out = np.zeros(frames)
        first, last = max(start, 0), min(start + frames, len(noisy))
        if first < last:
            out[first - start : last - start] = noisy[first:last]
        return out

    return np.concatenate(list(clean_channel(read, len(noisy), RATE, engine, options)))


def _row(
    name: str, mixes: tuple[Mix, ...], score: Score, noisy: Score, seconds: float
) -> tuple[str, ...]:
    scored = list(zip(mixes, score.si_sdr, strict=True))
    means = [np.mean([value for mix, value in scored if mix.snr_db == snr]) for snr in SNRS_DB]
    mean, before = np.mean(score.si_sdr), np.mean(noisy.si_sdr)
    return (
        name,
        *(f"{value:.1f}" for value in (*means, mean)),
        f"{mean - before:+.1f}" if score is not noisy else MISSING,
        ratio(seconds, score.seconds),
        ratio(score.seconds, score.bare),
    )
