"""`roomtone repair`: put right what a check finds wrong, as far as it can be made again."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from cli.common import OUT, print_json, settings_for, sure
from cli.progress import shown
from core.errors import ExitCode

if TYPE_CHECKING:
    from flows.repair import Plan


def command(
    quick: Annotated[
        bool, typer.Option("--quick", help="Look at names and sizes only, do not read every byte.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Check, and put right what can be: exit code 7 where something is left to do.

    Cleaned takes are made again from originals with the same bytes. A file with wrong bytes is set
    aside, not deleted; originals are never touched. Rows that no file tells of can only come from
    a backup: these are listed.
    """
    from flows.check import check
    from flows.repair import plan_repair, repair
    from flows.workspace import open_workspace

    settings = settings_for()
    with shown(as_json) as progress:
        report = check(settings, progress, read=not quick, originals=False)
        if not report.findings:
            _nothing(as_json)
            return
        with open_workspace(settings) as work:
            plan = plan_repair(work, report)
            if not as_json:
                _tell(plan)
            if dry_run or not plan.steps or not sure(yes, "Do this?"):
                failed: tuple[str, ...] = ()
                done = False
            else:
                failed, done = repair(work, plan, progress, getpass.getuser()), True
    if as_json:
        steps = [{"do": step.do, "path": step.path, "said": step.said} for step in plan.steps]
        left = [asdict(item) for item in plan.left]
        advice = list(plan.advice)
        print_json(
            {"steps": steps, "left": left, "advice": advice, "failed": failed, "repaired": done}
        )
    else:
        for sentence in failed:
            OUT.print(f"[red]{escape(sentence)}[/red]")
        if done:
            OUT.print(f"{len(plan.steps) - len(failed)} of {len(plan.steps)} steps done.")
    if plan.left or plan.advice or failed or not done:
        raise typer.Exit(ExitCode.CHECK)


def _nothing(as_json: bool) -> None:
    if as_json:
        print_json({"steps": [], "left": [], "advice": [], "failed": [], "repaired": False})
    else:
        OUT.print("All is in order; there is nothing to repair.")


def _tell(plan: Plan) -> None:
    for step in plan.steps:
        OUT.print(f"{escape(str(step.path))}: {escape(step.said)}.")
    for item in plan.left:
        OUT.print(f"[red]Can't be made again:[/red] {escape(str(item))}")
    for sentence in plan.advice:
        OUT.print(f"[yellow]Note:[/yellow] {escape(sentence)}")
