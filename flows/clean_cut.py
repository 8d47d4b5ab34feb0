"""Clean a cut: read, relink, clean, listen, conform, normalise, write back, remember.

`clean_cut` is the job as plain functions; `flows.prefect_clean` runs the same steps as a flow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypeVar

from adapters.media.relink import Offline
from config.deliveries import DeliverySpec
from config.recipes import Recipe
from core.media import MediaFile
from core.plan import Take, digest
from flows import delivery
from flows.clips import write_clips
from flows.engines import DenoiserChoice, choose_denoiser
from flows.listen import Heard, choose_recogniser, listen_key, listen_take, recall_lines
from flows.lock import only_writer
from flows.progress import Progress
from flows.remember import Made, is_remembered, remember_delivery
from flows.report import Brief, write_report
from flows.stems import RENDER_VERSION, Rendered, render_stems
from flows.takes import (
    CleanedTake,
    clean_take,
    flagged,
    left_alone,
    recall_take,
    recipe_for,
    take_key,
)
from flows.turnover import Turnover, read_turnover
from flows.workspace import Workspace, code_version
from models.speech.engines import EngineChoice

Item = TypeVar("Item")
Result = TypeVar("Result")


class Runner(Protocol):
    """How the pieces of the job are run: in turn, or as tasks of a flow."""

    def each(self, name: str, do: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Do a step for every item; results in the items' order."""
        ...

    def one(self, name: str, do: Callable[[], Result]) -> Result:
        """Do a stage once."""
        ...


class InTurn:
    """The plain runner: each piece after the other, in this thread."""

    def each(self, name: str, do: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Do a step for every item in turn."""
        del name
        return [do(item) for item in items]

    def one(self, name: str, do: Callable[[], Result]) -> Result:
        """Do a stage once."""
        del name
        return do()


@dataclass(frozen=True)
class Job:
    """What the person asked for."""

    cut: Path
    media: tuple[Path, ...]
    out: Path
    recipe: Recipe
    spec: DeliverySpec


@dataclass(frozen=True)
class Outcome:
    """What a run did.

    takes_cleaned, takes_heard: by this run; takes: the cut needs. rendered_now: whether the
    delivery was written, or found as it should be. flagged: takes that a gate held
    back. repaired: what was mended, a sentence a microphone and step.
    """

    out: Path
    takes: int
    takes_cleaned: int
    takes_heard: int
    rendered_now: bool
    files: int
    offline: tuple[Offline, ...]
    repaired: tuple[str, ...]
    flagged: tuple[str, ...]
    engines: tuple[str, ...]
    notes: tuple[str, ...]
    loudness: float
    true_peak: float
    gain_db: float


@dataclass(frozen=True)
class Engines:
    """What a run cleans and listens with, chosen before anything is loaded."""

    denoiser: DenoiserChoice
    recogniser: EngineChoice

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of the choice, a sentence each."""
        return tuple(text for text in (self.denoiser.reason, self.recogniser.reason) if text)


def choose_engines(work: Workspace) -> Engines:
    """The engines the settings and the installed weights lead to."""
    return Engines(choose_denoiser(work), choose_recogniser(work))


def clean_cut(work: Workspace, job: Job, progress: Progress, run: Runner) -> Outcome:
    """The whole job for one cut. Raises RoomtoneError."""
    engines = choose_engines(work)
    for note in engines.notes:
        progress.say(note)
    turnover = run.one("read and relink", lambda: read_turnover(work, job.cut, job.media, progress))
    inputs = [media.path for media in turnover.media.values()]
    delivery.prepare(job.out, [*inputs, job.cut], job.media)
    cleaned = clean_takes(work, turnover, job.recipe, engines.denoiser, progress, run)
    heard = listen_takes(work, turnover, engines.recogniser, progress, run)
    return run.one(
        "conform and deliver",
        lambda: deliver(work, job, turnover, cleaned, heard, engines, progress),
    )


def clean_takes(
    work: Workspace,
    turnover: Turnover,
    recipe: Recipe,
    choice: DenoiserChoice,
    progress: Progress,
    run: Runner,
) -> dict[str, CleanedTake]:
    """Every take of the cut, cleaned now or found in the store, by take id."""

    def recall(take: Take) -> CleanedTake | None:
        media = turnover.media[take.essence]
        return recall_take(work, take, media, recipe_for(work, media, recipe), choice)

    def clean(take: Take) -> CleanedTake:
        media = turnover.media[take.essence]
        return clean_take(work, take, media, recipe_for(work, media, recipe), choice)

    done = _once("Cleaning takes", turnover.takes, recall, clean, progress, run)
    return {item.take.id: item for item in done}


def listen_takes(
    work: Workspace,
    turnover: Turnover,
    choice: EngineChoice,
    progress: Progress,
    run: Runner,
) -> dict[str, Heard]:
    """What is said in every take of the cut, heard now or remembered, by essence."""

    def recall(media: MediaFile) -> Heard | None:
        return recall_lines(work, media, choice)

    def listen(media: MediaFile) -> Heard:
        return listen_take(work, media, choice)

    files = list(turnover.media.values())
    done = _once("Listening to takes", files, recall, listen, progress, run)
    return {item.media.essence: item for item in done}


def _once(
    name: str,
    items: Sequence[Item],
    recall: Callable[[Item], Result | None],
    do: Callable[[Item], Result],
    progress: Progress,
    run: Runner,
) -> list[Result]:
    """The result for each item, in order: as it was done before where it was, else done now."""
    recalled = [recall(item) for item in items]
    missing = [item for item, found in zip(items, recalled, strict=True) if found is None]
    if missing:
        progress.step(name, len(missing))

    def one(item: Item) -> Result:
        done = do(item)
        progress.advance(name)
        return done

    made = iter(run.each(name.lower(), one, missing) if missing else ())
    return [next(made) if found is None else found for found in recalled]


def delivery_key(work: Workspace, job: Job, turnover: Turnover, engines: Engines) -> str:
    """What names a delivery: the same key means the same files."""
    return digest(
        {
            "cut": turnover.digest,
            "links": [
                [
                    event_id,
                    turnover.take_of(event_id).id,
                    link.source_start,
                    link.media.sha256,
                    str(link.media.path),
                ]
                for event_id, link in turnover.links.items()
            ],
            "offline": [[item.event_id, item.reason] for item in turnover.offline],
            "takes": [
                take_key(
                    take,
                    recipe_for(work, turnover.media[take.essence], job.recipe),
                    engines.denoiser,
                )
                for take in turnover.takes
            ],
            "lines": [
                listen_key(work, media, engines.recogniser) for media in turnover.media.values()
            ],
            "limits": asdict(job.recipe),
            "spec": asdict(job.spec),
            "sample_rate": work.settings.sample_rate,
            "handles_s": work.settings.handles_s,
            "render": RENDER_VERSION,
            "code": code_version(),
        }
    )


def deliver(
    work: Workspace,
    job: Job,
    turnover: Turnover,
    cleaned: Mapping[str, CleanedTake],
    heard: Mapping[str, Heard],
    engines: Engines,
    progress: Progress,
) -> Outcome:
    """Conform, normalise and write the delivery, unless it is there already."""
    with only_writer(job.out, progress):
        return _deliver(work, job, turnover, cleaned, heard, engines, progress)


def _deliver(
    work: Workspace,
    job: Job,
    turnover: Turnover,
    cleaned: Mapping[str, CleanedTake],
    heard: Mapping[str, Heard],
    engines: Engines,
    progress: Progress,
) -> Outcome:
    key = delivery_key(work, job, turnover, engines)
    if delivery.is_current(job.out, key) and is_remembered(work, key):
        content = delivery.read_list(job.out)
        return _outcome(
            work,
            job,
            turnover,
            cleaned,
            heard,
            engines,
            content["loudness"],
            len(content["files"]),
            False,
        )
    delivery.announce(job.out, key)
    started = datetime.now(UTC)
    rendered = render_stems(work, turnover, cleaned, heard, job.spec, job.out / "stems", progress)
    clips = write_clips(turnover, cleaned, work.settings.handles_s, job.out / "clips", progress)
    timeline = delivery.write_timeline(job.out, turnover, clips, cleaned)
    notes = _notes(work, turnover, engines)
    brief = Brief(job.recipe, job.spec, work.cache, notes)
    report = write_report(job.out, turnover, cleaned, heard, rendered, brief, progress)
    files = [
        *delivery.stem_files(job.out, turnover, rendered),
        *delivery.clip_files(job.out, turnover, clips),
        delivery.describe(job.out, timeline, "TIMELINE"),
        delivery.describe(job.out, report, "REPORT"),
    ]
    loudness = _loudness(rendered, job.spec)
    content = {
        "key": key,
        "cut": {
            "name": turnover.cut.name,
            "file": turnover.path.name,
            "sha256": turnover.digest,
            "rate": str(turnover.cut.rate),
            "frames": float(turnover.cut.length),
        },
        "recipe": asdict(job.recipe),
        "loudness": loudness,
        "engines": _engine_names(cleaned, heard),
        "offline": [
            {
                "event": item.event_id,
                "reason": item.reason,
                "candidates": [path.name for path in item.candidates],
            }
            for item in turnover.offline
        ],
        "repaired": [text for take in cleaned.values() for text in take.repairs],
        "flagged": flagged(cleaned.values()),
        "notes": list(notes),
    }
    made = Made(job.out, key, job.spec.name, started, rendered, clips, files)
    remember_delivery(work, turnover, cleaned, made)
    delivery.finish(job.out, content, files)
    return _outcome(work, job, turnover, cleaned, heard, engines, loudness, len(files), True)


def _notes(work: Workspace, turnover: Turnover, engines: Engines) -> tuple[str, ...]:
    """What a person should know of the run, a sentence each."""
    left = (left_alone(work, media) for media in turnover.media.values())
    return (*engines.notes, *turnover.notes, *filter(None, left))


def _loudness(rendered: Rendered, spec: DeliverySpec) -> dict[str, object]:
    """Loudness as it goes into `delivery.json`; silence is null."""
    finite = rendered.loudness > float("-inf")
    gain = rendered.gain
    return {
        "spec": spec.name,
        "measured_lufs": rendered.loudness if finite else None,
        "measured_dbtp": rendered.true_peak if rendered.true_peak > float("-inf") else None,
        "gain_db": gain.gain_db,
        "delivered_lufs": gain.delivered_lufs if finite else None,
        "limited_by_peak": gain.limited_by_peak,
        "reason": gain.reason,
    }


def _peak_notes(loudness: Mapping[str, object]) -> tuple[str, ...]:
    """That the level stays below what was asked for, where it does."""
    return (str(loudness["reason"]),) if loudness["limited_by_peak"] else ()


def _engine_names(cleaned: Mapping[str, CleanedTake], heard: Mapping[str, Heard]) -> list[str]:
    names = {
        f"{take.card.name} {take.card.version}" + (" (stand-in)" if take.card.stand_in else "")
        for take in cleaned.values()
    }
    listened = {
        item.engine + (" (draft)" if item.draft else "") for item in heard.values() if item.engine
    }
    return [*sorted(names), *sorted(listened)]


def _outcome(
    work: Workspace,
    job: Job,
    turnover: Turnover,
    cleaned: Mapping[str, CleanedTake],
    heard: Mapping[str, Heard],
    engines: Engines,
    loudness: Mapping[str, object],
    files: int,
    rendered_now: bool,
) -> Outcome:
    def number(name: str) -> float:
        value = loudness[name]
        return float(value) if isinstance(value, int | float) else float("-inf")

    return Outcome(
        out=job.out,
        takes=len(cleaned),
        takes_cleaned=sum(take.cleaned_now for take in cleaned.values()),
        takes_heard=sum(item.heard_now for item in heard.values()),
        rendered_now=rendered_now,
        files=files,
        offline=turnover.offline,
        repaired=tuple(text for take in cleaned.values() for text in take.repairs),
        flagged=tuple(flagged(cleaned.values())),
        engines=tuple(_engine_names(cleaned, heard)),
        notes=(*_notes(work, turnover, engines), *_peak_notes(loudness)),
        loudness=number("measured_lufs"),
        true_peak=number("measured_dbtp"),
        gain_db=number("gain_db"),
    )
