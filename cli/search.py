"""`roomtone search`: find a line as it was spoken, or half remembered."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape

from cli.asked import By, HowFar, OptionalWords, filtered
from cli.common import OUT, print_json, settings_for
from cli.events import show_events
from cli.progress import shown
from core.errors import UsageError
from core.filters import Filters
from flows.takeline import HOW_FOUND, describe, timecode

if TYPE_CHECKING:
    from db.catalogue import Hit


@filtered
def command(
    query: OptionalWords = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Hits at the most.")] = 20,
    by: HowFar = By.AUTO,
    filters: Filters = Filters(),
    play: Annotated[bool, typer.Option("--play", help="Play the hits one after another.")] = False,
    sound: Annotated[
        Literal["raw", "cleaned"], typer.Option(help="What is played: raw or cleaned.")
    ] = "raw",
    as_json: Annotated[bool, typer.Option("--json", help="Print the hits as JSON.")] = False,
) -> None:
    """Find lines by their words or by how they sound; prints timecode, speaker and the line.

    With --event only lines in which such an event happens; a slate, tone, pop, direction or
    silence counts anywhere in the take. Without words the events themselves are listed. While
    hits are played, enter goes to the next, space plays it once more, q ends.
    """
    from db.home import open_remembered
    from flows.known import check_filters
    from flows.search import by_take, find_events, find_lines

    if not query and not filters.events:
        raise UsageError("Say what to search for: words of a line, or --event.")
    if play and (as_json or not query):
        raise UsageError("Only lines are played, and for people: give words, and leave --json out.")
    database = open_remembered(settings_for())
    try:
        check_filters(database, filters)
        if query:
            with shown(as_json) as progress:
                hits = find_lines(
                    database, " ".join(query), limit, filters, by.value, progress=progress
                )
        else:
            listed = find_events(database, limit, filters)
    finally:
        database.close()
    if not query:
        show_events(listed, as_json)
        return
    if as_json:
        print_json([_described(hit) for hit in hits])
        return
    if not hits:
        where = "No line" if filters == Filters() else "No line that the filters let through"
        OUT.print(f"{where} has these words, or sounds like them.")
    for group in by_take(hits, lambda hit: hit.found.essence):
        _print_take(group)
    if play and hits:
        _play(hits, sound)


def _play(hits: Sequence[Hit], sound: Literal["raw", "cleaned"]) -> None:
    from adapters.media.device import open_device
    from cli.keys import keys, no_keys
    from cli.play import KEYS, play_hits
    from flows.play import sound_of_line
    from flows.workspace import open_workspace

    device = open_device()
    with open_workspace(settings_for()) as work, keys() as wait:
        if wait is not None:
            OUT.print(KEYS, style="dim")
        heard = partial(sound_of_line, work, version=sound)
        play_hits(hits, lambda hit: heard(hit.found), device, wait or no_keys)


def _print_take(hits: list[Hit]) -> None:
    found = hits[0].found
    scene = f"scene {found.scene} take {found.take}" if found.scene or found.take else ""
    OUT.print(f"[bold]{escape(found.name)}[/bold]  {escape(scene)}".rstrip())
    for hit in hits:
        line = hit.found.line
        draft = "  [yellow](draft)[/yellow]" if line.draft else ""
        OUT.print(
            f"  {timecode(hit.found, hit.start)}  [cyan]{escape(line.speaker or '?'):<10}[/cyan] "
            f"{_marked(hit)}  [dim]{HOW_FOUND[hit.how]}[/dim]{draft}{_corrected(hit)}"
        )


def _corrected(hit: Hit) -> str:
    """Whose words a hit shows, where a person corrected the line."""
    line = hit.found.line
    if line.heard is None:
        return ""
    if hit.as_heard:
        return f"  [green](as heard; corrected: {escape(line.text)})[/green]"
    return f"  [green](corrected by {escape(line.corrected_by)})[/green]"


def _marked(hit: Hit) -> str:
    if not OUT.is_terminal:
        return escape("".join(f">{text}<" if on else text for text, on in hit.marked))
    return "".join(
        f"[bold reverse]{escape(text)}[/bold reverse]" if on else escape(text)
        for text, on in hit.marked
    )


def _described(hit: Hit) -> dict[str, Any]:
    return {
        **describe(hit.found),
        "hit_word": hit.word,
        "hit_start": hit.start,
        "hit_timecode": timecode(hit.found, hit.start),
        "found": HOW_FOUND[hit.how],
        "found_in": _found_in(hit),
        "likeness": round(hit.likeness, 3),
        "marked": [[text, marked] for text, marked in hit.marked],
    }


def _found_in(hit: Hit) -> str:
    """Which words the query was found in."""
    return "corrected" if hit.found.line.heard is not None and not hit.as_heard else "heard"
