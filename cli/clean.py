"""`roomtone clean`: a cut or sound files, cleaned."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli.common import OUT, print_json, settings_for
from cli.progress import shown
from config.deliveries import load_delivery
from config.recipes import load_recipe
from config.settings import Settings
from core.errors import InputError, UsageError
from core.run import Wanted
from flows.progress import Progress


def command(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="CUT|AUDIO...",
            help="A cut (.otio, .aaf, .edl, .xml, .fcpxml, …) or sound files.",
        ),
    ],
    media: Annotated[
        list[Path] | None, typer.Option(help="Folder that holds media; may be given again.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the delivery (default: NAME_roomtone).")
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="gentle, standard, rescue, bypass, or a recipe file.")
    ] = None,
    loudness: Annotated[
        str | None, typer.Option(help="Delivery spec: r128, atsc-a85, netflix or none.")
    ] = None,
    edl_rate: Annotated[
        str | None, typer.Option(help="Frame rate of an EDL (default: as its media say).")
    ] = None,
    tracks: Annotated[
        str | None,
        typer.Option(help="Tracks that are dialogue, with commas (default: by role and name)."),
    ] = None,
    timelines: Annotated[
        str | None,
        typer.Option(help="Formats to write the cut back in: otio,aaf,edl,xml,rpp."),
    ] = None,
    transcripts: Annotated[
        str | None,
        typer.Option(help="Transcripts to deliver, formats as of export: srt,avid."),
    ] = None,
    stand_in: Annotated[
        bool, typer.Option("--stand-in", help="Clean with RNNoise where DeepFilterNet3 is missing.")
    ] = False,
    sidecar: Annotated[
        bool, typer.Option("--sidecar", help="Write a record (JSON) beside each stem.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Clean what roomtone cleaned before once more.")
    ] = False,
    direct: Annotated[bool, typer.Option("--direct", help="Run without Prefect.")] = False,
    queue: Annotated[
        bool, typer.Option("--queue", help="Let a worker do it (`roomtone work`, `serve`).")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no summary.")] = False,
) -> None:
    """Clean a CUT: read, relink, clean, transcribe, conform, normalise, write back.

    Or clean AUDIO files whole, each to a broadcast wave of the same name.
    """
    from adapters.timelines.read import FOLDERS, SUFFIXES
    from flows.jobs import CUT, SOUND

    given = {
        "recipe": recipe,
        "loudness": loudness,
        "edl_rate": edl_rate,
        "tracks": tracks,
        "timelines": timelines,
        "transcripts": transcripts,
        "allow_stand_in": True if stand_in else None,
        "clean_again": True if again else None,
        "sidecar": True if sidecar else None,
    }
    own = {name: value for name, value in given.items() if value is not None}
    settings = settings_for(media=tuple(media) if media else None, **own)
    load_recipe(settings.recipe)
    load_delivery(settings.loudness)
    for path in inputs:
        if path.is_dir() and path.suffix.lower() not in FOLDERS:
            raise InputError(f"{path} is a folder; name the cut or the sound files in it.")
        if not path.is_file() and path.suffix.lower() not in FOLDERS:
            raise InputError(f"{path} does not exist; give the path of a cut or of sound files.")
    cuts = [path for path in inputs if path.suffix.lower() in SUFFIXES]
    sounds = [path for path in inputs if path not in cuts]
    if cuts and sounds:
        raise UsageError("Give cuts or sound files, not both at once.")
    jobs = [(SOUND, Wanted(tuple(sounds), (), out or Path("roomtone-cleaned"), own))]
    if cuts:
        jobs = [
            (CUT, Wanted((cut,), tuple(media or ()), _folder(cut, cuts, out), own)) for cut in cuts
        ]
    if queue:
        _queue(settings, jobs, as_json, quiet)
        return
    outcomes: list[dict[str, Any]] = []
    with shown(quiet or as_json) as progress:
        for kind, wanted in jobs:
            outcomes += _done(settings, kind, wanted, direct, progress)
    if as_json:
        print_json(outcomes[0] if len(inputs) == 1 else outcomes)
    elif not quiet:
        for outcome in outcomes:
            (_tell_cut if cuts else _tell_sound)(outcome)


def _folder(cut: Path, cuts: list[Path], out: Path | None) -> Path:
    """Where the delivery of a cut goes."""
    if out is None:
        return Path(f"{cut.stem}_roomtone")
    return out / cut.stem if len(cuts) > 1 else out


def _queue(settings: Settings, jobs: list[tuple[str, Wanted]], as_json: bool, quiet: bool) -> None:
    """Ask for runs that workers do."""
    from flows.run_view import facts, title
    from flows.runs import ask_for_run
    from flows.workspace import open_workspace

    with open_workspace(settings) as work:
        runs = [ask_for_run(work, kind, wanted, getpass.getuser()) for kind, wanted in jobs]
    if as_json:
        print_json([facts(run) for run in runs])
    elif not quiet:
        for run in runs:
            OUT.print(f"Run [bold]{run.id}[/bold] waits for a worker: {escape(title(run))}")


def _done(
    settings: Settings, kind: str, wanted: Wanted, direct: bool, progress: Progress
) -> list[dict[str, Any]]:
    """Do a job here and now; its outcomes."""
    from flows.jobs import SOUND, told_of_cut, told_of_sounds
    from flows.own_run import as_run

    assert wanted.out is not None
    if kind == SOUND:
        do = partial(_clean_sounds, settings, wanted.inputs, wanted.out)
        told = partial(told_of_sounds, wanted.out)
        return as_run(settings, kind, wanted, progress, do, told)
    clean = partial(_clean_cut, settings, wanted.inputs[0], wanted.out, direct)
    return [as_run(settings, kind, wanted, progress, clean, told_of_cut)]


def _clean_cut(
    settings: Settings, cut: Path, out: Path, direct: bool, progress: Progress
) -> dict[str, Any]:
    from flows.clean_cut import clean_cut
    from flows.job import Job
    from flows.runner import InTurn
    from flows.spread import runner_for
    from flows.workspace import open_workspace

    job = Job(
        cut=cut,
        media=settings.media or (cut.parent.absolute(),),
        out=out,
        recipe=load_recipe(settings.recipe),
        spec=load_delivery(settings.loudness),
    )
    if direct:
        with open_workspace(settings) as work, runner_for(work) as spread:
            runner = spread if settings.scheduler else InTurn()
            return asdict(clean_cut(work, job, progress, runner))
    from flows.quiet import quiet_prefect

    quiet_prefect(settings.home)
    progress.step("Starting Prefect", 0)
    from flows.prefect_clean import run

    return asdict(run(job, settings, settings.recipe, progress))


def _clean_sounds(
    settings: Settings, sounds: Sequence[Path], out: Path, progress: Progress
) -> list[dict[str, Any]]:
    from flows.clean_audio import clean_audio
    from flows.workspace import open_workspace

    with open_workspace(settings) as work:
        done = clean_audio(
            work,
            sounds,
            out,
            load_recipe(settings.recipe),
            load_delivery(settings.loudness),
            progress,
        )
    return [asdict(item) for item in done]


def _tell_cut(outcome: dict[str, Any]) -> None:
    """The summary of a run, for a person."""
    cleaned, heard, takes = (outcome["takes_cleaned"], outcome["takes_heard"], outcome["takes"])
    OUT.print(f"[bold]{escape(str(outcome['out']))}[/bold]")
    if not cleaned and not heard:
        work = "all cleaned and listened to before"
    else:
        work = f"{cleaned} cleaned now, {takes - cleaned} from the store; {heard} listened to now"
    OUT.print(f"  Dialogue   {_tracks(outcome['tracks'], dialogue=True)}", markup=False)
    if not all(track["dialogue"] for track in outcome["tracks"]):
        OUT.print(f"  Untouched  {_tracks(outcome['tracks'], dialogue=False)}", markup=False)
    OUT.print(f"  Takes      {takes} needed, {work}")
    OUT.print(f"  Engines    {', '.join(outcome['engines'])}", markup=False)
    OUT.print(f"  Loudness   {_loudness(outcome, 'every stem')}")
    state = "written" if outcome["rendered_now"] else "already as it should be, left alone"
    OUT.print(f"  Delivery   {outcome['files']} files, {state}")
    _tell_takes(outcome)
    for item in outcome["offline"]:
        OUT.print(f"  [red]Offline[/red]    {escape(item['event_id'])}: {escape(item['reason'])}")
    for note in outcome["notes"]:
        OUT.print(f"  Note       {note}", markup=False)
    OUT.print(f"  Report     {outcome['out'] / 'report.html'}", markup=False)


def _tracks(tracks: Any, *, dialogue: bool) -> str:
    """The tracks taken for dialogue, or for something else, by the reason."""
    by_reason: dict[str, list[str]] = {}
    for track in tracks:
        if track["dialogue"] is dialogue:
            reason = track["why"] if dialogue else f"{track['role']} {track['why']}".strip()
            by_reason.setdefault(reason, []).append(track["track"])
    return "; ".join(f"{', '.join(names)} ({why})" for why, names in by_reason.items())


def _loudness(outcome: dict[str, Any], what: str) -> str:
    if outcome["loudness"] == float("-inf"):
        return "silent"
    text = f"{outcome['loudness']:.1f} LUFS, {outcome['true_peak']:.1f} dBTP measured"
    if outcome["gain_db"]:
        text += f"; {outcome['gain_db']:+.2f} dB applied to {what}"
    return text


def _tell_sound(outcome: dict[str, Any]) -> None:
    now = "cleaned" if outcome["cleaned_now"] else "from the store"
    left = "" if outcome["written_now"] else ", already as it should be"
    by = f"{now} with {escape(outcome['engine'])}" if outcome["engine"] else "left as it is"
    OUT.print(
        f"[bold]{escape(str(outcome['out']))}[/bold]  {by}, {_loudness(outcome, 'the file')}{left}"
    )
    _tell_takes(outcome)
    for note in outcome["notes"]:
        OUT.print(f"  Note       {note}", markup=False)


def _tell_takes(outcome: dict[str, Any]) -> None:
    """What was mended, and what wants ears."""
    for sentence in outcome["repaired"]:
        OUT.print(f"  Mended     {escape(sentence)}")
    for sentence in outcome["flagged"]:
        OUT.print(f"  [yellow]Listen to[/yellow]  {escape(sentence)}")
    for sentence in outcome["approved"]:
        OUT.print(f"  Approved   {escape(sentence)}")
