"""Runs as a person or a program sees them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.run import Run, RunState
from core.words import some
from flows.jobs import JOBS

if TYPE_CHECKING:
    from db.engine import Database


def title(run: Run) -> str:
    """What a run does, and to what: `Clean a cut: reel1_v3.otio`."""
    kind = JOBS.get(run.kind)
    names = some([path.name for path in run.wanted.inputs])
    what = kind.title if kind else run.kind
    return f"{what}: {names}" if names else what


def progress(run: Run) -> str:
    """How far a run is, in words: `Cleaning takes 3 of 12`; empty where there is nothing to say."""
    if run.state is RunState.WAITING:
        return f"try {run.tries + 1} of {run.most_tries}" if run.tries else ""
    step = run.step
    if run.state is not RunState.RUNNING or not step.name:
        return ""
    return f"{step.name} {step.done} of {step.total}" if step.total else step.name


def lasted(run: Run, now: datetime) -> timedelta | None:
    """How long a run took, or has been running so far; None where it never began."""
    if run.started is None:
        return None
    end = run.ended if run.state.ended else now if run.state is RunState.RUNNING else None
    return None if end is None else end - run.started


def report_of(run: Run) -> Path | None:
    """The report of a run, where it is there: in the folder that the run wrote to."""
    from flows.report import REPORT

    outcome = run.outcome or {}
    # A night chooses the folder itself.
    told, out = outcome.get("report"), run.wanted.out or outcome.get("out")
    if not told or not out:
        return None
    report, out = Path(str(told)), Path(str(out))
    inside = report.name == REPORT and report.resolve().is_relative_to(out.resolve())
    return report if inside and report.is_file() and not report.is_symlink() else None


def tally(database: Database, since: datetime) -> dict[RunState, int]:
    """How many runs are in each state, of those that were asked for since then or still go on."""
    from db.runs import count_runs

    with database.read() as session:
        found = count_runs(session, since)
    return {state: found[state] for state in RunState if found.get(state)}


def facts(run: Run) -> dict[str, Any]:
    """A run for a program on this machine; it names paths."""
    wanted = run.wanted
    return {
        "id": run.id,
        "kind": run.kind,
        "title": title(run),
        "state": run.state.value,
        "inputs": wanted.inputs,
        "media": wanted.media,
        "out": wanted.out,
        "settings": dict(wanted.settings),
        "by": run.by,
        "asked": _moment(run.asked),
        "started": _moment(run.started),
        "ended": _moment(run.ended),
        "not_before": _moment(run.not_before) if run.state is RunState.WAITING else None,
        "tries": run.tries,
        "most_tries": run.most_tries,
        "step": {"name": run.step.name, "done": run.step.done, "total": run.step.total},
        "said": run.step.said,
        "worker": f"{run.worker.host}:{run.worker.pid}" if run.worker else None,
        "cancelled_by": run.cancelled_by,
        "outcome": run.outcome,
        "fault": run.fault,
        "exit_code": run.exit_code,
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")
