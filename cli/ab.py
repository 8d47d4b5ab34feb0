"""`roomtone ab`: a stretch of a take raw, cleaned and removed, level-matched, with a picture."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from cli.common import OUT, print_json, settings_for
from cli.progress import shown
from config.recipes import load_recipe
from core.errors import InputError

if TYPE_CHECKING:
    from flows.ab import AbOutcome


def command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A take.")],
    start: Annotated[
        str, typer.Option("--from", help="Timecode, seconds or m:ss; default: the start.")
    ] = "",
    end: Annotated[
        str, typer.Option("--to", help="Timecode, seconds or m:ss; default: the end.")
    ] = "",
    channel: Annotated[
        str, typer.Option(help="Number from 1 or name of a channel (default: boom, else mix).")
    ] = "",
    recipe: Annotated[
        str | None, typer.Option(help="Cleaning recipe: a name or a recipe file.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the files (default: NAME_ab).")
    ] = None,
    stand_in: Annotated[
        bool, typer.Option("--stand-in", help="Clean with RNNoise where DeepFilterNet3 is missing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no summary.")] = False,
) -> None:
    """Write what cleaning does to a take, to listen to and to look at: raw, cleaned and removed.

    The cleaned sound comes from the store where it is there; else the whole take is cleaned.
    """
    from flows.ab import AbRequest, ab
    from flows.workspace import open_workspace

    if not file.is_file():
        raise InputError(f"{file} does not exist; give the path of a sound file.")
    settings = settings_for(recipe=recipe, allow_stand_in=True if stand_in else None)
    request = AbRequest(
        file=file,
        recipe=load_recipe(settings.recipe),
        out=out or Path(f"{file.stem}_ab"),
        channel=channel,
        start=start,
        end=end,
    )
    with shown(quiet or as_json) as progress, open_workspace(settings) as work:
        outcome = ab(work, request, progress)
    if as_json:
        print_json(asdict(outcome))
    elif not quiet:
        _tell(outcome)


def _tell(outcome: AbOutcome) -> None:
    work = "cleaned now" if outcome.cleaned_now else "cleaned before"
    state = "" if outcome.written_now else ", already as it should be"
    OUT.print(
        f"[bold]{escape(outcome.source.name)}[/bold] {escape(outcome.microphone)}  "
        f"{outcome.where[0]} to {outcome.where[1]}{state}"
    )
    OUT.print(f"  Recipe     {outcome.recipe}, {outcome.engine}, {work}", markup=False)
    OUT.print(
        f"  Level      {outcome.gain_db:+.2f} dB on cleaned and removed, so that the speech of "
        "raw and cleaned is equally loud"
    )
    for name in ("raw", "cleaned", "removed", "picture"):
        OUT.print(f"  {name.capitalize():9}  {getattr(outcome, name)}", markup=False)
    for gate in outcome.gates:
        if not gate.passed:
            OUT.print(
                f"  [yellow]Listen to[/yellow]  {gate.name} {gate.value:.2f} {gate.unit} "
                f"(limit {gate.limit:g})"
            )
    for note in outcome.notes:
        OUT.print(f"  Note       {note}", markup=False)
