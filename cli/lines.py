"""`roomtone lines`: what is said in the takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer
from rich.markup import escape

from cli.common import OUT, print_json, settings_for
from core.errors import UsageError
from flows.takeline import describe, timecode


def command(
    named: Annotated[
        str | None,
        typer.Argument(metavar="[TAKE]", help="A take: 12A-T03, 12A-3 or the file's name."),
    ] = None,
    take: Annotated[str | None, typer.Option(help="The same.")] = None,
    heard: Annotated[
        bool, typer.Option("--heard", help="The words as heard, also where they were corrected.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the lines as JSON.")] = False,
) -> None:
    """List the lines of a take, or of all takes, with speaker and timecode."""
    from db.catalogue import lines_of
    from db.home import open_remembered
    from flows.known import lines_of_take

    if named is not None and take is not None and named != take:
        raise UsageError(f"Name one take: {named} or {take}.")
    take = named if take is None else take
    settings = settings_for()
    database = open_remembered(settings)
    try:
        with database.read() as session:
            found = lines_of(session) if take is None else lines_of_take(session, take)
    finally:
        database.close()
    if heard:
        found = tuple(replace(item, line=item.line.as_heard) for item in found)
    if as_json:
        print_json([describe(item) for item in found])
        return
    name = None
    for item in found:
        if item.name != name:
            name = item.name
            OUT.print(f"[bold]{escape(name)}[/bold]")
        draft = "  [yellow](draft)[/yellow]" if item.line.draft else ""
        if item.line.heard_in == "cleaned":
            draft += "  [dim](heard in the cleaned sound)[/dim]"
        if item.line.heard is not None:
            draft += f"  [green](corrected by {escape(item.line.corrected_by)})[/green]"
        share = item.line.overlap
        over = f"  [yellow]({share:.0%} overlap)[/yellow]" if share > 0 else ""
        text = escape(item.line.text) or "[dim](no words)[/dim]"
        OUT.print(
            f"  {timecode(item, item.line.start)}  "
            f"[cyan]{escape(item.line.speaker or '?'):<10}[/cyan] {text}{draft}{over}"
        )
