"""`roomtone correct`: give a line the words that were really said."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from cli.common import OUT, print_json, settings_for
from core.errors import UsageError
from flows.takeline import describe, timecode

if TYPE_CHECKING:
    from db.catalogue import TakeLine
    from flows.workspace import Workspace


def command(
    take: Annotated[
        str | None, typer.Argument(help="A take: 12A-T03, 12A-3 or the file's name.")
    ] = None,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TIMECODE] [TEXT]...",
            help="Where the line is spoken, as `lines` prints it (not with --line), and its words.",
        ),
    ] = None,
    line: Annotated[
        int | None, typer.Option(min=1, help="The line by its number in the take, from 1.")
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take the last correction back.")] = False,
    listed: Annotated[
        bool, typer.Option("--list", help="List the corrections of the take, or of all.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Correct what a line of a TAKE says. What was heard stays beside it, with who and when.

    Search finds both. A correction belongs to the stretch of the take: it outlives a new listening.
    """
    from flows.workspace import open_workspace

    with open_workspace(settings_for()) as work:
        if listed:
            _list(work, take, as_json)
            return
        if take is None:
            raise UsageError('Say which line: roomtone correct TAKE TIMECODE "its words".')
        now = _decided(work, take, list(words or ()), line, undo)
    if as_json:
        print_json(describe(now))
        return
    text = escape(now.line.text) or "[dim](no words)[/dim]"
    what = "as heard again" if now.line.heard is None else "corrected"
    OUT.print(
        f"[bold]{escape(now.name)}[/bold]  {timecode(now, now.line.start)}  "
        f"[cyan]{escape(now.line.speaker or '?')}[/cyan] {text}  [green]({what})[/green]"
    )
    if now.line.heard is not None:
        OUT.print(f"  heard: {now.line.heard_text}", markup=False)


def _decided(
    work: Workspace, take: str, words: list[str], number: int | None, undo: bool
) -> TakeLine:
    """The line after what the person asked for."""
    from flows.corrections import correct_line, line_at, undo_correction

    if number is None and not words:
        raise UsageError("Say which line: its timecode, as roomtone lines prints it, or --line.")
    meant = line_at(work, take, words.pop(0) if number is None else number)
    if undo:
        if words:
            raise UsageError("--undo takes no words: it brings back what was there before.")
        return undo_correction(work, meant.number, getpass.getuser())
    return correct_line(work, meant.number, " ".join(words), getpass.getuser())


def _list(work: Workspace, take: str | None, as_json: bool) -> None:
    from flows.corrections import list_corrections

    found = list_corrections(work, take)
    if as_json:
        print_json(
            [
                {
                    "take": item.take.name,
                    **asdict(item.correction),
                    "timecode": timecode(item.take, item.correction.start),
                    "undone_at": item.undone_at,
                    "undone_by": item.undone_by,
                }
                for item in found
            ]
        )
        return
    if not found:
        OUT.print("Nobody corrected a line yet.")
    for item in found:
        undone = f"  undone by {escape(item.undone_by)}" if item.undone_at else ""
        OUT.print(
            f"[bold]{escape(item.take.name)}[/bold]  "
            f"{timecode(item.take, item.correction.start)}  {escape(item.correction.text)}  "
            f"[dim]{escape(item.correction.by)} {item.correction.at}{undone}[/dim]"
        )
