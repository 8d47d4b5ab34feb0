"""What the machinery around the work costs: of a night of dailies, and of a service that waits."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch
from urllib.request import urlopen

from sqlalchemy.orm import Session

from bench.day import TAKE_S, make_day
from bench.measured import note
from bench.peak import peak_memory
from bench.scratch import scratch_folder, weights_root, workspace
from bench.table import MISSING, Table, figures, ratio, where
from db.engine import Database
from db.home import FILE
from flows import daily_takes, takes
from flows.demo import build_production
from flows.nightly import run_night
from flows.progress import Silent
from flows.runner import InTurn, untold
from flows.workspace import code_version

Item = TypeVar("Item")
Result = TypeVar("Result")
Made = TypeVar("Made")

IDLE_S = 20.0
START_S = 120.0
SECTION = "overhead"
DATABASE, HASHES, BETWEEN = "database and claims", "hashes and checksums", "around the takes"


@dataclass
class Counted:
    """Processor seconds of this process, by what they were spent on.

    The night runs in one thread, so what is inside the innermost counted call is that call's.
    """

    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    inside: bool = False

    @contextmanager
    def on(self, name: str) -> Iterator[None]:
        """Counts a block, unless it is part of one that is counted already."""
        if self.inside:
            yield
            return
        started, self.inside = time.process_time(), True
        try:
            yield
        finally:
            self.seconds[name] += time.process_time() - started
            self.inside = False

    def call(self, name: str, do: Callable[..., Made]) -> Callable[..., Made]:
        """The same function, counted."""

        def counted(*words: Any, **named: Any) -> Made:
            with self.on(name):
                return do(*words, **named)

        return counted

    def session(
        self, do: Callable[[Database], AbstractContextManager[Session]]
    ) -> Callable[[Database], AbstractContextManager[Session]]:
        """The same transactions, counted with what is done in them."""

        @contextmanager
        def counted(database: Database) -> Iterator[Session]:
            with self.on(DATABASE), do(database) as session:
                yield session

        return counted


@dataclass
class OneByOne(InTurn):
    """A runner that works in turn and keeps what of each take is counted, and what is not."""

    counted: Counted
    pieces: list[float] = field(default_factory=list)
    machinery: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def each(
        self,
        name: str,
        do: Callable[[Item], Result],
        items: Sequence[Item],
        told: Callable[[Result], object] = untold,
    ) -> list[Result]:
        """Do a step for every item in turn."""
        before = dict(self.counted.seconds)
        made: list[Result] = []
        for item in items:
            started = time.process_time()
            made += super().each(name, do, [item], told)
            self.pieces.append(time.process_time() - started)
        for kind, seconds in self.counted.seconds.items():
            self.machinery[kind] += seconds - before.get(kind, 0.0)
        return made


def bench_overhead(
    production: Path | None, weights: Path | None, minutes: int, *, keep: bool
) -> Table:
    """The table of a night's overhead, in processor time of one process.

    production: a folder with `sound/*.wav`, or None for the demo production. weights: as in
    `weights_root`. minutes: of the day, a take a minute, one microphone each, which leaves the
    machinery the least work to hide behind. keep: note the numbers for `simulate`.
    """
    here = where()
    with scratch_folder() as scratch:
        root = weights_root(scratch, weights)
        folder = production or build_production(scratch / "demo")
        sounds = sorted((folder / "sound").glob("*.wav"))
        make_day(scratch / "day", sounds, minutes, (1,))
        make_day(scratch / "warm", sounds, 1, (1,), 10)
        # Setups that fail are work that is done twice, whoever does it: here none is.
        once = scratch / "once.toml"
        once.write_text('gentler = ""\n', encoding="utf-8")
        options: dict[str, Any] = {
            "recipe": str(once), "nightly_settle_s": 0.0, "recogniser": "none",
        }  # fmt: skip
        _night(scratch / "first", scratch / "warm", root, options)
        whole, run = _night(scratch / "home", scratch / "day", root, options)
        stored, rows_made = left_behind(scratch / "home")
        again, _ = _night(scratch / "home", scratch / "day", root, options)
    machinery = {**run.machinery, BETWEEN: whole - sum(run.pieces)}
    over = sum(machinery.values())
    work = whole - over
    audio = TAKE_S * minutes
    if keep:
        note(
            SECTION,
            {
                "takes": minutes,
                "sound_h": audio / 3600,
                "channels": 1,
                "pieces_s": [round(piece, 3) for piece in run.pieces],
                "stored_bytes": stored,
                "rows": rows_made,
                "work_s": round(work, 2),
                "ratio": round(over / work, 4),
                "machinery_s": {name: round(value, 3) for name, value in machinery.items()},
                "next_night_s": round(again, 3),
                "peak_bytes": peak_memory(),
            },
        )
    name = folder.name if production else "demo"
    rows = [("work", figures(audio), figures(work), ratio(work, work))]
    rows += [
        (part, MISSING, figures(value), ratio(value, work)) for part, value in machinery.items()
    ]
    rows += [
        ("machinery in all", MISSING, figures(over), ratio(over, work)),
        ("next night, nothing new", MISSING, figures(again), ratio(again, work)),
    ]
    return Table(
        title=f"Overhead: {minutes} minutes of dailies from {name}",
        columns=("part", "sound s", "processor s", "ratio to work"),
        rows=tuple(rows),
        notes=(
            f"{minutes} takes of one microphone, no words. Work: decoding, repair, denoising, "
            "gates, voice activity, speakers, writing. All else is machinery.",
            f"The process held {figures(peak_memory() / 1e6)} MB at most.",
            here,
        ),
    )


def _night(home: Path, day: Path, root: Path, options: dict[str, Any]) -> tuple[float, OneByOne]:
    """Processor seconds of a night, and how they were spent."""
    counted = Counted()
    run = OneByOne(counted)
    with ExitStack() as stack:
        work = stack.enter_context(workspace(home, root, watched=(day,), **options))
        for owner, name in (
            (takes, "file_sha256"),
            (takes, "sound_sha256"),
            (daily_takes, "hash_media"),
            (daily_takes, "disagreement"),
        ):
            made = counted.call(HASHES, getattr(owner, name))
            stack.enter_context(patch.object(owner, name, made))
        for name in ("read", "write"):
            made = counted.session(getattr(Database, name))
            stack.enter_context(patch.object(Database, name, made))
        started = time.process_time()
        run_night(work, Silent(), run=run)
        return time.process_time() - started, run


def left_behind(home: Path) -> tuple[int, int]:
    """Bytes in the store of a home, and rows in its database (SQLite)."""
    stored = sum(path.stat().st_size for path in (home / "store").rglob("*.wav"))
    with closing(sqlite3.connect(home / FILE)) as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        counts = (
            database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for (name,) in names
            if not name.startswith(("sqlite_", "alembic"))
        )
        return stored, sum(counts)


def bench_serve(idle_s: float = IDLE_S) -> Table:
    """The table of `roomtone serve` where nothing happens. Linux only.

    idle_s: seconds that it is watched for. Raises RuntimeError where it does not answer.
    """
    here = where()
    with scratch_folder() as scratch:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "serve", "--port", "0", "--json"],
            env={**os.environ, "ROOMTONE_HOME": str(scratch / "home")},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            address = _address(process)
            with urlopen(f"{address}health", timeout=START_S) as answer:
                assert answer.status == 200
            wall = time.perf_counter() - started
            processor = _processor(process.pid)
            time.sleep(idle_s)
            spent, memory = _processor(process.pid) - processor, _resident(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    return Table(
        title="serve, where nothing happens",
        columns=("start s", "start CPU s", "memory MB", "CPU s a minute"),
        rows=(
            (
                figures(wall),
                figures(processor),
                figures(memory / 1e6),
                figures(spent / idle_s * 60),
            ),
        ),
        notes=(
            f"roomtone {code_version()}: page, a worker, schedule and watched folders in one "
            f"process, until /health answers; then {figures(idle_s)} s idle.",
            here,
        ),
    )


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    told = ""
    for line in process.stdout:
        told += line
        if line.startswith("}"):
            return str(json.loads(told)["address"])
    raise RuntimeError("serve ended before it answered")


def _processor(pid: int) -> float:
    """Processor seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))
