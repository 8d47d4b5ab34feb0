"""`roomtone nightly`: what is new in the watched folders, cleaned and listened to overnight."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common import ERR, OUT, print_json, settings_for
from cli.progress import shown
from config.settings import Settings
from core.errors import ExitCode, UsageError
from core.run import Wanted
from flows.progress import Progress

if TYPE_CHECKING:
    from flows.night import Night
    from flows.nightly import Reported


def command(
    roots: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[DIR...]",
            help="Folders that dailies arrive in (default: the setting watched, else media).",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="HH:MM", help="Begin no new take from then on; the rest waits."),
    ] = None,
    settle: Annotated[
        float | None,
        typer.Option(min=0, help="Seconds between two looks at new files, which must be alike."),
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="gentle, standard, rescue, bypass, or a recipe file.")
    ] = None,
    stand_in: Annotated[
        bool, typer.Option("--stand-in", help="Clean with RNNoise where DeepFilterNet3 is missing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no summary.")] = False,
) -> None:
    """Clean, transcribe and index new takes, circled ones first, and report in the morning.

    Ends with code 7 where something failed, is still being copied or was left for the next night.
    """
    from flows.jobs import NIGHT
    from flows.nightly import told_of_night
    from flows.own_run import as_run

    given = {
        "nightly_until": until,
        "nightly_settle_s": settle,
        "recipe": recipe,
        "allow_stand_in": True if stand_in else None,
    }
    own = {name: value for name, value in given.items() if value is not None}
    settings = settings_for(watched=tuple(roots) if roots else None, **own)
    if not (settings.watched or settings.media):
        raise UsageError("Name the folders that dailies arrive in: `roomtone nightly DIR`.")
    wanted = Wanted(settings.watched or settings.media, settings=own)
    with shown(quiet or as_json) as progress:
        done = as_run(settings, NIGHT, wanted, progress, partial(_work, settings), told_of_night)
    night, folder = done.night, done.folder
    if as_json:
        from flows.night_report import as_json as report

        print_json({**report(night), "report": str(folder)})
    elif not quiet:
        _tell(night, folder)
    if done.unsent:
        ERR.print(f"Note: {done.unsent}", markup=False)
    if not night.whole:
        raise typer.Exit(ExitCode.CHECK)


def _work(settings: Settings, progress: Progress) -> Reported:
    from flows.night import WallClock
    from flows.nightly import run_night
    from flows.spread import runner_for
    from flows.workspace import open_workspace

    with open_workspace(settings) as work, runner_for(work) as run:
        return run_night(work, progress, WallClock(), run)


def _tell(night: Night, folder: Path) -> None:
    """The short report, for a person at a terminal."""
    from flows.night_report import short_text

    OUT.print(short_text(night).rstrip(), markup=False)
    OUT.print(f"\nReport     {folder / 'report.html'}", markup=False)
