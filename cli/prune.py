"""`roomtone prune`: make room in the store."""

from __future__ import annotations

import getpass
import re
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from cli.common import OUT, print_json, settings_for, sure
from core.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from flows.prune import Plan

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)B?", re.IGNORECASE)
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def command(
    quota: Annotated[
        str, typer.Option(help="What the store may keep (500GB): only as much goes as is needed.")
    ] = "",
    cache: Annotated[
        bool, typer.Option("--cache", help="What of the cache is older than a day, too.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it, and do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would go, also at a terminal.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what is there as JSON.")] = False,
) -> None:
    """Remove cleaned takes that no cut, delivery or person's decision needs, nor are the newest.

    Without --yes it says what would go, and asks where there is somebody to ask. Exit code 7 where
    the quota can't be kept, because what is left is needed. Originals are never touched.
    """
    from flows.prune import plan_pruning, prune
    from flows.workspace import open_workspace

    most = _bytes(quota) if quota else None
    if yes and dry_run:
        raise UsageError("Say one of --yes and --dry-run.")
    with open_workspace(settings_for()) as work:
        plan = plan_pruning(work, most, cache=cache)
        if not as_json:
            _tell(plan)
        some = bool(plan.going or plan.cache)
        doing = some and not dry_run and sure(yes, "Remove them?", otherwise=False)
        removed = prune(work, plan, getpass.getuser()) if doing else 0
    if as_json:
        print_json(
            {
                "going": [vars(item) for item in plan.going],
                "kept": [vars(item) for item in plan.takes if item not in plan.going],
                "cache": plan.cache,
                "bytes": plan.bytes,
                "left": plan.left,
                "removed": removed,
            }
        )
    elif doing:
        OUT.print(f"{removed} files removed.")
    elif some:
        OUT.print("Nothing was changed; --yes removes them.")
    if most is not None and plan.left > most:
        if not as_json:
            OUT.print(
                f"[red]{plan.left / 1e9:.2f} GB are left, more than the quota:[/red] all of it is "
                "needed; --json says by what."
            )
        raise typer.Exit(ExitCode.CHECK)


def _tell(plan: Plan) -> None:
    for item in plan.going:
        when = f"{item.cleaned:%Y-%m-%d}"
        OUT.print(f"{escape(str(item.path))}: {item.bytes / 1e6:.1f} MB, cleaned {when}")
    if plan.cache:
        OUT.print(f"{len(plan.cache)} files of the cache: {plan.cache_bytes / 1e6:.1f} MB")
    OUT.print(
        f"{len(plan.going)} of {len(plan.takes)} cleaned takes are not needed; "
        f"{plan.bytes / 1e6:.1f} MB would be freed."
    )


def _bytes(text: str) -> int:
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"--quota {text!r} is no size; write 500GB, 1.5TB or a number of bytes.")
    return int(float(found[1]) * _UNITS[found[2].upper()])
