"""`roomtone reconform`: what changed between two versions of a cut, and what follows from it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from cli.common import OUT, print_json, settings_for
from cli.progress import shown
from config.deliveries import load_delivery
from config.recipes import load_recipe
from core.errors import UsageError

if TYPE_CHECKING:
    from flows.reconform import Reconformed

STYLES = {
    "kept": "dim",
    "moved": "blue",
    "trimmed": "yellow",
    "extended": "cyan",
    "retimed": "magenta",
    "added": "green",
    "removed": "red",
}


def command(
    old: Annotated[Path, typer.Argument(help="The cut as it was.")],
    new: Annotated[Path, typer.Argument(help="The cut as it is now; another format may be.")],
    media: Annotated[
        list[Path] | None, typer.Option(help="Folder that holds media; may be given again.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for change lists, re-cut sound and delivery (NEW_roomtone)."),
    ] = None,
    audio: Annotated[
        list[Path] | None,
        typer.Option(help="Sound that goes with OLD, to be re-cut to NEW; may be given again."),
    ] = None,
    clean: Annotated[
        bool | None,
        typer.Option("--clean/--no-clean", help="Clean NEW as well (default: where --media is)."),
    ] = None,
    edl_rate: Annotated[
        str | None,
        typer.Option(help="Frame rate of an EDL (default: as the other cut or its media say)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no list.")] = False,
) -> None:
    """List what changed from cut OLD to cut NEW; re-cut sound to NEW; clean what is new."""
    from flows.reconform import Request, reconform

    settings = settings_for(media=tuple(media) if media else None, edl_rate=edl_rate)
    cleans = bool(media) if clean is None else clean
    roots = settings.media if media or cleans else ()
    if cleans and not roots:
        raise UsageError("Cleaning needs the media: name their folders with --media.")
    folder = out if out or not (cleans or audio) else Path(f"{new.stem}_roomtone")
    request = Request(
        old=old,
        new=new,
        media=roots,
        out=folder,
        audio=tuple(audio or ()),
        cleaning=(
            (load_recipe(settings.recipe), load_delivery(settings.loudness)) if cleans else None
        ),
    )
    with shown(quiet or as_json) as progress:
        done = reconform(settings, request, progress)
    if as_json:
        print_json(_as_json(done))
    elif not quiet:
        _tell(done)


def _as_json(done: Reconformed) -> dict[str, Any]:
    from flows.change_list import rows, summary

    return {
        "old": _version(done, "old"),
        "new": _version(done, "new"),
        "summary": list(summary(done.found)),
        "changes": [asdict(row) for row in rows(done.found)],
        "ripples": [
            {"frames": float(shift), "events": count} for shift, count in done.found.ripples
        ],
        "notes": list(done.notes),
        "files": list(done.files),
        "delivery": None if done.delivered is None else asdict(done.delivered),
    }


def _version(done: Reconformed, which: str) -> dict[str, Any]:
    cut = getattr(done.found, which)
    return {"name": cut.name, "rate": str(cut.rate), "frames": float(cut.length)}


def _tell(done: Reconformed) -> None:
    """The list for a person; events that stayed as they were are only counted."""
    from flows.change_list import rows, summary

    listed = [row for row in rows(done.found) if row.kind != "kept" or row.changed]
    if listed:
        wide = max(len(row.old_event or row.new_event) for row in listed) + 2
        OUT.print(
            f"[dim]{'':10}{'Old':{wide}}{'Record in':15}{'New':{wide}}{'Record in':15}What[/dim]"
        )
    for row in listed:
        style = STYLES[row.kind]
        OUT.print(
            f"[{style}]{row.kind:10}[/{style}]{escape(f'{row.old_event:{wide}}')}{row.old_in:15}"
            f"{escape(f'{row.new_event:{wide}}')}{row.new_in:15}"
            f"{escape(row.words)}  [dim]{escape(row.media)}[/dim]"
        )
    OUT.print(f"[bold]{'; '.join(summary(done.found)) or 'Nothing in either version'}[/bold]")
    for note in done.notes:
        OUT.print(f"Note: {note}", markup=False)
    if done.delivered is not None:
        again = done.delivered.takes - done.delivered.takes_cleaned
        OUT.print(
            f"{done.delivered.takes_cleaned} takes cleaned now, {again} from the store; delivery "
            f"in {done.delivered.out}",
            markup=False,
        )
    for path in done.files:
        OUT.print(f"  {path}", markup=False)
