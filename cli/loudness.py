"""`roomtone loudness`: how loud sound files are, and whether they meet a delivery specification."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from cli.common import OUT, print_json
from cli.progress import shown
from config.deliveries import DeliverySpec, load_delivery
from core.errors import ExitCode

if TYPE_CHECKING:
    from flows.loudness import Measured, Verdict

SPEECH_NOTE = (
    "speech: a speech-gated estimate over what voice activity takes for speech; platforms measure "
    "dialogue with a detector of their own."
)


def command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Sound files.")],
    loudness: Annotated[
        str | None,
        typer.Option(help="Delivery spec to hold them against: r128, atsc-a85 or netflix."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw loudness over time: a .png, .svg or .html file."),
    ] = None,
    speech: Annotated[
        bool, typer.Option("--speech/--no-speech", help="Make the speech-gated estimate.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no table.")] = False,
) -> None:
    """Measure the loudness and true peak of FILEs; exit code 7 where one misses the spec."""
    from flows.loudness import judge, measure_files
    from flows.loudness_plot import check_ending, plot_loudness

    spec = load_delivery(loudness) if loudness else None
    if plot is not None:
        check_ending(plot)
    with shown(quiet or as_json) as progress:
        measured = measure_files(files, progress, speech=speech)
    verdicts = [judge(item, spec) for item in measured] if spec is not None else []
    if plot is not None:
        plot_loudness(measured, spec, plot)
    if as_json:
        print_json([_plain(item, verdicts, number) for number, item in enumerate(measured)])
    elif not quiet:
        _tell(measured, verdicts, spec, plot)
    if not all(verdict.passes for verdict in verdicts):
        raise typer.Exit(ExitCode.CHECK)


def _plain(item: Measured, verdicts: list[Verdict], number: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "file": item.path,
        "channel": item.channel,
        "sample_rate": item.sample_rate,
        "channels": item.channels,
        "frames": item.frames,
        "integrated_lufs": item.integrated,
        "range_lu": item.loudness_range,
        "max_short_term_lufs": item.max_short_term,
        "max_momentary_lufs": item.max_momentary,
        "true_peak_dbtp": item.true_peak,
    }
    if item.speech is not None:
        found["speech_gated_estimate_lufs"] = item.speech.lufs
        found["speech_share"] = item.speech.share
    if verdicts:
        verdict = verdicts[number]
        found["verdict"] = {
            "measure": verdict.measure,
            "off_lu": verdict.off_lu,
            "passes": verdict.passes,
            "said": verdict.said,
        }
    return found


def _tell(
    measured: tuple[Measured, ...],
    verdicts: list[Verdict],
    spec: DeliverySpec | None,
    plot: Path | None,
) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("file", overflow="fold", min_width=12)
    columns = ["integrated", "range", "max S", "max M", "true peak"]
    spoken = any(item.speech is not None for item in measured)
    if spoken:
        columns += ["speech", "of time"]
    units = {"range": "LU", "true peak": "dBTP", "of time": "%"}
    for column in columns:
        heading = f"{column}\n{units.get(column, 'LUFS')}"
        table.add_column(heading, justify="right", no_wrap=True)
    if spec is not None:
        table.add_column(spec.name, overflow="fold", min_width=14)
    for number, item in enumerate(measured):
        cells = [escape(item.name), _number(item.integrated), f"{item.loudness_range:.1f}"]
        cells += [_number(item.max_short_term), _number(item.max_momentary)]
        cells.append(_number(item.true_peak))
        if item.speech is not None:
            cells += [_number(item.speech.lufs), f"{100 * item.speech.share:.0f}"]
        if verdicts:
            colour = "green" if verdicts[number].passes else "red"
            cells.append(f"[{colour}]{verdicts[number].said}[/{colour}]")
        table.add_row(*cells)
    OUT.print(table)
    OUT.print("max S: short-term (3 s); max M: momentary (400 ms).", style="dim", markup=False)
    if spec is not None:
        OUT.print(_asked(spec), style="dim", markup=False)
    if spoken:
        OUT.print(SPEECH_NOTE, style="dim", markup=False)
    if plot is not None:
        OUT.print(f"Drawn: {plot}", markup=False)


def _asked(spec: DeliverySpec) -> str:
    what = "dialogue" if spec.gate == "dialogue" else "programme"
    edition = ", ".join(part for part in (spec.edition, spec.date) if part)
    return (
        f"{spec.name}: {spec.integrated_lufs:g} ±{spec.tolerance_lu:g} LUFS of the {what}, at most "
        f"{spec.true_peak_dbtp:g} dBTP ({spec.source}; {edition})."
    )


def _number(value: float) -> str:
    return f"{value:.1f}" if math.isfinite(value) else "-inf"
