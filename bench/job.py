"""What the job costs over its bare engines, and what a second run costs."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from adapters.media.decode import Sound, at_rate, sound_file
from bench.scratch import scratch_folder, weights_root, workspace
from bench.table import MISSING, Table, figures, ratio, where
from config.deliveries import load_delivery
from config.recipes import Recipe, load_recipe
from core.errors import InputError
from core.media import MediaFile
from core.plan import Take
from flows.channels import listening_channel
from flows.clean_cut import clean_cut
from flows.demo import build_production
from flows.engines import load_denoiser
from flows.hearing import at_16k
from flows.job import Engines, Job, choose_engines
from flows.progress import Silent
from flows.runner import untold
from flows.turnover import Turnover, read_turnover
from flows.workspace import Workspace
from models.denoise.protocol import Denoiser
from models.speech.activity import ActivityOptions, speech_spans
from models.speech.engines import load
from models.speech.protocol import Recogniser, TranscribeOptions
from models.speech.rate import SPEECH_RATE

Item = TypeVar("Item")
Result = TypeVar("Result")

READ, CLEAN, LISTEN, DELIVER = (
    "read and relink",
    "cleaning takes",
    "listening to takes",
    "conform and deliver",
)


Beside = Mapping[str, Callable[[Any], float]]
"""For a step, the bare engine on an item of it: what it gives is its seconds."""


@dataclass
class Timed:
    """A runner that works in turn and keeps the seconds of every step.

    beside: run right after each item of their step, so that whatever else the machine does
    slows both alike. seconds: of the steps. bare: of what ran beside them. aside: of all that
    the measuring itself took.
    """

    beside: Beside
    width: ClassVar[int] = 1
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    bare: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    aside: float = 0.0

    def each(
        self,
        name: str,
        do: Callable[[Item], Result],
        items: Sequence[Item],
        told: Callable[[Result], object] = untold,
    ) -> list[Result]:
        """Do a step for every item in turn."""
        made = [self._item(name, do, item) for item in items]
        for result in made:
            told(result)
        return made

    def one(self, name: str, do: Callable[[], Result]) -> Result:
        """Do a stage once."""
        started = time.perf_counter()
        done = do()
        self.seconds[name] += time.perf_counter() - started
        return done

    def _item(self, name: str, do: Callable[[Item], Result], item: Item) -> Result:
        done = self.one(name, lambda: do(item))
        if name in self.beside:
            started = time.perf_counter()
            self.bare[name] += self.beside[name](item)
            self.aside += time.perf_counter() - started
        return done


@dataclass(frozen=True)
class Run:
    """Seconds of a run: the whole job, each step by its name, and the engines beside them."""

    whole: float
    steps: Mapping[str, float]
    bare: Mapping[str, float]


@dataclass(frozen=True)
class Amounts:
    """Seconds of sound that a job handles.

    files: every media file once. channels: every channel that is cleaned. cut: the programme.
    """

    files: float
    channels: float
    cut: float


def bench_job(production: Path | None, weights: Path | None, rounds: int) -> Table:
    """The table of the job.

    production: a folder with `cuts/*.otio` (the first by name is taken) and `sound/`, or None
    for the demo production. weights: as in `weights_root`. rounds: how often the job is
    done in a new home; the fastest counts. Raises InputError for a production without a cut, and
    what the job raises.
    """
    here = where()
    with scratch_folder() as scratch:
        root = weights_root(scratch, weights)
        folder = production or build_production(scratch / "demo")
        cut = _first_cut(folder)
        with workspace(scratch / "first", root) as work:
            first = _timed(work, _job(folder, cut, scratch / "out-first"), {})
            turnover = read_turnover(work, cut, (folder / "sound",), Silent())
            engines = choose_engines(work, load_recipe("standard"))
        runs: list[tuple[Run, Run]] = []
        for number in range(rounds):
            with workspace(scratch / f"home-{number}", root) as work:
                job = _job(folder, cut, scratch / f"out-{number}")
                anew = _timed(work, job, _beside(work, engines))
                runs.append((anew, _timed(work, job, {})))
        new, again = min(runs, key=lambda pair: pair[0].whole)
    engine = "RNNoise, standing in" if engines.denoiser.stand_in else engines.denoiser.name
    recogniser = f"{engines.recogniser.kind} {engines.recogniser.name}".strip()
    return Table(
        title=f"Job: {folder.name if production else 'demo'}/{cut.name}",
        columns=("run", "step", "audio s", "seconds", "audio s / s", "ratio", "ratio to"),
        rows=_rows(_amounts(turnover), first, new, again),
        notes=(
            f"Engines: {engine}; {recogniser}.",
            "audio s: every file once (read, listen), every cleaned channel (clean, job, bare "
            "denoiser), the programme (conform).",
            "first: a process that has loaded nothing. new home: the same process, all done "
            f"anew (the fastest of {rounds}). second run: the same home again.",
            "bare: the engines alone, loaded before, on the same sound in turn with the job.",
            here,
        ),
    )


def _first_cut(folder: Path) -> Path:
    cuts = sorted((folder / "cuts").glob("*.otio"))
    if not cuts:
        raise InputError(f"{folder} has no cuts/*.otio; give a production with --production.")
    return cuts[0]


def _job(folder: Path, cut: Path, out: Path) -> Job:
    recipe, spec = load_recipe("standard"), load_delivery("r128")
    return Job(cut=cut, media=(folder / "sound",), out=out, recipe=recipe, spec=spec)


def _timed(work: Workspace, job: Job, beside: Beside) -> Run:
    runner = Timed(beside)
    started = time.perf_counter()
    clean_cut(work, job, Silent(), runner)
    return Run(time.perf_counter() - started - runner.aside, runner.seconds, runner.bare)


def _amounts(turnover: Turnover) -> Amounts:
    seconds = {key: media.frames / media.sample_rate for key, media in turnover.media.items()}
    return Amounts(
        files=sum(seconds.values()),
        channels=sum(seconds[take.essence] * len(take.channels) for take in turnover.takes),
        cut=float(turnover.cut.length / turnover.cut.rate.fps),
    )


def _beside(work: Workspace, engines: Engines) -> Beside:
    """The engines, loaded and warm, as they run beside the job."""
    denoiser = load_denoiser(work, engines.denoiser)
    denoiser.denoise(_noise(denoiser.sample_rate))

    def denoise(piece: tuple[Take, MediaFile, Recipe]) -> float:
        take, media, _ = piece
        return _denoising(work, denoiser, media, take.channels)

    if engines.recogniser.kind == "none":
        return {CLEAN: denoise}
    recogniser = load(engines.recogniser)
    options = TranscribeOptions(language=work.settings.language, prompt=work.settings.prompt)
    recogniser.transcribe(_noise(SPEECH_RATE), [(0, SPEECH_RATE)], options)

    def recognise(piece: tuple[MediaFile, object]) -> float:
        media, _ = piece
        return _recognising(work, recogniser, media, options)

    return {CLEAN: denoise, LISTEN: recognise}


def _noise(sample_rate: int) -> NDArray[np.float32]:
    """A second of soft noise, for an engine to warm up on."""
    return np.random.default_rng(1).normal(0, 0.01, sample_rate).astype(np.float32)


def _denoising(
    work: Workspace, denoiser: Denoiser, media: MediaFile, channels: Sequence[int]
) -> float:
    """Seconds of the engine alone for some channels of a take, read and resampled before."""
    seconds = 0.0
    source = sound_file(media, work.cache)
    path = at_rate(source, denoiser.sample_rate, work.cache, media.essence)
    with Sound(path) as sound:
        for channel in channels:
            read = _channel(sound, channel)
            passage = read(0, sound.frames).astype(np.float32)
            started = time.perf_counter()
            denoiser.denoise(passage)
            seconds += time.perf_counter() - started
    return seconds


def _recognising(
    work: Workspace, recogniser: Recogniser, media: MediaFile, options: TranscribeOptions
) -> float:
    """Seconds of the recogniser alone for a take; its speech is found before."""
    with Sound(sound_file(media, work.cache)) as sound:
        read = _channel(sound, listening_channel(media))
        speech = at_16k(read, media.frames, media.sample_rate)
    spans = speech_spans(speech, ActivityOptions())
    started = time.perf_counter()
    recogniser.transcribe(speech, spans, options)
    return time.perf_counter() - started


def _channel(sound: Sound, channel: int) -> Callable[[int, int], NDArray[np.float64]]:
    return lambda start, frames: sound.read(start, frames, [channel])[:, 0]


def _rows(amounts: Amounts, first: Run, new: Run, again: Run) -> tuple[tuple[str, ...], ...]:
    of_step = {
        READ: amounts.files,
        CLEAN: amounts.channels,
        LISTEN: amounts.files,
        DELIVER: amounts.cut,
    }
    engines = sum(new.bare.values())
    rows = [_row("bare", "denoiser", amounts.channels, new.bare[CLEAN], engines, "both engines")]
    if LISTEN in new.bare:
        rows.append(
            _row("bare", "recogniser", amounts.files, new.bare[LISTEN], engines, "both engines")
        )
    for step, audio in of_step.items():
        seconds = new.steps[step]
        bare = new.bare.get(step, 0.0)
        to, name = (bare, "bare engine") if bare else (new.whole, "job, new home")
        rows.append(_row("new home", step, audio, seconds, to, name))
    rest = new.whole - sum(new.steps.values())
    rows += [
        _row("new home", "choose engines, recall", 0.0, rest, new.whole, "job, new home"),
        _row("new home", "job", amounts.channels, new.whole, engines, "both engines"),
    ]
    rows += [
        _row("first", step, audio, first.steps[step], new.steps[step], "same, new home")
        for step, audio in of_step.items()
    ]
    rows += [
        _row("first", "job", amounts.channels, first.whole, new.whole, "same, new home"),
        _row("second run", "job", amounts.channels, again.whole, first.whole, "job, first"),
    ]
    return tuple(rows)


def _row(
    run: str, step: str, audio: float, seconds: float, to: float, name: str
) -> tuple[str, ...]:
    amount = figures(audio) if audio else MISSING
    speed = ratio(audio, seconds) if audio else MISSING
    return (run, step, amount, figures(seconds), speed, ratio(seconds, to), name)
