"""A studio: a Prefect server on PostgreSQL with two workers, and every way to ask it for work.

Each run must end well with the very files that `roomtone clean` makes of the same cut.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from bench.scratch import scratch_folder, weights_root
from bench.studio_stack import FlowRun, Studio, studio
from bench.table import MISSING, Table, figures, where
from core.errors import EngineError, InputError
from flows.announce import RESOURCE, SAVED
from flows.demo import build_production
from flows.deployments import CLEAN_CUT, NIGHT
from flows.watch import SETTLED_S

WORKERS = 2
SOON_S = 15
"""How far off the schedules' first runs are."""

_LONGEST_S = 900
_EMIT = """
import json, sys
from prefect.events import emit_event
name, resource, payload = json.loads(sys.argv[1])
emit_event(event=name, resource={"prefect.resource.id": resource}, payload=payload)
"""


@dataclass(frozen=True)
class Asked:
    """A run that was asked for. way: how. at: when, or when it was due. by: what did it."""

    way: str
    at: datetime
    began: datetime
    ended: datetime
    state: str
    by: str


@dataclass(frozen=True)
class Places:
    """Where the cuts of the scenario lie, a folder each, and what each delivers."""

    cut: Path
    cuts: Path

    def cut_of(self, name: str) -> Path:
        """A copy of the cut in a folder of its own, whose delivery goes beside it."""
        folder = self.cuts / name
        folder.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copyfile(self.cut, folder / self.cut.name))

    def out_of(self, name: str) -> Path:
        """The delivery of that copy."""
        return self.cuts / name / f"{self.cut.stem}_roomtone"


def bench_studio(production: Path | None, weights: Path | None) -> Table:
    """The table of runs, a row for each way to ask for one.

    production: a folder with `cuts/*.otio` (the first by name is taken) and `sound/`, or None for
    the demo. weights: as in `weights_root`. Raises EngineError where a run does not end well or
    makes other files than a direct one, or where no PostgreSQL with its extensions is installed.
    """
    here = where()
    with scratch_folder() as scratch:
        folder = (production or build_production(scratch / "demo")).absolute()
        cuts = sorted((folder / "cuts").glob("*.otio"))
        if not cuts:
            raise InputError(f"{folder} has no cuts/*.otio; give a production with --production.")
        places = Places(cuts[0], scratch / "cuts")
        settings = {
            "ROOMTONE_HOME": str(scratch / "home"),
            "ROOMTONE_MEDIA": str(folder / "sound"),
            "ROOMTONE_RECOGNISER": "none",
            "ROOMTONE_ALLOW_STAND_IN": "true",
            "ROOMTONE_NIGHTLY_SETTLE_S": "0",
            "ROOMTONE_NIGHTLY_UNTIL": "",
            "PYTHONUNBUFFERED": "1",
        }
        (scratch / "home").mkdir()
        (scratch / "home" / "weights").symlink_to(weights_root(scratch, weights))
        # What is there when the watched folder is first looked at is not new.
        asked_of_page = places.cut_of("watched/page")
        serving = {
            "ROOMTONE_CUT_FOLDERS": str(places.cuts / "watched"),
            "ROOMTONE_SAVED_CUTS": "event",
        }
        with studio(scratch, settings, serving, WORKERS) as up:
            rows = [_night(up), *_cuts(up, places), _page(up, asked_of_page)]
            direct = _direct(up, scratch, places)
        counts = {name: _compared(places, name, direct) for name in _NAMES}
    return Table(
        title=f"A studio: {folder.name}/{places.cut.name}, asked for in {len(rows)} ways",
        columns=("asked by", "done by", "state", "s to start", "s at work", "same files"),
        rows=tuple(_row(row, counts.get(name)) for row, name in zip(rows, _ROWS, strict=True)),
        notes=(
            f"A Prefect server on PostgreSQL, {WORKERS} workers of a run each, which ask for work "
            "every 2 s, `roomtone serve`, and one database of roomtone for all of them.",
            "s to start: from asking, saving or the hour of the schedule until the run is under "
            f"way. A watched file counts as saved once it has not changed for {SETTLED_S:g} s.",
            "same files: sound files of the delivery, of which each is the same bytes as that of "
            "`roomtone clean --direct` in a home of its own.",
            here,
        ),
    )


_ROWS = ("", "scheduled", "emitted", "announced", "rest", "watched/saved", "watched/page")
_NAMES = _ROWS[1:]


def _night(up: Studio) -> Asked:
    """The night, on a schedule of its own."""
    at = datetime.now(UTC) + timedelta(seconds=SOON_S)
    before = _known(up, NIGHT)
    up.schedule(NIGHT, at, {"until": ""})
    (run,) = _ended(up, NIGHT, before, 1)
    return _asked(up, "schedule, a night of dailies", at, run)


def _cuts(up: Studio, places: Places) -> list[Asked]:
    """The cut: on a schedule, by events, by Prefect's interface, by saving it."""
    before = _known(up, CLEAN_CUT)
    at = datetime.now(UTC) + timedelta(seconds=SOON_S)
    up.schedule(CLEAN_CUT, at, {"cut": str(places.cut_of("scheduled"))})
    (run,) = _ended(up, CLEAN_CUT, before, 1)
    rows = [_asked(up, "schedule, a cut", at, run)]

    # Two at once, for two workers of a run each.
    before, told = _known(up, CLEAN_CUT), []
    cut = places.cut_of("emitted")
    event = json.dumps([SAVED, f"{RESOURCE}.{cut}", {"cut": str(cut)}])
    other = places.cut_of("announced")
    for way, path, words in (
        ("emit_event", cut, ["-c", _EMIT, event]),
        ("roomtone announce", other, ["-m", "cli.main", "announce", str(other)]),
    ):
        told.append((way, path, datetime.now(UTC)))
        up.started.run([sys.executable, *words])
    runs = {run.cut: run for run in _ended(up, CLEAN_CUT, before, 2)}
    rows += [_asked(up, way, at, runs[str(path)]) for way, path, at in told]

    for way, ask in (
        ("Prefect's REST API", partial(_by_rest, up, places)),
        ("watched folder", partial(places.cut_of, "watched/saved")),
    ):
        before, at = _known(up, CLEAN_CUT), datetime.now(UTC)
        ask()
        (run,) = _ended(up, CLEAN_CUT, before, 1)
        rows.append(_asked(up, way, at, run))
    return rows


def _by_rest(up: Studio, places: Places) -> None:
    up.ask(CLEAN_CUT, {"cut": str(places.cut_of("rest"))})


def _page(up: Studio, cut: Path) -> Asked:
    """The cut, asked for by roomtone's own interface: the worker of `serve` does it."""
    known_as = {"Authorization": f"Bearer {up.token}"}
    with httpx.Client(base_url=f"{up.page}api/v1/", headers=known_as, timeout=60) as client:
        known = client.get("runs/cuts").raise_for_status().json()
        (number,) = (item["id"] for item in known if item["folder"] == "watched/page")
        at = datetime.now(UTC)
        run = client.post("runs", json={"cut": number}).raise_for_status().json()

        def ended() -> dict[str, Any] | None:
            found: dict[str, Any] = client.get(f"runs/{run['id']}").raise_for_status().json()
            return found if found["ended"] else None

        done = up.started.wait("The end of a run", ended, _LONGEST_S)
    if done["state"] != "done":
        raise EngineError(f"The run of {cut} is {done['state']}: {done['fault']}")
    began, over = (datetime.fromisoformat(done[name]) for name in ("started", "ended"))
    return Asked("POST /api/v1/runs", at, began, over, "done", "serve")


def _known(up: Studio, deployment: str) -> frozenset[str]:
    return frozenset(run.id for run in up.runs(deployment))


def _ended(up: Studio, deployment: str, before: frozenset[str], count: int) -> tuple[FlowRun, ...]:
    """The runs that were asked for since, once they have ended well."""

    def new() -> tuple[FlowRun, ...] | None:
        found = tuple(run for run in up.runs(deployment) if run.id not in before)
        return found if len(found) >= count and all(run.final for run in found) else None

    found = up.started.wait(f"The end of {count} of {deployment}", new, _LONGEST_S)
    for run in found:
        if run.state != "COMPLETED":
            raise EngineError(f"A run of {deployment} is {run.state}: {run.told}")
    return found


def _asked(up: Studio, way: str, at: datetime, run: FlowRun) -> Asked:
    assert run.began is not None
    assert run.ended is not None
    return Asked(way, at, run.began, run.ended, run.state, up.worker_of(run))


def _direct(up: Studio, scratch: Path, places: Places) -> Mapping[str, str]:
    """What the command line makes of the cut in a home of its own: sha256 by relative path."""
    home = scratch / "direct"
    home.mkdir()
    (home / "weights").symlink_to(scratch / "home" / "weights")
    cut = places.cut_of("direct")
    up.started.run(
        [
            sys.executable,
            "-m",
            "cli.main",
            "clean",
            cut,
            "--out",
            places.out_of("direct"),
            "--direct",
        ],
        environment={"ROOMTONE_HOME": str(home), "ROOMTONE_DATABASE": ""},
    )
    return _sounds(places.out_of("direct"))


def _sounds(folder: Path) -> Mapping[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.wav"))
    }


def _compared(places: Places, name: str, direct: Mapping[str, str]) -> int:
    """How many sound files a delivery has. Raises EngineError where a direct run's are others."""
    made = _sounds(places.out_of(name))
    if not direct or made != direct:
        odd = sorted({*made.items()} ^ {*direct.items()})
        raise EngineError(f"{name} delivered other files than a direct run: {odd[:4]}")
    return len(made)


def _row(row: Asked, count: int | None) -> tuple[str, ...]:
    start, work = (
        (b - a).total_seconds() for a, b in ((row.at, row.began), (row.began, row.ended))
    )
    same = MISSING if count is None else str(count)
    return (row.way, row.by, row.state, figures(max(0.0, start)), figures(work), same)
