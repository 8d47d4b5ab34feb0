"""What cleaning costs over the bare engine: processor time, one thread, the same sound in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adapters.media.decode import Sound
from adapters.media.probe import probe
from bench.memory import write_boom
from bench.scratch import scratch_folder, weights_root, workspace
from bench.table import Table, figures, ratio, where
from config.recipes import load_recipe
from core.errors import EngineError
from core.media import MediaFile
from core.plan import Take
from flows.channels import listening_channel
from flows.demo import build_production
from flows.engines import DenoiserChoice, load_denoiser
from flows.job import choose_engines
from flows.takes import clean_take
from flows.turnover import hash_media
from flows.workspace import Workspace
from models.denoise import dfn3
from models.denoise.protocol import Denoiser, Samples

DEEPFILTERNET = "deepfilternet3"
BARE_S = 20
"""The graphs hear a long take in passages of this length: at 14 MB a second, longer ones cost the
processor up to twice as much."""


@dataclass
class Spent:
    """Seconds of sound, and of the processor: the graphs, the streaming engine, the cleaning."""

    audio: float = 0.0
    bare: float = 0.0
    engine: float = 0.0
    cleaning: float = 0.0


def bench_cleaning(production: Path | None, weights: Path | None, minutes: int) -> Table:
    """The table of cleaning.

    production: a folder with `sound/*.wav`, or None for the demo production. weights: as in
    `weights_root`. minutes: of a long take made of the same booms. Raises EngineError where
    DeepFilterNet3 is not among the weights.
    """
    here = where()
    with scratch_folder() as scratch:
        root = weights_root(scratch, weights)
        folder = production or build_production(scratch / "demo")
        takes = sorted((folder / "sound").glob("*.wav"))
        long = scratch / "long.wav"
        write_boom(long, takes, 60 * minutes)
        with workspace(scratch / "home", root) as work:
            # The first take of a process loads libraries; it is cleaned again for the numbers.
            _measured(work, takes[:1])
        with workspace(scratch / "again", root) as work:
            many, one = _measured(work, takes), _measured(work, [long])
    rows = []
    for name, spent in ((f"{len(takes)} takes", many), (f"{minutes} minutes", one)):
        rows += _rows(name, spent)
    return Table(
        title=f"Cleaning: {folder.name if production else 'demo'}, one channel a take",
        columns=("sound", "work", "audio s", "CPU s", "audio s / CPU s", "ratio to bare ONNX"),
        rows=tuple(rows),
        notes=(
            "CPU s: processor time of the process, engines on one thread, loaded and warm.",
            "bare ONNX: the authors' graphs through onnxruntime on the decoded channel. streaming "
            "engine: the same network as roomtone runs it. cleaning: decode, voice activity, "
            "repair, level, engine, limit, gates, file and hash, standard recipe.",
            here,
        ),
    )


def _measured(work: Workspace, paths: Sequence[Path]) -> Spent:
    """Each file's boom through graphs, engine and cleaning, one after the other."""
    choice = choose_engines(work, load_recipe("standard")).denoiser
    if choice.name != DEEPFILTERNET:
        raise EngineError(
            "Cleaning is measured against DeepFilterNet3, which is not installed; name its folder "
            "with --weights."
        )
    bare = dfn3.load(work.weights.path(DEEPFILTERNET), choice.weights, threads=1)
    engine = load_denoiser(work, choice)
    warm = np.random.default_rng(1).normal(0, 0.01, 48_000).astype(np.float32)
    for one in (bare, engine):
        one.denoise(warm)
    spent = Spent()
    for path in paths:
        media = hash_media(work, probe(path))
        _measure(work, media, choice, bare, engine, spent)
    return spent


def _measure(
    work: Workspace,
    media: MediaFile,
    choice: DenoiserChoice,
    bare: Denoiser,
    engine: Denoiser,
    spent: Spent,
) -> None:
    channel = listening_channel(media)
    with Sound(media.path) as sound:
        passage = sound.read(0, media.frames, [channel])[:, 0].astype(np.float32)
    spent.audio += media.frames / media.sample_rate
    spent.bare += _cpu_seconds(lambda: _in_passages(bare, passage))
    spent.engine += _cpu_seconds(lambda: engine.denoise(passage))
    take, recipe = Take(media.essence, (channel,)), load_recipe("standard")
    spent.cleaning += _cpu_seconds(lambda: clean_take(work, take, media, recipe, choice))


def _in_passages(engine: Denoiser, sound: Samples) -> None:
    length = BARE_S * engine.sample_rate
    for start in range(0, len(sound), length):
        engine.denoise(sound[start : start + length])


def _cpu_seconds(do: Callable[[], object]) -> float:
    started = time.process_time()
    do()
    return time.process_time() - started


def _rows(name: str, spent: Spent) -> list[tuple[str, ...]]:
    works = {
        "bare ONNX": spent.bare,
        "streaming engine": spent.engine,
        "cleaning": spent.cleaning,
    }
    return [
        (
            name,
            work,
            figures(spent.audio),
            figures(seconds),
            ratio(spent.audio, seconds),
            ratio(seconds, spent.bare),
        )
        for work, seconds in works.items()
    ]
