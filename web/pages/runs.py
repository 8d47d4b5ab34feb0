"""The pages of runs: what happened, what failed and why, how far the others are."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError

from config.deliveries import delivery_names
from config.recipes import recipe_names
from core.run import RunState
from db.codec import now
from flows.run_inputs import cut_files
from flows.run_view import report_of, tally
from flows.runs import cancel_run, list_runs, retry_run, run_numbered
from web.access import Person
from web.api.runs import Number, RunIn, asked_run, cut_file_out, run_out
from web.pages.shown import page
from web.site import AtSite, Editor, Site, Viewer

router = APIRouter(prefix="/runs")
_MOST = 40
_REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; sandbox"
)
"""A report holds its styles and pictures itself, and no script."""


@router.get("", response_class=HTMLResponse)
def runs(
    request: Request,
    at: AtSite,
    who: Viewer,
    before: Annotated[int | None, Query(ge=1, le=1 << 53)] = None,
) -> HTMLResponse:
    """All runs; the list alone where it is only brought up to date."""
    found = list_runs(at.work.database, limit=_MOST + 1, before=before)
    told: dict[str, Any] = {
        "runs": [run_out(run) for run in found[:_MOST]],
        "older": found[_MOST - 1].id if len(found) > _MOST else None,
        "before": before,
        "busy": any(not run.state.ended for run in found),
        "tally": tally(at.work.database, now() - timedelta(hours=24)),
    }
    if request.headers.get("hx-request"):
        return page(request, at, who, "runs_list.html", told)
    told |= {
        "cuts": [cut_file_out(cut) for cut in cut_files(at.work)],
        "recipes": recipe_names(),
        "specs": delivery_names(),
        "recipe": at.work.settings.recipe,
        "loudness": at.work.settings.loudness,
    }
    return page(request, at, who, "runs.html", told)


@router.post("")
async def ask(request: Request, at: AtSite, who: Editor) -> Response:
    """Ask for a run with the page's form, and go to it."""
    given = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=10)
    fields = {name: values[0] for name, values in given.items()}
    try:
        wanted = RunIn.model_validate(fields)
    except ValidationError as fault:
        raise HTTPException(422, "Choose a cut first.") from fault
    run = await run_in_threadpool(asked_run, at, who.name, wanted)
    return Response(status_code=201, headers={"HX-Redirect": f"/runs/{run.id}"})


@router.get("/{number}", response_class=HTMLResponse)
def run(request: Request, at: AtSite, who: Viewer, number: Number) -> HTMLResponse:
    """One run; its state alone where it is only brought up to date."""
    return _one(request, at, who, number)


@router.post("/{number}/cancel", response_class=HTMLResponse)
def cancel(request: Request, at: AtSite, who: Editor, number: Number) -> HTMLResponse:
    """End a run, and show how it stands."""
    cancel_run(at.work.database, number, who.name)
    return _one(request, at, who, number)


@router.post("/{number}/retry", response_class=HTMLResponse)
def retry(request: Request, at: AtSite, who: Editor, number: Number) -> HTMLResponse:
    """Do a run again, and show how it stands."""
    retry_run(at.work.database, number)
    return _one(request, at, who, number)


@router.get("/{number}/report", response_class=Response)
def report(at: AtSite, who: Viewer, number: Number) -> Response:
    """The report of a run's delivery."""
    del who
    path = report_of(run_numbered(at.work.database, number))
    if path is None:
        raise HTTPException(404, f"Run {number} has no report, or it was moved.")
    return Response(
        path.read_bytes(),
        media_type="text/html; charset=utf-8",
        headers={"content-security-policy": _REPORT_POLICY},
    )


def _one(request: Request, at: Site, who: Person, number: int) -> HTMLResponse:
    found = run_out(run_numbered(at.work.database, number))
    told = {"run": found, "busy": found.state in (RunState.WAITING, RunState.RUNNING)}
    alone = bool(request.headers.get("hx-request")) and not request.headers.get("hx-boosted")
    return page(request, at, who, "run_state.html" if alone else "run.html", told)
