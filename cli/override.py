"""`roomtone override`: decisions for clips of a cut that every later version obeys."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from cli.common import OUT, print_json, settings_for
from cli.progress import shown
from config.recipes import load_recipe
from core.errors import UsageError


def command(
    cut: Annotated[Path, typer.Argument(help="The cut in which the clips are named.")],
    events: Annotated[list[str], typer.Argument(help="Clips, as the report names them (A1/003).")],
    media: Annotated[
        list[Path] | None, typer.Option(help="Folder that holds media; may be given again.")
    ] = None,
    recipe: Annotated[str | None, typer.Option(help="Clean these with another recipe.")] = None,
    amount: Annotated[
        float | None, typer.Option(min=0, max=120, help="Attenuate at most so many dB.")
    ] = None,
    bypass: Annotated[bool, typer.Option("--bypass", help="Leave these as they were.")] = False,
    lock: Annotated[
        bool, typer.Option("--lock", help="Keep the cleaned sound that these have now.")
    ] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Take decisions back.")] = False,
    note: Annotated[str, typer.Option(help="Why; kept with the decision.")] = "",
    edl_rate: Annotated[str | None, typer.Option(help="Frame rate of an EDL.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was decided as JSON.")
    ] = False,
) -> None:
    """Decide how clips of a CUT are cleaned, whatever the recipe of the run.

    A decision belongs to the stretch of the take that the clip plays, so it survives every
    reconform. The next `roomtone clean` obeys it.
    """
    from core.override import Override
    from flows.overrides import decide
    from flows.workspace import open_workspace

    asked = [recipe is not None or amount is not None, bypass, lock, clear]
    if sum(asked) != 1:
        raise UsageError("Say one of --recipe and --amount, --bypass, --lock, or --clear.")
    if recipe is not None:
        load_recipe(recipe)
    settings = settings_for(media=tuple(media) if media else None, edl_rate=edl_rate)
    decision = Override(
        essence="",
        channels=(),
        start=0,
        end=0,
        recipe="bypass" if bypass else recipe or "",
        amount_db=amount,
        note=note,
        by=getpass.getuser(),
    )
    with shown(as_json) as progress, open_workspace(settings) as work:
        told = decide(
            work,
            cut,
            settings.media or (cut.parent.absolute(),),
            events,
            decision,
            lock=lock,
            clear=clear,
            progress=progress,
        )
    if as_json:
        print_json(list(told))
    else:
        for sentence in told:
            OUT.print(sentence, markup=False)
