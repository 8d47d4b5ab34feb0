"""`roomtone demo`: a small production, made, cleaned and searched."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.common import OUT


def command(
    folder: Annotated[
        Path, typer.Argument(help="Where to put the production and what becomes of it.")
    ] = Path("roomtone-demo"),
    direct: Annotated[bool, typer.Option("--direct", help="Run without Prefect.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Build a small film production with synthetic voices, clean its cut, and find a line."""
    from cli import clean, search
    from flows.demo import build_production
    from flows.demo_script import load_production

    phrase = load_production().search_for
    production = build_production(folder / "production")
    OUT.print(f"A small production with synthetic voices is in {production}.", markup=False)
    clean.command(
        inputs=[production / "cuts" / "demo_v1.otio"],
        media=[production / "sound"],
        out=folder / "delivery",
        loudness="r128",
        stand_in=True,
        direct=direct,
        quiet=quiet,
    )
    OUT.print(f'\n$ roomtone search "{phrase}"', markup=False)
    search.command(query=[phrase])
    OUT.print(f"\nStems:  {folder / 'delivery' / 'stems'}", markup=False)
    OUT.print(f"Report: {folder / 'delivery' / 'report.html'}", markup=False)
