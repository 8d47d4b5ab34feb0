"""The `roomtone` command: its commands, and how faults become sentences and exit codes."""

from __future__ import annotations

import logging
import os
import sys
from functools import cache
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, NoReturn

import typer

from cli import (
    ab,
    adr,
    announce,
    backup,
    check,
    clean,
    config_show,
    correct,
    coverage,
    demo,
    doctor,
    events,
    export,
    forget,
    licences,
    lines,
    loudness,
    microphones,
    models,
    nightly,
    override,
    privacy,
    prune,
    pull,
    reconform,
    relink,
    repair,
    resolve,
    retention,
    review,
    runs,
    search,
    serve,
    speakers,
    sync,
    tag,
    trace,
    verify,
)
from cli.common import ERR, quietly_closed
from cli.interrupt import STOP, heeded
from core.errors import ExitCode, RoomtoneError

INTERRUPTED = 130
"""How Typer ends a command that the person broke off (128 and SIGINT, as shells count)."""

app = typer.Typer(
    name="roomtone",
    help="Clean the dialogue of a film, conform it to the edit, and find every spoken line.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command("clean")(clean.command)
app.command("nightly")(nightly.command)
app.command("override")(override.command)
app.add_typer(review.app, name="review")
app.command("reconform")(reconform.command)
app.command("relink")(relink.command)
app.command("sync")(sync.command)
app.command("ab")(ab.command)
app.command("microphones")(microphones.command)
app.command("loudness")(loudness.command)
app.command("search")(search.command)
app.command("events")(events.command)
app.command("pull")(pull.command)
app.command("lines")(lines.command)
app.command("tag", context_settings=tag.SETTINGS)(tag.command)
app.command("correct")(correct.command)
app.command("privacy")(privacy.command)
app.command("export")(export.command)
app.command("forget")(forget.command)
app.add_typer(retention.app, name="retention")
app.command("trace")(trace.command)
app.command("verify")(verify.command)
app.command("check")(check.command)
app.command("repair")(repair.command)
app.command("prune")(prune.command)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.add_typer(coverage.app, name="coverage")
app.command("adr")(adr.command)
app.command("serve")(serve.command)
app.add_typer(runs.app, name="runs")
app.command("work")(runs.work)
app.command("announce")(announce.command)
app.add_typer(serve.tokens, name="tokens")
app.add_typer(resolve.app, name="resolve")
app.command("demo")(demo.command)
app.command("doctor")(doctor.command)
app.command("licences")(licences.command)
app.add_typer(models.app, name="models")
app.add_typer(speakers.app, name="speakers")
app.add_typer(config_show.app, name="config")


@cache
def _command() -> Any:
    """The commands with their options, made once a process."""
    return typer.main.get_command(app)


def main() -> None:
    """Run a command and exit with one of the documented codes."""
    try:
        with heeded(), quietly_closed():
            _command()()
    except RoomtoneError as fault:
        if STOP.is_set():
            _stopped()
        ERR.print(f"[red]roomtone:[/red] {_escaped(str(fault))}")
        sys.exit(fault.exit_code)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            _stopped()
        raise
    except Exception as fault:
        if STOP.is_set():
            _stopped()
        log = _log_fault()
        first = str(fault).splitlines()[0] if str(fault) else ""
        ERR.print(
            f"[red]roomtone:[/red] an internal fault ({type(fault).__name__}: "
            f"{_escaped(first)}); the details are in {log}."
        )
        sys.exit(ExitCode.INTERNAL)


def _stopped() -> NoReturn:
    """Say that the person broke the command off, and end as shells expect it."""
    ERR.print("Stopped. What was finished is kept; run the same command to go on.")
    sys.exit(INTERRUPTED)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _log_fault() -> str:
    """Write the traceback of the fault at hand to the log, for operators."""
    home = Path(os.environ.get("ROOMTONE_HOME", "~/.roomtone")).expanduser()
    path = home / "log" / "roomtone.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(path, maxBytes=5_000_000, backupCount=3, encoding="utf-8")
    except OSError:
        return "no log, because the home can't be written"
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger("roomtone")
    logger.propagate = False
    logger.addHandler(handler)
    logger.exception("internal fault: %s", " ".join(sys.argv))
    return str(path)


if __name__ == "__main__":
    main()
