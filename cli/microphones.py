"""`roomtone microphones`: how the microphones of a take lie, and which serves each line best."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from cli.common import OUT, print_json, settings_for
from cli.progress import shown
from core.errors import InputError
from core.time import clock

if TYPE_CHECKING:
    from flows.microphones import TakeMicrophones


def command(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Takes with several microphones.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, only the tables.")] = False,
) -> None:
    """Compare the microphones of takes: delay, polarity, noise, and the best for each line.

    Nothing is changed and nothing written.
    """
    from flows.microphones import check_microphones
    from flows.mono_sum import take_json
    from flows.workspace import open_workspace

    for path in files:
        if path.is_dir():
            raise InputError(f"{path} is a folder; name the sound files in it.")
        if not path.is_file():
            raise InputError(f"{path} does not exist; give the path of a sound file.")
    with shown(quiet or as_json) as progress, open_workspace(settings_for()) as work:
        found = check_microphones(work, files, progress)
    if as_json:
        told = [take_json(take) for take in found]
        print_json(told[0] if len(told) == 1 else told)
        return
    for take in found:
        _tell(take)


def _tell(take: TakeMicrophones) -> None:
    from flows.microphones import delay_text

    OUT.print(f"[bold]{escape(take.file)}[/bold]")
    if not take.microphones:
        OUT.print("  No channel is a microphone by its name.")
        return
    width = max(10, *(len(one.microphone.name) for one in take.microphones))
    OUT.print(
        f"  {'Microphone':{width}}  {'Delay':>30}  {'Polarity':8}  {'Noise':>10}  "
        f"{'Others':>8}  Lines",
        style="dim",
    )
    for one in take.microphones:
        found = one.alignment
        delay, polarity = "unknown", ""
        if take.reference in (None, one.microphone.channel):
            delay = "reference" if take.reference is not None else ""
        elif found is not None:
            delay = delay_text(found, take.sample_rate)
            polarity = "turned" if found.inverted else "same"
        bleed = "" if one.bleed_db is None else f"{one.bleed_db:.0f} dB"
        OUT.print(
            f"  {one.microphone.name:{width}}  {delay:>30}  {polarity:8}  "
            f"{one.noise_dbfs:5.1f} dBFS  {bleed:>8}  {one.proposed}",
            markup=False,
        )
    for line in take.lines:
        OUT.print(
            f"  {clock(line.start, take.sample_rate):>10}  {line.speaker or 'unknown':{width}}  "
            f"{take.name_of(line.channel)}, {line.reason}",
            markup=False,
        )
    for note in take.notes:
        OUT.print(f"  Note       {note}", markup=False)
