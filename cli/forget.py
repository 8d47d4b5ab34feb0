"""`roomtone forget`: a speaker, or all that was heard in a take."""

from __future__ import annotations

import getpass
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common import OUT, print_json, settings_for
from core.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from flows.forget import Asked, Done, Plan
    from flows.workspace import Workspace


def command(
    speaker: Annotated[str, typer.Option(help="Name of the speaker, as lines shows it.")] = "",
    project: Annotated[
        str | None, typer.Option(help="The speaker's production, where several have the name.")
    ] = None,
    take: Annotated[str, typer.Option(help="A take: 12A-T03, 12A-3 or the file's name.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    again: Annotated[
        bool, typer.Option("--allow-again", help="Let what was forgotten be learned again.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Forget a speaker, or all that was heard in a take, for good.

    Lines, words, voices and cached turns go from the database and the home, and the next run does
    not learn them again. Of a take the cleaned sound goes as well. Originals are never touched;
    delivered files that still hold the person are listed. Then what went is looked for by content
    in every row and file of the home, and the proof is printed; ends with code 7 where it fails.
    """
    from flows.forget import Asked, forget, plan_forgetting
    from flows.proof import needles_for, prove
    from flows.workspace import open_workspace

    if bool(speaker.strip()) == bool(take.strip()):
        raise UsageError("Say one of --speaker and --take.")
    if project is not None and take:
        raise UsageError("--project goes with --speaker.")
    asked = Asked(speaker.strip(), project, take.strip())
    with open_workspace(settings_for()) as work:
        if again:
            _allow(work, asked, as_json)
            return
        plan = plan_forgetting(work, asked)
        if not as_json:
            _tell_plan(plan)
        elif dry_run:
            print_json(_summary(plan))
        if dry_run or not _sure(yes):
            return
        needles = needles_for(work, plan)
        done = forget(work, plan, getpass.getuser())
        proof = prove(work, plan, needles)
    if as_json:
        told = {"forgotten": True, "removed": done.removed, "proof": asdict(proof)}
        print_json({**_summary(plan), **told})
    else:
        _tell_done(done)
        OUT.print(proof.words, markup=False)
    if not proof.holds:
        raise typer.Exit(ExitCode.CHECK)


def _allow(work: Workspace, asked: Asked, as_json: bool) -> None:
    from flows.forget import allow_again

    count = allow_again(work, asked, getpass.getuser())
    if as_json:
        print_json({"allowed_again": count})
    else:
        OUT.print(f"Allowed again; the next run hears {count} take{'s' * (count != 1)} anew.")


def _sure(yes: bool) -> bool:
    """Whether the person wants it. Raises UsageError where nobody can be asked."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError("This can't be undone; say --yes to do it without being asked.")
    if typer.confirm("This can't be undone. Forget it?", default=False):
        return True
    OUT.print("Nothing was changed.")
    return False


def _summary(plan: Plan) -> dict[str, object]:
    return {
        "lines": plan.known.lines,
        "words": plan.known.words,
        "takes": [name for name, _ in plan.takes],
        "store": plan.store,
        "remains": [asdict(item) for item in plan.remains],
        "forgotten": False,
    }


def _tell_plan(plan: Plan) -> None:
    known = plan.known
    what = "heard in" if plan.asked.take else "spoken in"
    names = ", ".join(name for name, _ in plan.takes) or "no take"
    OUT.print(f"{known.lines} lines of {known.words} words, {what} {names}.", markup=False)
    if plan.store:
        OUT.print(f"{len(plan.store)} cleaned takes in the store.")
    if plan.remains:
        OUT.print(
            "These delivered files still hold it; remove them, or deliver them anew afterwards:"
        )
        for item in plan.remains:
            OUT.print(f"  {item.role:<8} {item.path}", markup=False)


def _tell_done(done: Done) -> None:
    OUT.print(
        f"Forgotten: {done.lines} lines of {done.words} words, {done.store} cleaned takes; "
        f"{done.removed} files of the cache, the log and the like were removed."
    )
    OUT.print(
        "Originals were not touched: names in their recorder's notes stay, and so do copies and "
        "backups that were made outside of roomtone's home."
    )
