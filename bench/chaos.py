"""Runs that are killed at any moment, and whether the next makes them whole again."""

from __future__ import annotations

import random
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from bench import killed_child
from bench.killed_child import BACK_OFF_S, settings_of
from bench.killed_prefect import Command, PrefectServer, prefect_server
from bench.own_server import OwnServer, own_server
from bench.place import Place, Sound, Works, one_thread
from bench.scratch import scratch_folder
from bench.small_film import build_small_film
from bench.table import Table, figures, where
from core.run import RunState
from db.engine import open_database
from flows.check import check
from flows.progress import Silent

CYCLE = (
    ("sqlite", "flow"),
    ("postgresql", "flow"),
    ("sqlite", "worker"),
    ("postgresql", "worker"),
    ("postgresql", "database"),
    ("sqlite", "flow"),
)
"""Where rows are kept, and what is killed, turn about."""

PREFECT = ("sqlite", "prefect")
_PATIENCE_S = 300.0
_TRIES = 6
_HASTY = "fsync = off\n"  # What is killed is a process and no machine.


@dataclass
class _Found:
    """What became of the runs of one kind."""

    runs: int = 0
    before: int = 0
    cleaning: int = 0
    delivering: int = 0
    whole: int = 0
    again: int = 0
    wrong: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def bench_chaos(runs: int, seed: int, prefect: int = 0) -> Table:
    """So many runs of a small film, each killed at a random moment (`seed`) and done again.

    prefect: so many more, of which a Prefect server is killed that they report to.
    """
    one_thread()
    with scratch_folder() as scratch, ExitStack() as stack:
        stage = _Stage(scratch, stack.enter_context(own_server(_HASTY)))
        stage.measure()
        found: dict[tuple[str, str], _Found] = defaultdict(_Found)
        if prefect:
            stage.prefect = stack.enter_context(prefect_server(scratch / "prefect"))
            stage.measure_prefect()
        for number in range(runs + prefect):
            case = CYCLE[number % len(CYCLE)] if number < runs else PREFECT
            stage.run(number, case, random.Random(f"{seed} {number}"), found[case])
            _tell(number, runs + prefect, case, found[case])
    cases = [case for case in dict.fromkeys((*CYCLE, PREFECT)) if case in found]
    rows = tuple(_row(case, found[case]) for case in cases)
    wrong = [f"{case[1]} on {case[0]}: {text}" for case in cases for text in found[case].wrong]
    total = sum(item.runs for item in found.values())
    whole = sum(item.whole for item in found.values())
    notes = (
        f"{whole} of {total} were whole after the restart: the bytes of every delivered and stored "
        "sound file equal to an undisturbed run's, roomtone check --read with no finding, no file "
        "left over, no claim left over.",
        "Again: pieces of work that had ended well before the kill and were done once more.",
        f"kill -9 at an even random moment of a run's time (seed {seed}); a run that had ended "
        "before is drawn anew. The database is killed with all its processes, while a flow works; "
        "so is a Prefect server, without which the flow has to go on to its end.",
        f"A worker's run waits {BACK_OFF_S} s here after a crash, 30 s in earnest.",
        *wrong,
        where(),
    )
    head = ("database", "killed", "runs", "before", "cleaning", "delivering", "whole", "again")
    return Table("Killed at any moment", (*head, "seconds to whole"), rows, notes)


class _Stage:
    """A film, its undisturbed delivery, and processes to kill."""

    def __init__(self, scratch: Path, server: OwnServer) -> None:
        self._scratch, self._server = scratch, server
        self._film = build_small_film(scratch / "film")
        self._template = server.database()
        open_database(self._template).close()
        self._fork = get_context("forkserver")
        self._fork.set_forkserver_preload(["bench.warm"])
        self._lasts: dict[str, float] = {}
        self._reference = Sound({}, {})
        self._takes = 0
        self.prefect: PrefectServer | None = None

    def measure(self) -> None:
        """An undisturbed flow and worker: how long they take, and what they give."""
        for victim in ("flow", "worker", "flow", "worker"):
            # The second of each: the first loads what others find loaded.
            folder = self._scratch / f"undisturbed-{victim}-{len(self._lasts)}"
            place = Place(folder, "", self._film / "v1.otio")
            began = time.monotonic()
            if victim == "worker":
                place.ask()
            self._started(place, victim).join(_PATIENCE_S)
            self._lasts[victim] = time.monotonic() - began
            told = place.answer()
            if "fault" in told:
                raise RuntimeError(f"The undisturbed {victim} failed: {told}")
            sound = place.sound()
            if self._reference.delivered and sound != self._reference:
                raise RuntimeError("Two undisturbed runs gave other bytes.")
            self._reference = sound
            self._takes = self._takes or int(told["cleaned"])
        self._lasts["database"] = self._lasts["flow"]

    def measure_prefect(self) -> None:
        """An undisturbed flow that reports to the Prefect server."""
        for number in range(2):
            folder = self._scratch / f"undisturbed-prefect-{number}"
            place = Place(folder, "", self._film / "v1.otio")
            began = time.monotonic()
            self._started(place, "prefect").join(_PATIENCE_S)
            self._lasts["prefect"] = time.monotonic() - began
            if "fault" in place.answer() or place.sound() != self._reference:
                raise RuntimeError(f"The undisturbed flow of Prefect failed: {place.answer()}")

    def run(self, number: int, case: tuple[str, str], rng: random.Random, found: _Found) -> None:
        """Kill once, start again, and look whether all is whole."""
        kind, victim = case
        for attempt in range(_TRIES):
            folder = self._scratch / f"{number}-{attempt}"
            database = "" if kind == "sqlite" else self._fresh()
            place = Place(folder, database, self._film / "v1.otio")
            before = self._killed(place, victim, rng.uniform(0, self._lasts[victim]))
            if before is not None:
                break
        else:
            raise RuntimeError(f"No {victim} could be killed at work.")
        cleaned = sum(kind == "clean" for kind, _ in before)
        found.runs += 1
        if not before:
            found.before += 1
        elif cleaned < self._takes:
            found.cleaning += 1
        else:
            found.delivering += 1
        began = time.monotonic()
        wrong = [*self._again(place, victim), *self._wrong(place, before)]
        found.seconds.append(time.monotonic() - began)
        after = place.works()
        found.again += sum(after.get(work, ()) != made for work, made in before.items())
        found.wrong += [f"run {number}: {text}" for text in wrong]
        found.whole += not wrong

    def _fresh(self) -> str:
        return self._server.database(str(make_url(self._template).database))

    def _started(self, place: Place, victim: str) -> Any:
        if victim == "prefect":
            assert self.prefect is not None
            return Command(place, self.prefect)
        if victim == "worker":
            home = (place.home, place.database, place.answer_path)
            process = self._fork.Process(target=killed_child.work, args=home)
        else:
            process = self._fork.Process(target=killed_child.clean, args=place.task)
        process.start()
        return process

    def _killed(self, place: Place, victim: str, delay_s: float) -> Works | None:
        """What had ended well when something was killed at work; None where nothing was."""
        if victim == "worker":
            place.ask()
        process = self._started(place, victim)
        process.join(delay_s)
        if place.answer_path.exists() or not process.is_alive():
            process.join(_PATIENCE_S)
            return None
        if victim == "prefect":
            assert self.prefect is not None
            before = place.works()
            self.prefect.kill()
            process.join(_PATIENCE_S)
            self.prefect.start()
            if "fault" in place.answer():
                raise RuntimeError(f"A flow did not outlive its server: {place.answer()}")
            return before
        if victim == "database":
            self._server.kill()
            self._server.start_again()
        else:
            process.kill()
        process.join(_PATIENCE_S)
        return place.works()

    def _again(self, place: Place, victim: str) -> Iterator[str]:
        """Start again what was killed, until it has done its work; what goes wrong."""
        for _ in range(_TRIES):
            place.answer_path.unlink(missing_ok=True)
            process = self._started(place, victim)
            process.join(_PATIENCE_S)
            if process.is_alive():
                process.kill()
                yield "it did not end"
                return
            told = place.answer()
            if "fault" in told:
                yield f"it ended with {told['fault']}"
                return
            if victim != "worker" or place.run_state() is not RunState.WAITING:
                break
            time.sleep(BACK_OFF_S)
        if victim == "worker" and place.run_state() is not RunState.DONE:
            yield f"its run is {place.run_state()}"

    def _wrong(self, place: Place, before: Works) -> Iterator[str]:
        sound = place.sound()
        if sound != self._reference:
            yield "it has other bytes than an undisturbed run"
        works = place.works()
        if sum(kind == "clean" for kind, _ in works) != self._takes:
            yield "it has not as many cleaned takes"
        if any(len(made) > 1 for made in works.values()):
            yield "a piece of work is remembered twice"
        if not before.keys() <= works.keys():
            yield "work that had ended was forgotten"
        report = check(settings_of(place.home, place.database), Silent(), read=True, originals=True)
        yield from (str(finding) for finding in report.findings)
        yield from (note for note in report.notes if "no row knows it" in note)
        yield from place.left_over()


def _row(case: tuple[str, str], item: _Found) -> tuple[str, ...]:
    counts = (item.runs, item.before, item.cleaning, item.delivering, item.whole, item.again)
    return (*case, *map(str, counts), figures(statistics.median(item.seconds)))


def _tell(number: int, runs: int, case: Sequence[str], item: _Found) -> None:
    said = item.wrong[-1] if item.wrong else "whole so far"
    print(f"{number + 1}/{runs} {case[1]} on {case[0]}: {said}", flush=True)
