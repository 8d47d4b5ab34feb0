"""`roomtone models`: which engines and weights are there, and how to get them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.common import ERR, OUT, print_json, settings_for
from core.errors import InputError
from models.known_weights import KNOWN
from models.weights import WeightsFolder

app = typer.Typer(help="Engines and their weights.", no_args_is_help=True)


def _folder() -> WeightsFolder:
    return WeightsFolder(settings_for().home / "weights")


@app.command("list")
def list_models(
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List the weights that are installed and those that can be fetched."""
    folder = _folder()
    installed = {item.name: item for item in folder.installed()}
    if as_json:
        print_json(
            {
                "folder": folder.root,
                "installed": [asdict(item) for item in installed.values()],
                "known": [asdict(item) for item in KNOWN.values()],
            }
        )
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "for", "installed", "size", "licence", "sha256"):
        table.add_column(heading)
    for name, known in KNOWN.items():
        here = installed.pop(name, None)
        table.add_row(
            name,
            known.kind,
            "yes" if here else "no",
            f"{known.size_mb} MB",
            known.licence,
            here.sha256[:12] if here else "",
        )
    for item in installed.values():
        table.add_row(
            item.name, item.kind, "yes", f"{item.size / 1e6:.0f} MB", "unknown", item.sha256[:12]
        )
    OUT.print(table)
    OUT.print(f"Weights lie in {folder.root}.", markup=False)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="A name from `roomtone models list`, or built in.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the card as JSON.")] = False,
) -> None:
    """Print a model's card: weights, licence, training data, limits, and our measurements."""
    from flows.model_cards import card_of, not_installed

    shown = card_of(name, _folder())
    model = shown.model
    if as_json:
        print_json(
            {
                **asdict(model),
                "disclosure": model.disclosure.words,
                "terms": shown.terms,
                "place": shown.place,
                "weights_sha256": shown.weights_sha256,
                "measured": [asdict(item) for item in shown.measured],
            }
        )
        return
    lines = [f"{model.title} {model.version}".strip(), f"  {'does':<13}{model.does}"]
    for label, value in (
        ("licence", f"{model.licence or 'not known'} ({shown.terms})"),
        ("trained on", f"{model.trained_on} ({model.disclosure.words})"),
        ("source", model.source),
        ("weights", str(shown.place or not_installed(shown))),
        ("sha256", shown.weights_sha256),
    ):
        if value:
            lines.append(f"  {label:<13}{value}")
    lines += [f"  {'limit':<13}{text}" for text in model.limits]
    for item in shown.measured:
        lines.append(f"  measured, docs/BENCHMARKS.md, {item.section}:")
        for row in item.rows:
            cells = [pair for pair in zip(item.heading, row, strict=True) if pair[1] != "-"]
            lines.append("    " + ", ".join(" ".join(pair) for pair in cells))
    for line in lines:
        OUT.print(line, markup=False)


@app.command("fetch")
def fetch(
    name: Annotated[str, typer.Argument(help="A name from `roomtone models list`.")],
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Fetch weights from their authors; goes on where a broken download stopped."""
    from rich.progress import DownloadColumn
    from rich.progress import Progress as Bars

    shown = ERR.is_terminal and not quiet
    with Bars(
        *Bars.get_default_columns(), DownloadColumn(), console=ERR, disable=not shown
    ) as bars:
        row = bars.add_task(f"Fetching {name}", total=None)
        path = _folder().fetch(
            name, lambda done, total: bars.update(row, completed=done, total=total or None)
        )
    OUT.print(f"{name} is in {path}.", markup=False)


@app.command("import")
def import_weights(
    source: Annotated[Path, typer.Argument(help="A folder of weights, or a Whisper .pt file.")],
) -> None:
    """Import weights by hand, for a machine with no network; their hashes are checked.

    A Whisper .pt comes in for openai-whisper, and converted for faster-whisper. A folder of
    pyannote's community-1 (with its config.yaml) comes in for telling speakers apart.
    """
    if not source.exists():
        raise InputError(f"{source} does not exist; give a folder of weights or a .pt file.")
    from models.speech.imports import import_weights as bring_in

    folder = _folder()
    for name in bring_in(folder, source, lambda said: OUT.print(said, markup=False)):
        OUT.print(f"Imported {name} into {folder.root / name}.", markup=False)
