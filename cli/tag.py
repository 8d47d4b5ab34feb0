"""`roomtone tag`: words that takes are found by."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli.common import OUT, print_json, settings_for
from core.errors import UsageError
from core.words import counted

# A tag that is taken off looks like an option that there is not.
SETTINGS: dict[str, Any] = {"ignore_unknown_options": True}


def command(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TAKE]... [+TAG]... [-TAG]...",
            help="Takes (12A-T03, 12A-3, a file), tags to put on them and to take off.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the tags as JSON.")] = False,
) -> None:
    """Put tags on takes with a plus before each, and take them off with a minus.

    Without tags those of the takes are printed; without takes all tags that there are.
    """
    from flows.tags import named, tag_takes, tagged, tags_known
    from flows.workspace import open_workspace

    said = words or []
    strange = [word for word in said if word.startswith("--")]
    if strange:
        raise UsageError(f"There is no option {strange[0]}; a tag is taken off by one minus.")
    takes = [word for word in said if word[:1] not in ("+", "-")]
    on = [word[1:] for word in said if word.startswith("+")]
    off = [word[1:] for word in said if word.startswith("-")]
    if (on or off) and not takes:
        raise UsageError("Name the takes to tag: roomtone tag 12A-T03 +good.")
    with open_workspace(settings_for()) as work:
        if not takes:
            _tell_all(tags_known(work), as_json)
            return
        essences = named(work, takes)
        if on or off:
            found = tag_takes(work, essences, on, off, getpass.getuser())
        else:
            found = tagged(work, essences)
    if as_json:
        print_json([asdict(item) for item in found])
        return
    for item in found:
        tags = ", ".join(item.tags)
        OUT.print(f"[bold]{escape(item.name)}[/bold]  {escape(tags) or '[dim]no tags[/dim]'}")


def _tell_all(counts: dict[str, int], as_json: bool) -> None:
    """All tags with the number of their takes."""
    if as_json:
        print_json(counts)
        return
    if not counts:
        OUT.print("No take has a tag yet: roomtone tag 12A-T03 +good.")
    for tag, takes in counts.items():
        OUT.print(f"[bold]{escape(tag)}[/bold]  {counted(takes, 'take')}")
