"""`roomtone check`: whether the home and its deliveries are as they were left."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from cli.common import OUT, print_json, settings_for
from cli.progress import shown
from core.errors import ExitCode

if TYPE_CHECKING:
    from flows.check import Report


def command(
    read: Annotated[
        bool, typer.Option("--read", help="Read every byte again, not only names and sizes.")
    ] = False,
    originals: Annotated[
        bool, typer.Option("--originals", help="Hold the originals against the database, too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="No progress, only what is wrong.")
    ] = False,
) -> None:
    """Check database, store and deliveries; exit code 7 where something is not as it should be.

    Every row's file must be there with its size, every file of the store known, the database
    whole, and each delivery as its list says. Nothing is changed.
    """
    from flows.check import check

    with shown(quiet or as_json) as progress:
        report = check(settings_for(), progress, read=read, originals=originals)
    if as_json:
        print_json({**asdict(report), "in_order": not report.findings})
    else:
        _tell(report, quiet=quiet)
    if report.findings:
        raise typer.Exit(ExitCode.CHECK)


def _tell(report: Report, *, quiet: bool) -> None:
    for finding in report.findings:
        OUT.print(f"[red]{finding.kind:<10}[/red] {escape(finding.where)}")
        OUT.print(f"           {escape(finding.what)}; {escape(finding.remedy)}.")
    if quiet:
        return
    for note in report.notes:
        OUT.print(f"[yellow]Note:[/yellow] {escape(note)}")
    how = "every byte read" if report.read else "sizes only; --read reads every byte"
    count = len(report.findings)
    wrong = (
        "All is in order" if not count else f"{count} thing{'s are' if count > 1 else ' is'} wrong"
    )
    OUT.print(f"{wrong}: {report.files} files, {report.bytes / 1e6:.1f} MB ({how}).")
