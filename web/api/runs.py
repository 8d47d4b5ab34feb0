"""Runs: jobs that were asked for, and asking for them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from config.recipes import recipe_names
from core.errors import UsageError
from core.run import Run, RunState
from db.codec import now
from flows.jobs import CUT, SOUND
from flows.run_inputs import (
    CutFile,
    clean_cut_wanted,
    clean_takes_wanted,
    cut_files,
    cut_of_id,
)
from flows.run_view import lasted, report_of, title
from flows.runs import ask_for_run, cancel_run, list_runs, retry_run, run_numbered
from web.api.shapes import Fault
from web.site import AtSite, Editor, Site, Viewer

router = APIRouter(
    prefix="/runs",
    tags=["runs"],
    responses={code: {"model": Fault} for code in (401, 403, 404, 409, 422)},
)
Number = Annotated[int, Path(ge=1, le=1 << 53, description="of the run")]
Short = Annotated[str, Field(max_length=64)]


class StepOut(BaseModel):
    """How far a run is: pieces of a step done and in all (0: not known), what it last said."""

    name: str
    done: int
    total: int
    said: str


class RunOut(BaseModel):
    """A run. seconds: it took, or has been running. inputs: names of files. out: its folder.

    fault: why it failed, or crashed the last time. exit_code: as the command line would have
    ended. outcome: what came of it; its keys depend on the kind. report: whether there is one.
    """

    id: int
    kind: str
    title: str
    state: RunState
    by: str
    inputs: list[str]
    out: str | None
    settings: dict[str, Any]
    asked: datetime
    started: datetime | None
    ended: datetime | None
    not_before: datetime | None
    seconds: float | None
    tries: int
    most_tries: int
    step: StepOut
    cancelled_by: str
    outcome: dict[str, Any] | None
    fault: str
    exit_code: int | None
    report: bool


class CutFileOut(BaseModel):
    """A cut that can be cleaned. changed: when its file was written last."""

    id: str
    name: str
    folder: str
    changed: datetime


class RunIn(BaseModel):
    """What is asked for: a cut by its id (`/runs/cuts`), or takes by theirs, cleaned.

    recipe, loudness: by name; left out: as the settings say. again: also what went through
    roomtone before.
    """

    cut: Short | None = None
    takes: list[Annotated[str, Field(pattern="^[0-9a-f]{64}$")]] = Field([], max_length=1000)
    recipe: Short | None = None
    loudness: Short | None = None
    again: bool = False


@router.get("")
def runs(
    at: AtSite,
    who: Viewer,
    state: Annotated[list[RunState], Query(max_length=10)] = [],  # noqa: B006
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Annotated[int | None, Query(ge=1, le=1 << 53, description="only older ones")] = None,
) -> list[RunOut]:
    """The latest runs, newest first."""
    del who
    return [run_out(run) for run in list_runs(at.work.database, state, limit, before)]


@router.get("/cuts")
def cuts(at: AtSite, who: Viewer) -> list[CutFileOut]:
    """The cuts that can be cleaned, the latest first."""
    del who
    return [cut_file_out(cut) for cut in cut_files(at.work)]


@router.post("", status_code=201)
def ask(at: AtSite, who: Editor, wanted: RunIn) -> RunOut:
    """Ask for a run; where the same waits already, that is given."""
    return run_out(asked_run(at, who.name, wanted))


@router.get("/{number}")
def run(at: AtSite, who: Viewer, number: Number) -> RunOut:
    """One run."""
    del who
    return run_out(run_numbered(at.work.database, number))


@router.post("/{number}/cancel")
def cancel(at: AtSite, who: Editor, number: Number) -> RunOut:
    """End a run: at once where it waits, within some seconds where it runs."""
    return run_out(cancel_run(at.work.database, number, who.name))


@router.post("/{number}/retry")
def retry(at: AtSite, who: Editor, number: Number) -> RunOut:
    """Let a run that has ended wait for a worker once more."""
    del who
    return run_out(retry_run(at.work.database, number))


def asked_run(at: Site, by: str, wanted: RunIn) -> Run:
    """The run that somebody asked for. Raises UsageError, InputError and OfflineError."""
    own: dict[str, Any] = {}
    if wanted.recipe:
        if wanted.recipe not in recipe_names():
            raise UsageError(f"There is no recipe {wanted.recipe!r} that comes with roomtone.")
        own["recipe"] = wanted.recipe
    if wanted.loudness:
        own["loudness"] = wanted.loudness
    if wanted.again:
        own["clean_again"] = True
    if wanted.cut is not None:
        cut = cut_of_id(at.work, wanted.cut)
        return ask_for_run(at.work, CUT, clean_cut_wanted(at.work.settings, cut, own), by)
    return ask_for_run(at.work, SOUND, clean_takes_wanted(at.work, wanted.takes, own), by)


def run_out(run: Run) -> RunOut:
    """A run, as JSON."""
    took = lasted(run, now())
    return RunOut(
        id=run.id,
        kind=run.kind,
        title=title(run),
        state=run.state,
        by=run.by,
        inputs=[path.name for path in run.wanted.inputs],
        out=None if run.wanted.out is None else str(run.wanted.out),
        settings=dict(run.wanted.settings),
        asked=run.asked,
        started=run.started,
        ended=run.ended,
        not_before=run.not_before if run.state is RunState.WAITING else None,
        seconds=None if took is None else round(took.total_seconds(), 1),
        tries=run.tries,
        most_tries=run.most_tries,
        step=StepOut(
            name=run.step.name, done=run.step.done, total=run.step.total, said=run.step.said
        ),
        cancelled_by=run.cancelled_by,
        outcome=None if run.outcome is None else dict(run.outcome),
        fault=run.fault,
        exit_code=run.exit_code,
        report=report_of(run) is not None,
    )


def cut_file_out(cut: CutFile) -> CutFileOut:
    """A cut that can be cleaned, as JSON."""
    return CutFileOut(id=cut.id, name=cut.name, folder=cut.folder, changed=cut.changed)
