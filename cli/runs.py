"""`roomtone runs`: jobs that were asked for; `roomtone work`: a worker that does them."""

from __future__ import annotations

import getpass
import logging
import signal
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from cli.common import ERR, OUT, print_json, settings_for
from cli.logs import LogJson, log_lines
from core.run import Run, RunState
from flows.run_view import facts, lasted, progress, title

if TYPE_CHECKING:
    from flows.worker import WorkerHandle

app = typer.Typer(help="Jobs that were asked for: how far they are, what came of them.")

AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
Number = Annotated[int, typer.Argument(metavar="N", min=1, help="The run's number.")]
_COLOURS = {
    RunState.DONE: "green",
    RunState.RUNNING: "cyan",
    RunState.FAILED: "red",
    RunState.CRASHED: "red",
    RunState.CANCELLED: "dim",
}


@app.callback(invoke_without_command=True)
def list_command(
    context: typer.Context,
    state: Annotated[
        list[RunState] | None, typer.Option(help="Only runs in this state; may be given again.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Runs at the most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the runs, the latest first."""
    if context.invoked_subcommand:
        return
    from db.home import open_remembered
    from flows.runs import list_runs

    database = open_remembered(settings_for())
    try:
        found = list_runs(database, state or (), limit)
    finally:
        database.close()
    if as_json:
        print_json([facts(run) for run in found])
        return
    if not found:
        OUT.print("There are no runs yet.")
    for run in found:
        OUT.print(_row(run))


@app.command("show")
def show(number: Number, as_json: AsJson = False) -> None:
    """Show one run: what it does, how far it is, what came of it."""
    from db.home import open_remembered
    from flows.runs import run_numbered

    database = open_remembered(settings_for())
    try:
        run = run_numbered(database, number)
    finally:
        database.close()
    _show(run, as_json)


@app.command("cancel")
def cancel(number: Number, as_json: AsJson = False) -> None:
    """End a run: at once where it waits, within some seconds where it runs."""
    from db.home import open_remembered
    from flows.runs import cancel_run

    database = open_remembered(settings_for())
    try:
        run = cancel_run(database, number, getpass.getuser())
    finally:
        database.close()
    _show(run, as_json)


@app.command("retry")
def retry(number: Number, as_json: AsJson = False) -> None:
    """Let a run that has ended wait for a worker once more; what it did is kept."""
    from db.home import open_remembered
    from flows.runs import retry_run

    database = open_remembered(settings_for())
    try:
        run = retry_run(database, number)
    finally:
        database.close()
    _show(run, as_json)


def work(
    once: Annotated[bool, typer.Option("--once", help="End when no run is due any more.")] = False,
    at_once: Annotated[
        int | None, typer.Option(min=1, max=64, help="Runs to do at once (default: a setting).")
    ] = None,
    log_json: LogJson = False,
) -> None:
    """Do the runs that were asked for, one after another; any number of workers may be started.

    Ctrl+C or SIGTERM ends it within some seconds: what it is at is given back.
    """
    from flows.worker import start_worker, work_until

    settings = settings_for()
    quiet = once and not log_json
    log_lines(as_json=log_json, level=logging.WARNING if quiet else logging.INFO)
    if once:
        done = work_until(threading.Event(), settings, until_idle=True)
        OUT.print(f"Did {done} run{'s' * (done != 1)}." if done else "No run is due.")
        return
    handle = start_worker(settings, at_once)
    ERR.print("Waiting for runs  (Ctrl+C ends it)")
    _wait(handle)


def _wait(handle: WorkerHandle) -> None:
    """Let workers work until the process is asked to end."""
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    try:
        # A wait with no end would not let the signal through on every system.
        while not over.wait(0.5):
            pass
    finally:
        handle.stop()


def _show(run: Run, as_json: bool) -> None:
    if as_json:
        print_json(facts(run))
        return
    OUT.print(_row(run))
    wanted = run.wanted
    rows = [
        *(("From", str(path)) for path in wanted.inputs),
        *(("Media", str(path)) for path in wanted.media),
        ("To", str(wanted.out or "")),
        ("Settings", ", ".join(f"{name} = {value}" for name, value in wanted.settings.items())),
        ("Asked by", run.by),
        ("Cancelled", f"by {run.cancelled_by}" if run.cancelled_by else ""),
        ("Said", run.step.said if run.state is RunState.RUNNING else ""),
        ("Report", str((run.outcome or {}).get("report", ""))),
        *(("Listen to", text) for text in (run.outcome or {}).get("flagged", ())),
        *(("Note", text) for text in (run.outcome or {}).get("notes", ())),
    ]
    for name, value in rows:
        if value:
            OUT.print(f"  {name:<10} {value}", markup=False)


def _row(run: Run) -> str:
    colour = _COLOURS.get(run.state, "yellow")
    when = run.asked.astimezone().strftime("%Y-%m-%d %H:%M")
    took = lasted(run, datetime.now(UTC))
    tail = "  ".join(filter(None, (_clock(took), progress(run), run.fault)))
    return (
        f"[bold]{run.id:>4}[/bold]  [{colour}]{run.state:<9}[/{colour}]  {when}  "
        f"{escape(title(run))}  [dim]{escape(tail)}[/dim]"
    ).rstrip()


def _clock(took: timedelta | None) -> str:
    if took is None:
        return ""
    minutes, seconds = divmod(int(took.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
