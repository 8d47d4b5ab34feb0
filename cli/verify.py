"""`roomtone verify`: whether files are still what the record says."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cli.common import OUT, print_json, settings_for
from core.errors import ExitCode


def command(
    files: Annotated[list[Path], typer.Argument(help="Files that roomtone read or made.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Say of each FILE whether it is what the record says; exit code 7 where one is not.

    A file is known by its content, wherever it lies and whatever its name: from the database, or
    from the delivery.json beside it. Content credentials (C2PA) in it are read as well, and count
    where they don't hold. Nothing is changed and no network is used.
    """
    from flows.verify import Verdict, verify

    found = []
    for item in verify(settings_for(), files):
        found.append(item)
        if not as_json:
            known = {Verdict.UNCHANGED: "green", Verdict.HEADER: "yellow"}.get(item.verdict, "red")
            style = "red" if item.signed is False else known
            OUT.print(f"{escape(str(item.path))}: [{style}]{escape(item.said)}[/{style}]")
    if as_json:
        print_json([asdict(item) for item in found])
    if not all(item.holds for item in found):
        raise typer.Exit(ExitCode.CHECK)
