"""`roomtone announce`: a Prefect server is told that a cut was saved."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cli.common import OUT, print_json, settings_for
from core.run import Wanted


def command(
    cut: Annotated[Path, typer.Argument(metavar="CUT", help="The cut that was saved.")],
    media: Annotated[
        list[Path] | None, typer.Option(help="Folder that holds media; may be given again.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the delivery.")] = None,
    recipe: Annotated[str | None, typer.Option(help="Recipe, by name.")] = None,
    loudness: Annotated[str | None, typer.Option(help="Delivery spec, by name.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Tell the Prefect server of PREFECT_API_URL that a CUT was saved: its workers clean it.

    Paths must be the same on the machines that work; what is not given, their settings say.
    """
    from flows.announce import SAVED, announce
    from flows.jobs import CUT, kind_named, settings_of_run
    from flows.runs import absolute

    given = {"recipe": recipe, "loudness": loudness}
    own = {name: value for name, value in given.items() if value is not None}
    checked = Wanted((cut,), tuple(media or ()), out or Path(), own)
    settings_of_run(settings_for(), checked)
    kind_named(CUT).check(checked)
    announce(absolute(Wanted((cut,), checked.media, out, own)))
    if as_json:
        print_json({"event": SAVED, "cut": cut.absolute()})
    else:
        OUT.print(f"Told the Prefect server that {escape(str(cut))} was saved.")
