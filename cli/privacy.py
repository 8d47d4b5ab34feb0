"""`roomtone privacy`: what may be done with the words and voices of a production or a speaker."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from cli.common import OUT, print_json, settings_for
from core.errors import UsageError
from core.privacy import Consent, Mark

if TYPE_CHECKING:
    from flows.privacy import Marking
    from flows.workspace import Workspace


def command(
    production: Annotated[
        str | None, typer.Argument(help="Name of the production, as in the sound files' notes.")
    ] = None,
    speaker: Annotated[
        str, typer.Option(help="Only this person of the production, as lines shows the name.")
    ] = "",
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
    export: Annotated[
        bool | None,
        typer.Option(
            "--export/--no-export", help="Allow or forbid that words and sound leave the home."
        ),
    ] = None,
    note: Annotated[str, typer.Option(help="What it rests on, such as a contract.")] = "",
    by: Annotated[str, typer.Option(help="Who says so; else who runs this.")] = "",
    history: Annotated[
        bool, typer.Option("--history", help="Show also what was in force before.")
    ] = False,
    purge: Annotated[
        bool, typer.Option("--purge", help="Also remove what is there against the marks.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the marks as JSON.")] = False,
) -> None:
    """Show what is forbidden and allowed, or say so for a PRODUCTION or a speaker of it.

    The settings `no_transcription`, `no_voice_profile` and `no_export` forbid it for all. What is
    forbidden for a production is so for everybody in it, whatever is noted for one person.
    """
    from db.privacy import consents
    from flows.privacy import Marking, mark_production, own_privacy
    from flows.workspace import open_workspace

    settings = settings_for()
    asked = (
        (Mark.NO_TRANSCRIPTION, transcription),
        (Mark.NO_VOICE_PROFILE, voice_profile),
        (Mark.NO_EXPORT, export),
    )
    changes = any(allow is not None for _, allow in asked)
    named = (production or "").strip()
    if (changes or purge or speaker) and not named:
        raise UsageError("Name the production to mark; roomtone privacy without one lists them.")
    if (note or by) and not changes:
        raise UsageError("--note and --by go with what is allowed or forbidden.")
    marking = Marking(
        named,
        set=tuple(mark for mark, allow in asked if allow is False),
        lifted=tuple(mark for mark, allow in asked if allow),
        speaker=speaker.strip(),
        note=note.strip(),
    )
    told: tuple[str, ...] = ()
    with open_workspace(settings) as work:
        if changes:
            told = mark_production(work, marking, by.strip() or getpass.getuser())
        if changes or purge:
            told += _removed(work, marking, purge, as_json)
        with work.database.read() as session:
            found = consents(session, [named] if named else None, history=history)
        always = own_privacy(work).marks
    if speaker:
        found = tuple(item for item in found if _is_about(item, marking))
    if as_json:
        print_json(
            {
                "settings": [mark.value for mark in always],
                "marks": [_described(item) for item in found],
                "told": told,
            }
        )
        return
    for sentence in told:
        OUT.print(sentence, markup=False)
    for mark in always:
        OUT.print(f"All productions: {mark} (settings)")
    _show(found)
    if not found and not always:
        OUT.print("Nothing is forbidden.")


def _show(found: Iterable[Consent]) -> None:
    for item in found:
        since = item.since.astimezone().strftime("%Y-%m-%d %H:%M")
        whose = f", {escape(item.speaker)}" if item.speaker else ""
        note = f"; {escape(item.note)}" if item.note else ""
        ended = ""
        if item.ended is not None:
            until = item.ended.astimezone().strftime("%Y-%m-%d %H:%M")
            ended = f" [dim]until {until} (by {escape(item.ended_by or 'roomtone')})[/dim]"
        says = f"{item.mark.subject} allowed" if item.allowed else item.mark.value
        OUT.print(
            f"[bold]{escape(item.project)}[/bold]{whose}: {says} (by {escape(item.by)}, "
            f"{since}{note}){ended}"
        )


def _described(item: Consent) -> dict[str, Any]:
    return {
        "production": item.project,
        "speaker": item.speaker,
        "mark": item.mark.value,
        "allowed": item.allowed,
        "by": item.by,
        "since": item.since.isoformat(),
        "note": item.note,
        "until": None if item.ended is None else item.ended.isoformat(),
        "ended_by": item.ended_by,
    }


def _is_about(item: Consent, marking: Marking) -> bool:
    from db.privacy import same_project

    return same_project(item.speaker) in ("", same_project(marking.speaker))


def _removed(work: Workspace, marking: Marking, purge: bool, as_json: bool) -> tuple[str, ...]:
    """Remove what was heard against the marks, if the person wants it; a sentence."""
    from db.privacy import consents, same_project
    from flows import forget

    production, speaker = marking.project, marking.speaker
    with work.database.read() as session:
        here = [
            item.mark
            for item in consents(session, [production])
            if not item.allowed and same_project(item.speaker) == same_project(speaker)
        ]
    lines = forget.kept_of(work, production, here, speaker)
    if not purge and not lines:
        return ()
    of = f" of {speaker}" if speaker else ""
    there = f"{lines} line{'s' * (lines != 1)}{of} heard in {production} before"
    if not purge and not as_json and sys.stdin.isatty():
        purge = typer.confirm(f"Remove {there}? It can't be undone.", default=False)
    if not purge:
        return (f"{there} stay until the next run; --purge removes them now.",)
    if speaker:
        forget.purge_speaker(work, production, here, getpass.getuser(), speaker)
    else:
        forget.purge(work, production, here, getpass.getuser())
    return (f"{there} were removed.",)
