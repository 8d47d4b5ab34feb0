"""`roomtone speakers`: who speaks in a production, and what a person says about it."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from cli.common import OUT, print_json, settings_for

if TYPE_CHECKING:
    from flows.workspace import Workspace

app = typer.Typer(help="Who speaks: list, name, merge, split and enrol speakers.")

Project = Annotated[str | None, typer.Option(help="The production, where there are several.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@app.command("list")
def list_command(project: Project = None, as_json: AsJson = False) -> None:
    """List the speakers with their takes, lines, seconds, and how they are known."""
    from flows.speakers import chosen_project, list_speakers
    from flows.workspace import open_workspace

    with open_workspace(settings_for()) as work:
        found = list_speakers(work, chosen_project(work, project))
    if as_json:
        print_json([asdict(item) for item in found])
        return
    if not found:
        OUT.print("No speakers are known yet; clean a cut first.")
    for item in found:
        count = f"{item.lines} line{'s' * (item.lines != 1)}"
        OUT.print(
            f"[cyan]{escape(item.name):<14}[/cyan] {count:>10} {item.seconds:8.1f} s  "
            f"{escape(item.known)}  [dim]{escape(', '.join(item.takes))}[/dim]"
        )


@app.command("lines")
def lines_command(take: Annotated[str, typer.Argument(help="A take: 12A-T03.")]) -> None:
    """List the lines of a take with the numbers by which `split --line` names them."""
    from flows.known import lines_of_take
    from flows.takeline import timecode
    from flows.workspace import open_workspace

    with open_workspace(settings_for()) as work, work.database.read() as session:
        found = lines_of_take(session, take)
    for number, item in enumerate(found, 1):
        OUT.print(
            f"{number:>4}  {timecode(item, item.line.start)}  "
            f"[cyan]{escape(item.line.speaker or '?'):<14}[/cyan] {escape(item.line.text)}"
        )


@app.command("name")
def name_command(
    speaker: Annotated[str, typer.Argument(help="The speaker, as listed (SPEAKER 1).")],
    name: Annotated[str, typer.Argument(help="The name to give.")],
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Give a speaker a name, in every take, now and later."""
    from flows.speakers import name_speaker

    _say(project, as_json, lambda work, of, by: name_speaker(work, of, speaker, name, by))


@app.command("merge")
def merge_command(
    kept: Annotated[str, typer.Argument(help="The speaker who keeps the name.")],
    other: Annotated[str, typer.Argument(help="The speaker who is the same person.")],
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Say that two speakers are one."""
    from flows.speakers import merge_speakers

    _say(project, as_json, lambda work, of, by: merge_speakers(work, of, kept, other, by))


@app.command("split")
def split_command(
    speaker: Annotated[str, typer.Argument(help="The speaker who is not all one person.")],
    take: Annotated[str | None, typer.Option(help="The take in which it is somebody else.")] = None,
    line: Annotated[
        list[int] | None,
        typer.Option(help="A line of the take (`speakers lines` numbers them); may be repeated."),
    ] = None,
    to: Annotated[str, typer.Option(help="Who it is; without, a new SPEAKER n.")] = "",
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Say that a speaker is somebody else in a take, or in some lines of it."""
    from flows.speakers import split_speaker

    numbers = tuple(line or ())
    _say(
        project,
        as_json,
        lambda work, of, by: split_speaker(work, of, speaker, take, numbers, to, by),
    )


@app.command("enrol")
def enrol_command(
    name: Annotated[str, typer.Argument(help="Whose voice it is.")],
    file: Annotated[Path, typer.Argument(help="A sound file in which only they speak.")],
    start: Annotated[
        float | None, typer.Option("--from", min=0, help="From this second of it.")
    ] = None,
    end: Annotated[float | None, typer.Option("--to", min=0, help="Up to this second.")] = None,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Learn a voice from a sound file, so that takes know it by name."""
    from flows.speakers import enrol_speaker

    _say(
        project,
        as_json,
        lambda work, of, by: enrol_speaker(work, of, name, file, start, end, by),
    )


@app.command("undo")
def undo_command(project: Project = None, as_json: AsJson = False) -> None:
    """Take back the last decision about the speakers."""
    from flows.speakers import undo_speakers

    _say(project, as_json, undo_speakers)


def _say(project: str | None, as_json: bool, decide: Callable[[Workspace, str, str], str]) -> None:
    """Decide in the production that is meant, and print what became of it."""
    from flows.speakers import chosen_project
    from flows.workspace import open_workspace

    with open_workspace(settings_for()) as work:
        told = decide(work, chosen_project(work, project), getpass.getuser())
    if as_json:
        print_json({"decided": told})
    else:
        OUT.print(told, markup=False)
