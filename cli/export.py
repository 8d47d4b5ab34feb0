"""`roomtone export`: lines and events for editors, players and workstations."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.markup import escape

from cli.common import ERR, OUT, print_json, settings_for
from cli.progress import shown
from core.captions import CaptionOptions
from core.errors import UsageError
from core.spotting import Wanted

What = Literal["lines", "events", "all"]
Drafts = Literal["mark", "plain", "leave-out"]
_DEFAULT = CaptionOptions()


def command(
    cut: Annotated[
        Path | None,
        typer.Argument(help="A cut or a delivery of one; without, takes in source time."),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", help="Format; may be given again, or with commas between."),
    ] = None,
    take: Annotated[
        list[str] | None, typer.Option(help="A take (12A-T03, 12A-3); may be given again.")
    ] = None,
    day: Annotated[str, typer.Option(help="Takes recorded on this day: 2026-11-27.")] = "",
    out: Annotated[
        Path | None, typer.Option(help="A file, or a folder for several; without, printed.")
    ] = None,
    media: Annotated[
        list[Path] | None, typer.Option(help="Folder of the cut's sound, if it was not cleaned.")
    ] = None,
    what: Annotated[What, typer.Option(help="lines, events or all.")] = "lines",
    speakers: Annotated[bool, typer.Option(help="Names of the speakers.")] = True,
    drafts: Annotated[Drafts, typer.Option(help="Draft lines: mark, plain, leave-out.")] = "mark",
    confidence: Annotated[
        float, typer.Option(min=0, max=1, help="Leave out lines that are less certain.")
    ] = 0.0,
    start_timecode: Annotated[
        bool, typer.Option("--start-timecode", help="SRT and VTT count from the timecode.")
    ] = False,
    rows: Annotated[int, typer.Option(min=1, help="Rows of a caption.")] = _DEFAULT.rows,
    row_characters: Annotated[
        int, typer.Option(min=1, help="Characters of a row.")
    ] = _DEFAULT.row_characters,
    most_s: Annotated[
        float, typer.Option(min=0.1, help="Longest caption, in seconds.")
    ] = _DEFAULT.most_s,
    gap_frames: Annotated[
        int, typer.Option(min=0, help="Frames free between captions.")
    ] = _DEFAULT.gap_frames,
    list_formats: Annotated[
        bool, typer.Option("--list-formats", help="List the formats and end.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Export lines and events of takes, or of a cut, as captions, markers, tables and more."""
    from adapters.transcripts.write import FORMATS, Style
    from flows.export import Request, export
    from flows.workspace import open_workspace

    if list_formats:
        _list(as_json)
        return
    names = tuple(name.strip() for text in formats or () for name in text.split(","))
    if not names:
        raise UsageError(f"Name a --format: {', '.join(FORMATS)}.")
    if cut is not None and (take or day):
        raise UsageError("--take and --day are for takes; a cut is exported whole.")
    if as_json and out is None:
        raise UsageError("--json tells what was written: name a file or folder with --out.")
    settings = settings_for(media=tuple(media) if media else None)
    captions = replace(
        _DEFAULT,
        rows=rows,
        row_characters=row_characters,
        most_s=most_s,
        least_s=min(_DEFAULT.least_s, most_s),
        gap_frames=gap_frames,
    )
    wanted = Wanted(speakers, drafts, confidence, what != "events", what != "lines")
    request = Request(
        formats=names,
        cut=cut,
        takes=tuple(take or ()),
        day=day,
        media=settings.media,
        style=Style(wanted, captions, start_timecode),
        out=out,
    )
    with open_workspace(settings) as work, shown(as_json) as progress:
        done = export(work, request, progress)
    if as_json:
        print_json({"files": done.files, "entries": done.entries, "notes": done.notes})
        return
    for note in done.notes:
        ERR.print(f"Note: {note}", markup=False)
    if out is None:
        sys.stdout.write(done.text)
    for path in done.files:
        OUT.print(f"Wrote {escape(str(path))}")


def _list(as_json: bool) -> None:
    from adapters.transcripts.write import FORMATS

    if as_json:
        print_json(
            [
                {"name": item.name, "suffix": item.suffix, "says": item.says}
                for item in FORMATS.values()
            ]
        )
        return
    for item in FORMATS.values():
        OUT.print(f"{item.name:<10}{item.suffix:<14}{item.says}", markup=False)
