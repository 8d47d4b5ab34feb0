"""`roomtone retention`: how long what is learned of a production is kept."""

from __future__ import annotations

import getpass
from typing import Annotated, Any

import typer

from cli.common import OUT, print_json, settings_for
from core.errors import UsageError
from core.retention import Kept, Rule, age_words, days_asked

app = typer.Typer(help="How long transcripts, voices and takes of a production are kept.")
AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


@app.callback(invoke_without_command=True)
def list_command(context: typer.Context, as_json: AsJson = False) -> None:
    """List the rules."""
    if context.invoked_subcommand:
        return
    from flows.retention import rules_in_force
    from flows.workspace import open_workspace

    with open_workspace(settings_for()) as work:
        found = rules_in_force(work)
    if as_json:
        print_json([_described(rule) for rule in found])
        return
    for rule in found:
        since = rule.since.astimezone().strftime("%Y-%m-%d %H:%M")
        kept = f"{rule.project}: {rule.kept} are kept for {age_words(rule.days)}"
        OUT.print(f"{kept} (by {rule.by}, {since})", markup=False)
    if not found:
        OUT.print("Everything is kept until it is forgotten by hand.")


@app.command("set")
def set_command(
    production: Annotated[str, typer.Argument(help="Name of the production.")],
    transcripts: Annotated[
        str, typer.Option(help="Words, from when they were written down: 180d, 8w, 6m, 2y.")
    ] = "",
    voices: Annotated[str, typer.Option(help="Voiceprints, from when they were measured.")] = "",
    takes: Annotated[
        str,
        typer.Option(help="All that was heard in a take, and its cleaned sound, from first sight."),
    ] = "",
) -> None:
    """Set how long things are kept; `forever` takes a rule back. Originals are never touched."""
    from flows.retention import set_rules
    from flows.workspace import open_workspace

    given = {Kept.TRANSCRIPTS: transcripts, Kept.VOICES: voices, Kept.TAKES: takes}
    asked = {kept: days_asked(text) for kept, text in given.items() if text.strip()}
    if not production.strip() or not asked:
        raise UsageError("Say what is kept for how long: --transcripts, --voices or --takes.")
    with open_workspace(settings_for()) as work:
        told = set_rules(work, production.strip(), asked, getpass.getuser())
    for sentence in told or ("That is the rule already.",):
        OUT.print(sentence, markup=False)


@app.command("apply")
def apply_command(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_json: AsJson = False,
) -> None:
    """Forget what has expired, for good; every night does the same."""
    from db.codec import now
    from flows.retention import apply_retention, due
    from flows.workspace import open_workspace

    with open_workspace(settings_for()) as work:
        found = due(work, now())
        told = () if dry_run else apply_retention(work, now(), getpass.getuser())
    if as_json:
        print_json(
            [
                {
                    **_described(item.rule),
                    "takes": [name for name, _ in item.takes],
                    "lines": len(item.lines),
                    "voices": len(item.voices),
                    "forgotten": not dry_run,
                }
                for item in found
            ]
        )
        return
    for sentence in told or tuple(f"Would go: {item.words}." for item in found):
        OUT.print(sentence, markup=False)
    if not found:
        OUT.print("Nothing has expired.")


def _described(rule: Rule) -> dict[str, Any]:
    return {
        "production": rule.project,
        "kept": rule.kept.value,
        "days": rule.days,
        "by": rule.by,
        "since": rule.since.isoformat(timespec="seconds"),
    }
