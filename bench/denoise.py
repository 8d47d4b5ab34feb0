"""What engines and recipes make of noisy speech, and what they cost over the bare engine."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adapters.media.decode import Sound
from bench.scores import Dnsmos, Scores, mean_scores, scores, si_sdr
from bench.table import MISSING, Table, figures, ratio, where
from config.recipes import load_recipe
from core.errors import InputError
from models.denoise import dfn3, dfn3_stream, rnnoise
from models.denoise.clean import DenoiseOptions, clean_channel
from models.denoise.protocol import Denoiser
from models.weights import WeightsFolder

__all__ = ["Mix", "Way", "bench_denoise", "made_mixes", "mixed", "si_sdr"]

Samples = NDArray[np.float64]

RATE = 48_000
SNRS_DB = (0, 5, 10, 15)
DEEPFILTERNET = "deepfilternet3"
RECIPES = ("gentle", "standard", "rescue")
NOISE_S = 20
BABBLERS = 14
SEED = 4


@dataclass(frozen=True)
class Mix:
    """A clean clip and the same with noise, mono at 48 kHz. snr_db: by RMS over the clip."""

    clean: Samples
    noisy: Samples
    snr_db: int


@dataclass(frozen=True)
class Way:
    """A way of cleaning.

    bare: what its speed is measured against: the authors' ONNX graphs for DeepFilterNet3.
    """

    name: str
    engine: Denoiser
    bare: Denoiser
    options: DenoiseOptions


def bench_denoise(shared: Path, weights: Path, threads: int) -> Table:
    """The table of denoising.

    shared: the folder with `speech/clean48`, `speech/noise48` and, for SIG and BAK,
    `weights/dnsmos`. weights: the folder in which DeepFilterNet3 lies; without it, only RNNoise is
    measured. Raises InputError where the shared folder has no clips at 48 kHz.
    """
    here = where()
    mixes = made_mixes(shared)
    judge_path = shared / "weights" / "dnsmos" / "sig_bak_ovr.onnx"
    judge = Dnsmos(judge_path, threads) if judge_path.is_file() else None
    ways = _ways(weights, threads)
    noisy = mean_scores([scores(mix.clean, mix.noisy, mix.noisy, judge) for mix in mixes])
    rows = [_row("noisy", noisy, MISSING), *(_measured(way, mixes, judge) for way in ways)]
    seconds = sum(len(mix.clean) for mix in mixes) / RATE
    return Table(
        title=f"Denoise: {len(mixes)} mixes, {figures(seconds)} s",
        columns=(
            "means",
            "SIG",
            "BAK",
            "air dB",
            "sibilants dB",
            "over-suppressed",
            "musical noise",
            "SI-SDR dB",
            "ratio to bare",
        ),
        rows=tuple(rows),
        notes=(
            "Every clip of speech/clean48 at 0, 5, 10 and 15 dB (RMS), the noises in turn: those "
            "of speech/noise48, a hum, an air conditioner and babble. Level matched to the mix's.",
            "air, sibilants: change against the clean clip, noise that is left counted in. "
            "over-suppressed: share of the cells with more speech than noise 6 dB too low. musical "
            "noise: log-kurtosis ratio of the pauses.",
            "ratio to bare: seconds of clean_channel (level, engine, limit) to those of the engine "
            "alone (for DeepFilterNet3 its ONNX graphs) on the same mix just before.",
            *(() if len(ways) > 1 else ("DeepFilterNet3 is not installed and was left out.",)),
            here,
        ),
    )


def _ways(weights: Path, threads: int) -> list[Way]:
    stand_in = rnnoise.load()
    everything = DenoiseOptions(limit_db=None)
    ways = [Way("RNNoise", stand_in, stand_in, everything)]
    folder = WeightsFolder(weights)
    if DEEPFILTERNET in {item.name for item in folder.installed()}:
        sha256 = folder.sha256(DEEPFILTERNET)
        engine = dfn3_stream.load(folder.path(DEEPFILTERNET), sha256)
        bare = dfn3.load(folder.path(DEEPFILTERNET), sha256, threads)
        ways += [
            Way("DeepFilterNet3", engine, bare, everything),
            Way("DeepFilterNet3, 12 dB", engine, bare, DenoiseOptions(limit_db=12.0)),
            *(Way(f"recipe {name}", engine, bare, options_of(name)) for name in RECIPES),
        ]
    return ways


def options_of(name: str) -> DenoiseOptions:
    """What a recipe says of denoising."""
    recipe = load_recipe(name)
    return DenoiseOptions(
        recipe.limit_db, recipe.target_level_dbfs, recipe.adaptive, recipe.two_pass
    )


def made_mixes(shared: Path) -> tuple[Mix, ...]:
    """Every clean clip at every SNR, the noises taking turns; each goes on where it left off."""
    clips = [_read(path) for path in sorted((shared / "speech" / "clean48").glob("*.wav"))]
    recorded = [_read(path) for path in sorted((shared / "speech" / "noise48").glob("*.wav"))]
    if not clips or not recorded:
        raise InputError(
            f"{shared} has no speech/clean48 and speech/noise48; give the folder that has with "
            "--shared."
        )
    noises = [*recorded, *_made_noises(clips)]
    reached = [0] * len(noises)
    mixes = []
    for turn, clean in enumerate(clips):
        for at, snr in enumerate(SNRS_DB):
            which = (turn + at) % len(noises)
            span = range(reached[which], reached[which] + len(clean))
            reached[which] += len(clean)
            under = np.take(noises[which], span, mode="wrap")
            mixes.append(Mix(clean, mixed(clean, under, snr), snr))
    return tuple(mixes)


def mixed(clean: Samples, noise: Samples, snr_db: float) -> Samples:
    """Clean sound with noise at an SNR: the ratio in dB of the mean squares of both."""
    gain = np.sqrt(np.mean(np.square(clean)) / np.mean(np.square(noise))) * 10 ** (-snr_db / 20)
    return np.asarray(clean + gain * noise)


def _made_noises(clips: list[Samples]) -> list[Samples]:
    """A mains hum, an air conditioner with its fan, and many voices, half of them backwards."""
    random = np.random.default_rng(SEED)
    frames = NOISE_S * RATE
    seconds = np.arange(frames) / RATE
    hz = np.fft.rfftfreq(frames, 1 / RATE)

    def coloured(slope: float) -> Samples:
        spectrum = np.fft.rfft(random.standard_normal(frames)) / np.maximum(hz, 60) ** slope
        noise = np.fft.irfft(spectrum, frames)
        return np.asarray(noise / np.std(noise))

    hum = 0.1 * coloured(0.5)
    for harmonic in range(1, 10):
        phase = random.uniform(0, 2 * np.pi)
        hum += np.sin(2 * np.pi * 50 * harmonic * seconds + phase) / harmonic
    fan = 0.15 * sum(np.sin(2 * np.pi * tone * seconds) for tone in (118.3, 236.6, 473.0))
    babble = np.zeros(frames)
    for voice in range(BABBLERS):
        clip = clips[voice % len(clips)][:: -1 if voice % 2 else 1]
        said = np.resize(np.roll(clip, int(random.integers(len(clip)))), frames)
        babble += said / np.std(said)
    distant = np.fft.irfft(np.fft.rfft(babble) / (1 + np.square(hz / 3500)), frames)
    return [hum, coloured(0.9) + fan, np.asarray(distant)]


def _read(path: Path) -> Samples:
    with Sound(path) as sound:
        if sound.sample_rate != RATE:
            raise InputError(f"{path} is not at {RATE} Hz; convert it or take it away.")
        return sound.read(0, sound.frames, [0])[:, 0]


def _measured(way: Way, mixes: tuple[Mix, ...], judge: Dnsmos | None) -> tuple[str, ...]:
    """Engine and wrapper take turns, so that whatever else the machine does slows both."""
    way.bare.denoise(mixes[0].noisy.astype(np.float32))
    found, seconds, bare = [], 0.0, 0.0
    for mix in mixes:
        passage = mix.noisy.astype(np.float32)
        started = time.perf_counter()
        way.bare.denoise(passage)
        between = time.perf_counter()
        cleaned = _cleaned(mix.noisy, way.engine, way.options)
        seconds += time.perf_counter() - between
        bare += between - started
        found.append(scores(mix.clean, mix.noisy, cleaned, judge))
    return _row(way.name, mean_scores(found), ratio(seconds, bare))


def _cleaned(noisy: Samples, engine: Denoiser, options: DenoiseOptions) -> Samples:
    def read(start: int, frames: int) -> Samples:
        out = np.zeros(frames)
        first, last = max(start, 0), min(start + frames, len(noisy))
        if first < last:
            out[first - start : last - start] = noisy[first:last]
        return out

    return np.concatenate(list(clean_channel(read, len(noisy), RATE, engine, options)))


def _row(name: str, mean: Scores, cost: str) -> tuple[str, ...]:
    judged = [f"{value:.2f}" if np.isfinite(value) else MISSING for value in (mean.sig, mean.bak)]
    return (
        name,
        *judged,
        f"{mean.air_db:+.1f}",
        f"{mean.sibilants_db:+.1f}",
        f"{mean.over_suppressed:.2f}",
        f"{mean.musical_noise:.2f}",
        f"{mean.si_sdr_db:.1f}",
        cost,
    )
