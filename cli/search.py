"""`roomtone search`: find a line as it was spoken."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from cli.common import OUT, print_json, settings_for
from cli.events import kinds_asked, show_events
from cli.takeline import describe, timecode
from core.errors import UsageError

MOST = 10_000


def command(
    query: Annotated[list[str] | None, typer.Argument(help="Words of the line, any text.")] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(
            help="Only where such an event is: overlap, clipping, slate …; or without words."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="Hits at the most.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print the hits as JSON.")] = False,
) -> None:
    """Find lines by their words; prints speaker, scene, take, timecode and the line.

    With --event only lines in which such an event happens; a slate, tone, pop, direction or
    silence counts anywhere in the take. Without words the events themselves are listed.
    """
    from db.catalogue import search
    from db.engine import open_database
    from db.events import events_of, with_events

    kinds = kinds_asked(event or ())
    if not query and not kinds:
        raise UsageError("Say what to search for: words of a line, or --event.")
    settings = settings_for()
    database = open_database(settings.home / "roomtone.db")
    try:
        with database.read() as session:
            if not query:
                listed = events_of(session, kinds=kinds)[:limit]
            elif kinds:
                every = search(session, " ".join(query), MOST)
                hits = with_events(session, every, kinds)[:limit]
            else:
                hits = search(session, " ".join(query), limit)
    finally:
        database.close()
    if not query:
        show_events(listed, as_json)
        return
    if as_json:
        print_json(
            [
                {
                    **describe(hit.found),
                    "hit_word": hit.word,
                    "hit_start": hit.start,
                    "hit_timecode": timecode(hit.found, hit.start),
                    "marked": [[text, marked] for text, marked in hit.marked],
                }
                for hit in hits
            ]
        )
        return
    if not hits:
        OUT.print("No line has these words" + (" and such an event." if kinds else "."))
        return
    for hit in hits:
        found = hit.found
        marked = "".join(
            f"[bold reverse]{escape(text)}[/bold reverse]" if on else escape(text)
            for text, on in hit.marked
        )
        if not OUT.is_terminal:
            marked = escape("".join(f">{text}<" if on else text for text, on in hit.marked))
        draft = "  [yellow](draft)[/yellow]" if found.line.draft else ""
        OUT.print(
            f"[cyan]{escape(found.line.speaker or '?'):<10}[/cyan] scene {escape(found.scene):<5} "
            f"take {escape(found.take):<3} {timecode(found, hit.start)}  {marked}{draft}"
        )
