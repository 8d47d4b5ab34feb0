"""`roomtone privacy`: what may not be kept of a production."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from cli.common import OUT, print_json, settings_for
from core.errors import UsageError
from core.privacy import Mark

if TYPE_CHECKING:
    from flows.workspace import Workspace


def command(
    production: Annotated[
        str | None, typer.Argument(help="Name of the production, as in the sound files' notes.")
    ] = None,
    transcription: Annotated[
        bool | None,
        typer.Option(
            "--transcription/--no-transcription", help="Allow or forbid to write down words."
        ),
    ] = None,
    voice_profile: Annotated[
        bool | None,
        typer.Option(
            "--voice-profile/--no-voice-profile", help="Allow or forbid to tell people by voice."
        ),
    ] = None,
    purge: Annotated[
        bool, typer.Option("--purge", help="Also remove what is there against the marks.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the marks as JSON.")] = False,
) -> None:
    """Show what is forbidden, or forbid and allow it for a PRODUCTION.

    The settings `no_transcription` and `no_voice_profile` forbid it for all productions.
    """
    from db.privacy import marks, same_project
    from flows.privacy import Marking, mark_production
    from flows.workspace import open_workspace

    settings = settings_for()
    asked = ((Mark.NO_TRANSCRIPTION, transcription), (Mark.NO_VOICE_PROFILE, voice_profile))
    changes = any(allow is not None for _, allow in asked)
    if (changes or purge) and not (production or "").strip():
        raise UsageError("Name the production to mark; roomtone privacy without one lists them.")
    told: tuple[str, ...] = ()
    with open_workspace(settings) as work:
        if production is not None and changes:
            marking = Marking(
                production.strip(),
                set=tuple(mark for mark, allow in asked if allow is False),
                lifted=tuple(mark for mark, allow in asked if allow),
            )
            told = mark_production(work, marking, getpass.getuser())
        if production is not None and (changes or purge):
            told += _removed(work, production.strip(), purge, as_json)
        with work.database.read() as session:
            found = [
                item
                for item in marks(session)
                if production is None or same_project(item.project) == same_project(production)
            ]
    always = [
        mark
        for mark, forbidden in (
            (Mark.NO_TRANSCRIPTION, settings.no_transcription),
            (Mark.NO_VOICE_PROFILE, settings.no_voice_profile),
        )
        if forbidden
    ]
    if as_json:
        print_json(
            {
                "settings": [mark.value for mark in always],
                "marks": [
                    {
                        "production": item.project,
                        "mark": item.mark.value,
                        "by": item.by,
                        "since": item.since.isoformat(),
                    }
                    for item in found
                ],
                "told": told,
            }
        )
        return
    for sentence in told:
        OUT.print(sentence, markup=False)
    for mark in always:
        OUT.print(f"All productions: {mark} (settings)")
    for item in found:
        since = item.since.astimezone().strftime("%Y-%m-%d %H:%M")
        OUT.print(
            f"[bold]{escape(item.project)}[/bold]: {item.mark} (by {escape(item.by)}, {since})"
        )
    if not found and not always:
        OUT.print("Nothing is forbidden.")


def _removed(work: Workspace, production: str, purge: bool, as_json: bool) -> tuple[str, ...]:
    """Remove what was heard against the marks, if the person wants it; a sentence."""
    from db.privacy import marks, same_project
    from flows import forget

    with work.database.read() as session:
        here = [
            item.mark
            for item in marks(session)
            if same_project(item.project) == same_project(production)
        ]
    lines = forget.kept_of(work, production, here)
    if not purge and not lines:
        return ()
    there = f"{lines} line{'s' * (lines != 1)} heard in {production} before"
    if not purge and not as_json and sys.stdin.isatty():
        purge = typer.confirm(f"Remove {there}? It can't be undone.", default=False)
    if not purge:
        return (f"{there} stay until the next run; --purge removes them now.",)
    forget.purge(work, production, here, getpass.getuser())
    return (f"{there} were removed.",)
