"""What engines and recipes make of noisy speech, and what they cost over the bare engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.mixes import RATE, Mix, harbour_mixes, held_out_mixes, tuned_mixes
from bench.repair import reader
from bench.scores import Dnsmos, Scores, mean_scores, scores
from bench.table import MISSING, Table, figures, ratio, where
from config.recipes import load_recipe
from models.denoise import dfn3, dfn3_stream, rnnoise
from models.denoise.clean import DenoiseOptions, clean_channel
from models.denoise.protocol import Denoiser
from models.threads import one_blas_thread
from models.weights import WeightsFolder

__all__ = ["SETS", "Way", "bench_denoise"]

Samples = NDArray[np.float64]

DEEPFILTERNET = "deepfilternet3"
RECIPES = ("gentle", "standard", "rescue")
COLUMNS = (
    *("means", "SIG", "BAK", "PESQ-WB", "STOI", "air dB", "sibilants dB", "over-suppressed"),
    *("musical noise", "SI-SDR dB", "ratio to bare"),
)


@dataclass(frozen=True)
class MixSet:
    """Mixes that are measured together. note: where they come from, a sentence or two."""

    name: str
    made: Callable[[Path], tuple[Mix, ...]]
    note: str


SETS = (
    MixSet(
        "tuned",
        tuned_mixes,
        "Every clip of speech/clean48 at 0, 5, 10 and 15 dB (RMS), the noises in turn: those of "
        "speech/noise48, a hum, an air conditioner and babble. The recipes were tuned on these.",
    ),
    MixSet(
        "held-out",
        held_out_mixes,
        "No constant was chosen on these: rain, traffic, a fan, a generator, wind and a full room "
        "under speech/pairs16 (another voice, nothing above 8 kHz, so air is not measured there) "
        "and two clips of clean48 (speech that was heard in tuning, with other noises).",
    ),
    MixSet(
        "harbour",
        harbour_mixes,
        "The booms of production/harbour after repair, against the clean track of each.",
    ),
)


@dataclass(frozen=True)
class Way:
    """A way of cleaning.

    bare: what its speed is measured against: the authors' ONNX graphs for DeepFilterNet3.
    """

    name: str
    engine: Denoiser
    bare: Denoiser
    options: DenoiseOptions


def bench_denoise(shared: Path, weights: Path, threads: int) -> Iterator[Table]:
    """A table of denoising for each set of mixes.

    shared: the folder with `speech/` and, for SIG and BAK, `weights/dnsmos`. weights: the folder
    in which DeepFilterNet3 lies; without it, only RNNoise is measured. Raises InputError where the
    shared folder lacks the clips of a set.
    """
    here = where()
    judge_path = shared / "weights" / "dnsmos" / "sig_bak_ovr.onnx"
    judge = Dnsmos(judge_path, threads) if judge_path.is_file() else None
    ways = _ways(weights, threads)
    one_blas_thread()
    for one in SETS:
        yield _table(one, one.made(shared), ways, judge, here)


def _table(
    chosen: MixSet, mixes: tuple[Mix, ...], ways: Sequence[Way], judge: Dnsmos | None, here: str
) -> Table:
    noisy = mean_scores([scores(mix.clean, mix.noisy, mix.noisy, judge) for mix in mixes])
    rows = [_row("noisy", noisy, MISSING), *_spectral_gate(mixes, judge)]
    rows += [_measured(way, mixes, judge) for way in ways]
    seconds = sum(len(mix.clean) for mix in mixes) / RATE
    return Table(
        title=f"Denoise, {chosen.name} mixes: {len(mixes)}, {figures(seconds)} s",
        columns=COLUMNS,
        rows=tuple(rows),
        notes=(
            chosen.note,
            "Level matched to the mix's. air, sibilants: change against the clean clip, noise that "
            "is left counted in. over-suppressed: share of the cells with more speech than noise 6 "
            "dB too low. musical noise: log-kurtosis ratio of the pauses. PESQ-WB, STOI: of the "
            "packages pesq and pystoi, `-` without them.",
            "ratio to bare: processor time of clean_channel (level, engine, limit) to that of the "
            "engine alone (for DeepFilterNet3 its ONNX graphs) on the same mix just before.",
            *(() if len(ways) > 1 else ("DeepFilterNet3 is not installed and was left out.",)),
            here,
        ),
    )


def _spectral_gate(mixes: tuple[Mix, ...], judge: Dnsmos | None) -> list[tuple[str, ...]]:
    """The row of noisereduce, non-stationary as it is by default; none without the package."""
    try:
        from noisereduce import reduce_noise
    except ImportError:
        return []
    found = [
        scores(mix.clean, mix.noisy, reduce_noise(y=mix.noisy, sr=RATE), judge) for mix in mixes
    ]
    return [_row("noisereduce", mean_scores(found), MISSING)]


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


def _measured(way: Way, mixes: tuple[Mix, ...], judge: Dnsmos | None) -> tuple[str, ...]:
    """Engine and wrapper take turns, so that whatever else the machine does slows both."""
    way.bare.denoise(mixes[0].noisy.astype(np.float32))
    found, seconds, bare = [], 0.0, 0.0
    for mix in mixes:
        passage = mix.noisy.astype(np.float32)
        started = time.process_time()
        way.bare.denoise(passage)
        between = time.process_time()
        cleaned = _cleaned(mix.noisy, way.engine, way.options)
        seconds += time.process_time() - between
        bare += between - started
        found.append(scores(mix.clean, mix.noisy, cleaned, judge))
    return _row(way.name, mean_scores(found), ratio(seconds, bare))


def _cleaned(noisy: Samples, engine: Denoiser, options: DenoiseOptions) -> Samples:
    return np.concatenate(list(clean_channel(reader(noisy), len(noisy), RATE, engine, options)))


def _row(name: str, mean: Scores, cost: str) -> tuple[str, ...]:
    judged = (mean.sig, mean.bak, mean.pesq, mean.stoi)
    return (
        name,
        *(f"{value:.2f}" if np.isfinite(value) else MISSING for value in judged),
        f"{mean.air_db:+.1f}",
        f"{mean.sibilants_db:+.1f}",
        f"{mean.over_suppressed:.2f}",
        f"{mean.musical_noise:.2f}",
        f"{mean.si_sdr_db:.1f}",
        cost,
    )
