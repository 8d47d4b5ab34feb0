"""`roomtone sync`: whether the conform agrees with the picture department's mixdown."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from cli.common import OUT, print_json, settings_for
from cli.progress import shown
from core.errors import ExitCode

if TYPE_CHECKING:
    from flows.sync import SyncReport


def command(
    cut: Annotated[Path, typer.Argument(help="The cut to conform.")],
    guide: Annotated[Path, typer.Option(help="Mixdown of the cut from the picture department.")],
    media: Annotated[
        list[Path] | None, typer.Option(help="Folder that holds media; may be given again.")
    ] = None,
    window: Annotated[
        float, typer.Option(min=0.01, max=10, help="How far events may be out, in seconds.")
    ] = 1.0,
    edl_rate: Annotated[
        str | None, typer.Option(help="Frame rate of an EDL (default: as its media say).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no list.")] = False,
) -> None:
    """Hold every production event of a CUT against a guide track; exit code 7 where one is out."""
    from flows.sync import compare_with_guide
    from flows.workspace import open_workspace
    from models.sync import SyncOptions

    settings = settings_for(media=tuple(media) if media else None, edl_rate=edl_rate)
    options = SyncOptions(window_s=window)
    roots = settings.media or (cut.parent.absolute(),)
    with shown(quiet or as_json) as progress, open_workspace(settings) as work:
        report = compare_with_guide(work, cut, guide, roots, options, progress)
    agrees = report.agrees(options)
    if as_json:
        print_json({**asdict(report), "in_sync": agrees})
    elif not quiet:
        _tell(report)
    if not agrees:
        raise typer.Exit(ExitCode.CHECK)


def _tell(report: SyncReport) -> None:
    from flows.sync import Verdict

    rate = report.sample_rate
    if report.offset:
        OUT.print(
            f"[bold]The guide as a whole lies {report.offset:+.1f} samples "
            f"({1000 * report.offset / rate:+.2f} ms) from its place by {report.placed}.[/bold]"
        )
    for event in report.events:
        if event.verdict is Verdict.IN_SYNC:
            continue
        style = "yellow" if event.verdict is Verdict.NOT_JUDGED else "red"
        said = event.why
        if event.verdict is Verdict.OUT:
            said = f"{event.samples:+.1f} samples ({1000 * event.samples / rate:+.2f} ms) {said}"
        OUT.print(
            f"[{style}]{event.verdict:11}[/{style}]{escape(event.event_id):16} {event.record[0]}  "
            f"{escape(said.strip())}  [dim]confidence {event.confidence:.2f}[/dim]"
        )
    counts = ", ".join(
        f"{len(report.of(verdict))} {verdict}" for verdict in Verdict if report.of(verdict)
    )
    OUT.print(f"[bold]{counts or 'No production events'}[/bold]")
    if report.inverted:
        OUT.print(f"The guide has {report.inverted} events in turned polarity.")
    for note in report.notes:
        OUT.print(f"Note: {note}", markup=False)
