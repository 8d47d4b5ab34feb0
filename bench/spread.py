"""A day of dailies on two worker processes of a Dask scheduler, against one."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from bench.day import make_day
from bench.measured import note
from bench.peak import peak_memory
from bench.scratch import scratch_folder, weights_root, workspace
from bench.table import MISSING, Table, figures, ratio, where
from db.tables import Activity
from flows.demo import build_production
from flows.nightly import run_night
from flows.progress import Silent
from flows.spread import OnDask, known_elsewhere
from flows.workspace import Workspace

WORKERS = (1, 2)
WARM_S = 2
SECTION = "spread"


@dataclass(frozen=True)
class Spread:
    """What a night took with a number of worker processes.

    wall: seconds. processor: seconds of all workers. caller: of the process that began the run,
    the scheduler's among them. pieces: seconds of each take, as Dask saw them. idle: wall seconds
    in which no worker was at a take. memory: bytes, the most that a worker held. files: sha256 by
    name. cleaned, heard: activities. load: of the machine meanwhile, others' work included.
    """

    wall: float
    processor: float
    caller: float
    pieces: tuple[float, ...]
    idle: float
    memory: int
    files: Mapping[str, str]
    cleaned: int
    heard: int
    stored: int
    rows: int
    load: float


def bench_spread(
    production: Path | None,
    weights: Path | None,
    takes: int,
    seconds: int,
    microphones: int,
    *,
    keep: bool,
) -> Table:
    """The table of the night on workers.

    production: a folder with `sound/*.wav`, or None for the demo production. weights: as in
    `weights_root`. takes, seconds, microphones: how many, and of each. keep: note the numbers for
    `simulate`. Raises ImportError without the extra `dask`.
    """
    here = where()
    with scratch_folder() as scratch:
        root = weights_root(scratch, weights)
        folder = production or build_production(scratch / "demo")
        sounds = sorted((folder / "sound").glob("*.wav"))
        channels = tuple(range(1, 1 + microphones))  # the first of a recorder's is its mix
        make_day(scratch / "day", sounds, takes, channels, seconds)
        make_day(scratch / "warm", sounds, 2 * max(WORKERS), channels[:1], WARM_S)
        # Setups that fail are work that is done twice, whoever does it: here none is.
        once = scratch / "once.toml"
        once.write_text('gentler = ""\n', encoding="utf-8")
        found = {count: _spread(scratch, root, once, count) for count in WORKERS}
    one, two = (found[count] for count in WORKERS)
    same = one.files == two.files
    once_each = all(
        (item.cleaned, item.heard) == (len(item.files), takes) for item in found.values()
    )
    if keep:
        note(SECTION, _numbers(found, takes, seconds))
    return Table(
        title=f"Spread: {takes} takes of {seconds} s from {folder.name if production else 'demo'}",
        columns=(
            "workers", "wall s", "speed-up", "CPU s", "cores in use", "caller CPU s", "idle s",
            "worker MB", "load",
        ),
        rows=tuple(
            (
                str(count),
                figures(item.wall),
                ratio(one.wall, item.wall),
                figures(item.processor),
                ratio(item.processor, item.wall),
                figures(item.caller),
                figures(item.idle),
                figures(item.memory / 1e6),
                figures(item.load) if item.load >= 0 else MISSING,
            )
            for count, item in found.items()
        ),
        notes=(
            f"{len(one.files)} cleaned takes, the same bytes with either: {'yes' if same else 'NO'}"
            f"; each cleaned once and every file heard once: {'yes' if once_each else 'NO'}.",
            "load: runnable processes of the whole machine on its cores, this night's among them.",
            here,
        ),
    )  # fmt: skip


def _spread(scratch: Path, root: Path, recipe: Path, count: int) -> Spread:
    from distributed import Client, LocalCluster, get_task_stream

    options: dict[str, Any] = {
        "recipe": str(recipe), "nightly_settle_s": 0.0, "recogniser": "none",
    }  # fmt: skip
    with ExitStack() as stack:
        cluster = stack.enter_context(
            LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                dashboard_address=":0",
                local_directory=str(scratch / "dask"),
            )
        )
        client = stack.enter_context(Client(cluster, set_as_default=False))
        # The first takes of a process load libraries and the engine.
        _night(client, scratch / f"warm-{count}", scratch / "warm", root, options)
        before = client.run(time.process_time)
        with get_task_stream(client) as stream:
            wall, caller, work = _night(
                client, scratch / f"home-{count}", scratch / "day", root, options
            )
        after = client.run(time.process_time)
        spans = sorted(
            (step["start"], step["stop"])
            for task in stream.data
            if "clean-and-listen" in str(task["key"])
            for step in task["startstops"]
            if step["action"] == "compute"
        )
        memory = max(client.run(peak_memory).values())
    return Spread(
        wall=wall,
        processor=sum(after[name] - before[name] for name in after),
        caller=caller,
        pieces=tuple(stop - start for start, stop in spans),
        idle=wall - _covered(spans),
        memory=memory,
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else -1.0,
        **work,
    )


def _night(
    client: Any, home: Path, day: Path, root: Path, options: Mapping[str, Any]
) -> tuple[float, float, dict[str, Any]]:
    """Wall and processor seconds of a night, and what it left behind."""
    with workspace(home, root, watched=(day,), **options) as work, known_elsewhere(work):
        started, processor = time.perf_counter(), time.process_time()
        run_night(work, Silent(), run=OnDask(client))
        wall, caller = time.perf_counter() - started, time.process_time() - processor
        return wall, caller, _left_behind(work)


def _left_behind(work: Workspace) -> dict[str, Any]:
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(work.store.folder.rglob("*.wav"))
    }
    with work.database.read() as session:
        counts = select(Activity.kind, func.count()).group_by(Activity.kind)
        kinds = dict(session.execute(counts).tuples().all())
        rows = sum(
            session.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in Activity.metadata.tables.items()
            if not name.startswith("alembic")
        )
    return {
        "files": files,
        "cleaned": kinds.get("clean", 0),
        "heard": kinds.get("listen", 0),
        "stored": sum(path.stat().st_size for path in work.store.folder.rglob("*.wav")),
        "rows": rows,
    }


def _covered(spans: list[tuple[float, float]]) -> float:
    """Seconds that at least one of sorted spans covers."""
    total, until = 0.0, float("-inf")
    for start, stop in spans:
        total += max(0.0, stop - max(start, until))
        until = max(until, stop)
    return total


def _numbers(found: Mapping[int, Spread], takes: int, seconds: int) -> dict[str, Any]:
    """What a simulation needs of it, by names that say the unit."""
    return {
        "takes": takes,
        "take_s": seconds,
        "idle_s": round(found[1].idle, 2),
        "pieces_s": {str(count): [*map(_short, item.pieces)] for count, item in found.items()},
        "wall_s": {str(count): round(item.wall, 2) for count, item in found.items()},
        "processor_s": {str(count): round(item.processor, 2) for count, item in found.items()},
    }


def _short(seconds: float) -> float:
    return round(seconds, 2)
