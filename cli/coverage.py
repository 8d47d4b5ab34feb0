"""`roomtone coverage`: which takes say which lines of a script."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

from cli.common import OUT, print_json, settings_for
from cli.progress import shown
from core.errors import UsageError
from core.words import counted

if TYPE_CHECKING:
    from core.readings import Reading
    from flows.script_coverage import Coverage


class ShowByDefault(TyperGroup):
    """A group whose first command needs no name: `coverage SCRIPT` is `coverage show SCRIPT`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command's name in where a script or an option stands first."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["show", *args]
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The group's help, and below it that of the command that needs no name."""
        super().format_help(ctx, formatter)
        first = self.commands["show"]
        inner = first.make_context("show", [], parent=ctx, resilient_parsing=True)
        first.format_help(inner, formatter)


app = typer.Typer(
    cls=ShowByDefault,
    no_args_is_help=True,
    help="Lay the takes against a script: `roomtone coverage SCRIPT` prints it, line by line.",
)

Script = Annotated[Path, typer.Argument(help="Final Draft (.fdx) or Fountain file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]
Project = Annotated[str, typer.Option(help="Only takes of this production.")]


@app.command("show")
def show(
    script: Script,
    out: Annotated[
        Path | None, typer.Option(help="Write the lined script to this file (HTML).")
    ] = None,
    project: Project = "",
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, only the lines.")] = False,
) -> None:
    """Print every line of a SCRIPT with its takes, and write the lined script."""
    from flows.coverage_page import write_page
    from flows.script_coverage import cover
    from flows.workspace import open_workspace

    with shown(quiet or as_json) as progress, open_workspace(settings_for()) as work:
        found = cover(work, script, project, progress)
        if out is not None:
            write_page(found, out)
    if as_json:
        print_json(_as_json(found, out))
        return
    _tell(found)
    if out is not None:
        OUT.print(f"Lined script: {out}", markup=False)


@app.command("mark")
def mark(
    script: Script,
    line: Annotated[int, typer.Option(help="Number of the line, as coverage prints it.")],
    take: Annotated[str, typer.Option(help="A take: 12A-T03, 12A-3 or the file's name.")],
    state: Annotated[
        str, typer.Option(help="as written, changed, partial, repeated or omitted.")
    ] = "as written",
    note: Annotated[str, typer.Option(help="Why; kept with the mark.")] = "",
    clear: Annotated[bool, typer.Option("--clear", help="Take the mark back.")] = False,
) -> None:
    """Decide what a line is in a take; no later alignment changes it."""
    from core.readings import State
    from flows.script_coverage import Decision, mark_line
    from flows.workspace import open_workspace

    known = {one.value: one for one in State if one is not State.AD_LIB}
    if state not in known:
        raise UsageError(f"{state!r} is no state; say one of {', '.join(known)}.")
    decision = Decision(line, take, known[state], note=note)
    with open_workspace(settings_for()) as work:
        OUT.print(mark_line(work, script, decision, getpass.getuser(), clear), markup=False)


@app.command("alternates")
def alternates(
    script: Script,
    line: Annotated[int, typer.Option(help="Number of the line, as coverage prints it.")],
    out: Annotated[
        Path | None, typer.Option(help="Write the readings to this timeline (.otio).")
    ] = None,
    handles: Annotated[
        float, typer.Option(min=0, max=60, help="Seconds before and after each reading.")
    ] = 1.0,
    project: Project = "",
    as_json: AsJson = False,
) -> None:
    """Print every reading of a line, and write them as a timeline to pull from."""
    from fractions import Fraction

    from flows import alternates as flow
    from flows.script_coverage import cover, line_numbered
    from flows.workspace import open_workspace

    if out is not None and out.suffix.lower() != ".otio":
        raise UsageError(f"{out} is no name for the timeline; end it in .otio.")
    with shown(as_json) as progress, open_workspace(settings_for()) as work:
        found = cover(work, script, project, progress)
        said = line_numbered(script, found.lines, line)
        readings = flow.alternates(found, line)
        if out is not None:
            flow.write_alternates(work, found, line, out, Fraction(str(handles)))
    if as_json:
        print_json(
            {
                "line": said.number,
                "character": said.character,
                "text": said.text,
                "readings": [_told(found, reading) for reading in readings],
                "timeline": None if out is None else str(out),
            }
        )
        return
    OUT.print(f"{said.number}  {said.character}: {said.text}", markup=False)
    if not readings:
        OUT.print("No take says it.")
    for reading in readings:
        _tell_reading(found, reading)
    if out is not None:
        OUT.print(f"Timeline: {out}", markup=False)


def _tell(found: Coverage) -> None:
    from core.readings import State
    from flows.coverage_page import told_summary

    beside: dict[int, list[Reading]] = {}
    for reading in found.readings:
        if reading.state is State.AD_LIB:
            beside.setdefault(reading.line, []).append(reading)
    for warning in found.script.warnings:
        OUT.print(f"Note: {warning}", markup=False)
    heading = None
    _tell_ad_libs(found, beside.get(0, []))
    for line in found.lines:
        if (line.scene, line.heading) != heading:
            heading = (line.scene, line.heading)
            OUT.print(f"[bold]{escape(' '.join(heading).strip() or 'No scene')}[/bold]")
        OUT.print(f"  {line.number:>4}  [cyan]{escape(line.character)}[/cyan]  {escape(line.text)}")
        said = found.said(line.number)
        if not said:
            OUT.print("        [red]no take[/red]")
        for reading in said:
            _tell_reading(found, reading)
        _tell_ad_libs(found, beside.get(line.number, []))
    for mark_lost in found.lost:
        OUT.print(
            f"Note: a mark by {mark_lost.by} is of a line that is no longer in the script: "
            f"{mark_lost.character}, {mark_lost.text!r}.",
            markup=False,
        )
    counts = ", ".join(f"{count} {name}" for name, count in told_summary(found))
    lines, takes = counted(len(found.lines), "line"), counted(len(found.takes), "take")
    OUT.print(f"{lines}, {takes}: {counts}.", markup=False)
    if found.draft:
        OUT.print(
            "Some takes are drafts by a stand-in: states with (draft) are estimates, and a changed "
            "line may pass for one as written, until a real engine has heard them.",
            style="yellow",
        )


def _tell_reading(found: Coverage, reading: Reading) -> None:
    from core.readings import State
    from flows.script_coverage import source_timecode

    take = found.take(reading.take)
    name = f"({take.name})" if take.circled else take.name
    place = source_timecode(take, reading.start) if reading.end > reading.start else ""
    by = f"  marked by {reading.by}" if reading.by else ""
    sure = reading.state is State.AS_WRITTEN and not found.unsure(reading)
    heard = "" if sure or not reading.text else f"  “{reading.text}”"
    draft = " (draft)" if found.unsure(reading) else ""
    OUT.print(
        f"        {name:<12} {place:<12} {reading.state.value}{draft}{by}{heard}", markup=False
    )


def _tell_ad_libs(found: Coverage, readings: list[Reading]) -> None:
    from flows.script_coverage import source_timecode

    for reading in readings:
        take = found.take(reading.take)
        OUT.print(
            f"        {take.name:<12} {source_timecode(take, reading.start):<12} ad-lib  "
            f"{reading.speaker or '?'}: “{reading.text}”",
            markup=False,
            style="dim",
        )


def _told(found: Coverage, reading: Reading) -> dict[str, Any]:
    from flows.script_coverage import source_timecode

    take = found.take(reading.take)
    return {
        "take": take.name,
        "file": None if take.path is None else str(take.path),
        "essence": take.essence,
        "circled": take.circled,
        "state": reading.state.value,
        "unsure": found.unsure(reading),
        "start": reading.start,
        "end": reading.end,
        "timecode": source_timecode(take, reading.start),
        "timecode_out": source_timecode(take, reading.end),
        "sample_rate": take.sample_rate,
        "score": reading.score,
        "speaker": reading.speaker,
        "text": reading.text,
        "marked_by": reading.by,
        "note": reading.note,
    }


def _as_json(found: Coverage, out: Path | None) -> dict[str, Any]:
    from flows.coverage_page import summary

    return {
        "script": str(found.path),
        "title": found.script.title,
        "page": None if out is None else str(out),
        "draft": found.draft,
        "counts": dict(summary(found)),
        "warnings": list(found.script.warnings),
        "lines": [
            {
                "number": line.number,
                "key": line.key,
                "scene": line.scene,
                "heading": line.heading,
                "character": line.character,
                "text": line.text,
                "state": found.state(line.number).value,
                "readings": [
                    _told(found, reading)
                    for reading in found.readings
                    if reading.line == line.number and reading.state.value != "ad-lib"
                ],
            }
            for line in found.lines
        ],
        "ad_libs": [
            {"after_line": reading.line, **_told(found, reading)}
            for reading in found.readings
            if reading.state.value == "ad-lib"
        ],
    }
