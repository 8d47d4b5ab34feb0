"""The kinds of jobs that a run can be: what each does, and what may be set for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from config.deliveries import load_delivery
from config.recipes import load_recipe
from config.settings import Settings, load_settings
from core.errors import InputError, UsageError
from core.run import Wanted
from flows.progress import Progress

if TYPE_CHECKING:
    from flows.job import Job

Facts = Mapping[str, Any]

MAY_SET = frozenset(
    {
        "allow_stand_in",
        "clean_again",
        "edl_rate",
        "loudness",
        "nightly_settle_s",
        "nightly_until",
        "recipe",
        "timelines",
        "tracks",
        "transcripts",
    }
)
"""Settings that a run may have of its own: no secret, no place, nothing that forbids."""


@dataclass(frozen=True)
class JobKind:
    """A kind of job.

    title: what a person calls it. check: raises RoomtoneError where a run of it can't be asked
    for. do: does it and gives what came of it, as JSON can hold it; raises RoomtoneError.
    """

    title: str
    check: Callable[[Wanted], None]
    do: Callable[[Settings, Wanted, Progress], Facts]


def settings_of_run(settings: Settings, wanted: Wanted) -> Settings:
    """The settings that a run is done with. Raises UsageError for one that a run may not have."""
    forbidden = sorted(set(wanted.settings) - MAY_SET)
    if forbidden:
        raise UsageError(
            f"A run can't have its own {forbidden[0]!r}; it may set {', '.join(sorted(MAY_SET))}."
        )
    own = {**revealed(settings), **wanted.settings}
    if wanted.media:
        own["media"] = wanted.media
    return load_settings(own, Path(settings.home))[0]


def revealed(settings: Settings) -> dict[str, Any]:
    """The settings as plain values, secrets among them: for another process, never to be kept."""
    values = ((name, getattr(settings, name)) for name in Settings.model_fields)
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in values
    }


def kind_named(name: str) -> JobKind:
    """A kind of job by its name. Raises UsageError where there is none."""
    kind = JOBS.get(name)
    if kind is None:
        raise UsageError(f"There is no kind of run {name!r}; there are {', '.join(JOBS)}.")
    return kind


def _check_cut(wanted: Wanted) -> None:
    from adapters.timelines.read import FOLDERS, SUFFIXES

    if len(wanted.inputs) != 1 or wanted.out is None:
        raise UsageError("A run cleans one cut, into a folder.")
    (cut,) = wanted.inputs
    if cut.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{cut} is no cut; it must end in one of {', '.join(SUFFIXES)}.")
    if not cut.is_file() and not (cut.suffix.lower() in FOLDERS and cut.is_dir()):
        raise InputError(f"{cut} does not exist; give the path of a cut.")


def _check_sounds(wanted: Wanted) -> None:
    if not wanted.inputs or wanted.out is None:
        raise UsageError("A run cleans sound files, into a folder.")
    for path in wanted.inputs:
        if not path.is_file():
            raise InputError(f"{path} does not exist; give the path of a sound file.")


def job_of_cut(settings: Settings, wanted: Wanted) -> Job:
    """What a run of a cut works on. Raises UsageError and InputError where it can't be begun."""
    from flows.job import Job

    _check_cut(wanted)
    (cut,) = wanted.inputs
    assert wanted.out is not None
    return Job(
        cut=cut,
        media=settings.media or (cut.parent.absolute(),),
        out=wanted.out,
        recipe=load_recipe(settings.recipe),
        spec=load_delivery(settings.loudness),
    )


def _clean_cut(settings: Settings, wanted: Wanted, progress: Progress) -> Facts:
    from flows.clean_cut import clean_cut
    from flows.spread import runner_for
    from flows.workspace import open_workspace

    job = job_of_cut(settings, wanted)
    with open_workspace(settings) as work, runner_for(work) as run:
        return told_of_cut(vars(clean_cut(work, job, progress, run)))


def _clean_sounds(settings: Settings, wanted: Wanted, progress: Progress) -> Facts:
    from flows.clean_audio import clean_audio
    from flows.workspace import open_workspace

    assert wanted.out is not None
    with open_workspace(settings) as work:
        done = clean_audio(
            work,
            wanted.inputs,
            wanted.out,
            load_recipe(settings.recipe),
            load_delivery(settings.loudness),
            progress,
        )
    return told_of_sounds(wanted.out, [vars(item) for item in done])


def _check_night(wanted: Wanted) -> None:
    for root in wanted.inputs:
        if not root.is_dir():
            raise InputError(f"{root} is not a folder; name the folders that dailies arrive in.")
    if wanted.out is not None:
        raise UsageError("A night writes its report into the home, to no folder of its own.")


def _nightly(settings: Settings, wanted: Wanted, progress: Progress) -> Facts:
    from flows.night import WallClock
    from flows.nightly import run_night, told_of_night
    from flows.spread import runner_for
    from flows.workspace import open_workspace

    if wanted.inputs:
        settings = settings.model_copy(update={"watched": wanted.inputs})
    with open_workspace(settings) as work, runner_for(work) as run:
        return told_of_night(run_night(work, progress, WallClock(), run))


def told_of_cut(outcome: Facts) -> Facts:
    """What is kept of the outcome of a cut (`flows.job.Outcome`, by field)."""
    from flows.report import REPORT

    kept = ("out", "takes", "takes_cleaned", "takes_heard", "rendered_now", "files")
    told = ("repaired", "flagged", "engines", "notes", "loudness", "true_peak", "gain_db")
    return {
        **{name: outcome[name] for name in (*kept, *told)},
        "offline": len(outcome["offline"]),
        "report": str(Path(outcome["out"]) / REPORT),
    }


def told_of_sounds(out: Path, outcomes: list[dict[str, Any]]) -> Facts:
    """What is kept of the outcome of sound files (`flows.clean_audio.CleanedFile`, by field)."""
    return {
        "out": out,
        "takes": len(outcomes),
        "takes_cleaned": sum(bool(item["cleaned_now"]) for item in outcomes),
        "files": len(outcomes),
        "rendered_now": any(item["written_now"] for item in outcomes),
        **{
            name: list(dict.fromkeys(text for item in outcomes for text in item[name]))
            for name in ("repaired", "flagged", "notes")
        },
    }


CUT, SOUND, NIGHT = "cut", "sound", "nightly"
JOBS: Mapping[str, JobKind] = {
    CUT: JobKind("Clean a cut", _check_cut, _clean_cut),
    SOUND: JobKind("Clean sound files", _check_sounds, _clean_sounds),
    NIGHT: JobKind("Work through new dailies", _check_night, _nightly),
}
