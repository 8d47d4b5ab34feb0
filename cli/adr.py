"""`roomtone adr`: the lines that have to be recorded again."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cli.common import OUT, print_json, settings_for
from cli.progress import shown
from core.errors import UsageError

_SCRIPTS = (".fdx", ".fountain", ".spmd", ".txt", ".md")


def command(
    source: Annotated[Path, typer.Argument(help="A cut (record timecode) or a script (source).")],
    script: Annotated[
        Path | None, typer.Option(help="Script whose words and names a cut's cues carry.")
    ] = None,
    media: Annotated[
        list[Path] | None, typer.Option(help="Folder of the cut's sound, if it was not cleaned.")
    ] = None,
    confidence: Annotated[
        float, typer.Option(min=0, max=1, help="A line recognised with less is a cue.")
    ] = 0.5,
    project: Annotated[str, typer.Option(help="Of a script: only takes of this production.")] = "",
    out: Annotated[
        Path | None, typer.Option(help="Write OUT.csv and OUT.html (any suffix is replaced).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the cues as JSON.")] = False,
) -> None:
    """List the lines that neither cleaning nor another take saves, as an ADR cue sheet.

    A line is a cue where the gates hold its cleaned take back, where no words were recognised,
    or where they were recognised with little confidence.
    """
    from flows.adr import cues_of_cut, cues_of_script, write_csv, write_page
    from flows.script_coverage import cover
    from flows.workspace import open_workspace

    of_script = source.suffix.lower() in _SCRIPTS
    if of_script and script is not None:
        raise UsageError("Give a cut with --script, or a script alone.")
    settings = settings_for(media=tuple(media) if media else None)
    with shown(as_json) as progress, open_workspace(settings) as work:
        if of_script:
            sheet = cues_of_script(cover(work, source, project, progress), confidence)
        else:
            coverage = None if script is None else cover(work, script, project, progress)
            sheet = cues_of_cut(work, source, coverage, confidence, progress)
    written = []
    if out is not None:
        written = [out.with_suffix(".csv"), out.with_suffix(".html")]
        write_csv(sheet, written[0])
        write_page(sheet, written[1])
    if as_json:
        print_json(
            {
                "title": sheet.title,
                "clock": sheet.clock,
                "lines": sheet.lines,
                "cues": [asdict(cue) for cue in sheet.cues],
                "notes": list(sheet.notes),
                "files": written,
            }
        )
        return
    for cue in sheet.cues:
        OUT.print(
            f"{cue.number}  {cue.reel}  {cue.start}  {cue.end}  {cue.character}: {cue.line}\n"
            f"     {cue.take}: {cue.reason}",
            markup=False,
        )
    for note in sheet.notes:
        OUT.print(f"Note: {note}", markup=False)
    OUT.print(f"{len(sheet.cues)} of {sheet.lines} lines are cues.", markup=False)
    for path in written:
        OUT.print(f"Written: {path}", markup=False)
