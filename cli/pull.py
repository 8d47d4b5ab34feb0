"""`roomtone pull`: what a search finds, as a timeline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.markup import escape

from cli.asked import By, HowFar, Words, filtered
from cli.common import ERR, OUT, print_json, settings_for
from cli.progress import shown
from core.filters import Filters


@filtered
def command(
    query: Words,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The timeline: .otio, .edl, .xml or .aaf.")
    ],
    sound: Annotated[
        Literal["raw", "cleaned"], typer.Option(help="What the clips play: raw or cleaned.")
    ] = "raw",
    order: Annotated[
        Literal["best", "take"], typer.Option(help="The closest first, or by scene and take.")
    ] = "best",
    handles: Annotated[
        float, typer.Option(min=0, max=60, help="Seconds kept before and after a line.")
    ] = 1.0,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Lines at the most.")] = 20,
    by: HowFar = By.AUTO,
    filters: Filters = Filters(),
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Pull lines into a timeline: every take of a line one after another, with handles."""
    from db.catalogue import in_order
    from flows.known import check_filters
    from flows.pull import pull
    from flows.search import find_lines
    from flows.workspace import open_workspace

    with open_workspace(settings_for()) as work, shown(as_json) as progress:
        check_filters(work.database, filters)
        hits = find_lines(work.database, " ".join(query), limit, filters, by.value, progress)
        if order == "take":
            hits = in_order(hits)
        done = pull(work, hits, out, sound, handles, progress)
    if as_json:
        print_json({"timeline": done.path, "clips": done.clips, "notes": done.notes})
        return
    for note in done.notes:
        ERR.print(f"Note: {note}", markup=False)
    OUT.print(f"Wrote {escape(str(done.path))}: {done.clips} clip{'s' * (done.clips != 1)}.")
