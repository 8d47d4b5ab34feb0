"""`roomtone events`: what happens in the takes beside their lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from cli.common import OUT, print_json, settings_for
from core.errors import UsageError
from core.events import EventKind
from core.time import clock
from core.words import counted
from flows.takeline import take_facts, timecode

if TYPE_CHECKING:
    from db.events import TakeEvent


def kinds_asked(names: Sequence[str]) -> tuple[EventKind, ...]:
    """Kinds of events as a person writes them. Raises UsageError for another word."""
    known = {kind.value: kind for kind in EventKind} | {"2-pop": EventKind.POP}
    for name in names:
        if name.lower() not in known:
            raise UsageError(f"{name!r} is no kind of event; take {', '.join(EventKind)}.")
    return tuple(known[name.lower()] for name in names)


def command(
    take: Annotated[
        str | None, typer.Option(help="A take: 12A-T03, 12A-3 or the file's name.")
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            help="slate, tone, pop, direction, silence, overlap, click …; again for more."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the events as JSON.")] = False,
) -> None:
    """List what happens in the takes: slates, tone, pops, direction, silence, overlap, defects."""
    from db.events import events_of
    from db.home import open_remembered
    from flows.known import takes_named

    kinds = kinds_asked(kind or ())
    database = open_remembered(settings_for())
    try:
        with database.read() as session:
            if take is not None:
                takes_named(session, take)
            found = events_of(session, take, kinds=kinds)
    finally:
        database.close()
    show_events(found, as_json)


def show_events(found: Sequence[TakeEvent], as_json: bool) -> None:
    """Print events, for a person or a program."""
    if as_json:
        print_json([described(item) for item in found])
        return
    if not found:
        OUT.print("Nothing of the kind happens there.")
    essence = None
    for item in found:
        if item.essence != essence:
            essence = item.essence
            OUT.print(f"[bold]{escape(item.name)}[/bold]")
        event = item.event
        sure = "" if event.confidence >= 1 else f"  {event.confidence:.0%} sure"
        where = "" if event.channel is None else f"  channel {event.channel + 1}"
        length = _length(event.end - event.start, item.sample_rate)
        note = _without(length, event.note)
        OUT.print(
            f"  {timecode(item, event.start)}  [cyan]{event.kind:<9}[/cyan] "
            f"{length:>11}  {escape(note)}[dim]{where}{sure}[/dim]"
        )


def _length(samples: int, sample_rate: int) -> str:
    """A length for people: in samples where it is under a hundredth of a second."""
    if samples * 100 < sample_rate:
        return counted(samples, "sample")
    return clock(samples, sample_rate)


def _without(length: str, note: str) -> str:
    """A note without the length that it begins with, which is told already."""
    rest = note.removeprefix(length)
    return rest.lstrip(",; ") if rest[:1] in ("", ",", ";") else note


def described(found: TakeEvent) -> dict[str, Any]:
    """An event with its take, for JSON: times in samples of the source file."""
    event = found.event
    return {
        **take_facts(found),
        "kind": event.kind.value,
        "start": event.start,
        "end": event.end,
        "timecode": timecode(found, event.start),
        "channel": event.channel,
        "confidence": event.confidence,
        "note": event.note,
    }
