"""`roomtone config show`: what is in force, and where it comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.common import OUT, print_json
from config.settings import load_settings

app = typer.Typer(help="Settings.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Settings."""


@app.command("show")
def show(
    as_json: Annotated[bool, typer.Option("--json", help="Print the settings as JSON.")] = False,
) -> None:
    """Print every setting in force and where its value comes from."""
    _, origins = load_settings({}, Path.cwd())
    if as_json:
        print_json({o.name: {"value": o.value, "source": o.source} for o in origins})
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("setting", "value", "from", "meaning"):
        table.add_column(heading, overflow="fold")
    for origin in origins:
        value = origin.value
        text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        table.add_row(origin.name, text, origin.source, origin.description)
    OUT.print(table)
