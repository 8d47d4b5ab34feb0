"""Eight runs at once over cuts that share takes: no error, and every take cleaned once."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bench import killed_child
from bench.own_server import own_server
from bench.place import Place, one_thread
from bench.scratch import scratch_folder
from bench.small_film import CUTS, TAKES, build_small_film
from bench.table import Table, figures, ratio, where

_PATIENCE_S = 600.0


@dataclass(frozen=True)
class _Ran:
    """What came of all runs over one database."""

    seconds: float
    faults: list[str]
    cleaned: int
    takes: int
    twice: int
    same: bool


def bench_together(runs: int, kinds: tuple[str, ...] = ("sqlite", "postgresql")) -> Table:
    """So many runs at once in one home, and the same one after another in another home."""
    one_thread()
    rows, faults = [], []
    with scratch_folder() as scratch, ExitStack() as stack:
        film = build_small_film(scratch / "film")
        server = stack.enter_context(own_server()) if "postgresql" in kinds else None
        fork = get_context("forkserver")
        fork.set_forkserver_preload(["bench.warm"])
        # Whoever is first waits for the fork server to load everything.
        warm = fork.Process(target=print)
        warm.start()
        warm.join()
        for kind in kinds:
            ran = []
            for at_once in (False, True):
                database = server.database() if server is not None and kind != "sqlite" else ""
                folder = scratch / f"{kind}-{at_once}"
                ran.append(_run_all(fork, folder, database, film, runs, at_once=at_once))
            turns, together = ran
            faults += [*turns.faults, *together.faults]
            rows.append(
                (
                    kind,
                    str(runs),
                    str(len(together.faults)),
                    str(together.takes),
                    str(together.cleaned),
                    str(together.twice),
                    "yes" if together.same and turns.same else "no",
                    figures(together.seconds),
                    ratio(together.seconds, turns.seconds),
                )
            )
    notes = (
        f"{len(CUTS)} cuts of {len(TAKES)} files, turn about, each run into a folder "
        "of its own, all in one home. Twice: pieces of work of any kind that are remembered more "
        "than once. Same bytes: every sound file of all runs of a cut, at once and in turns.",
        *faults,
        where(),
    )
    head = ("database", "runs", "errors", "takes", "cleaned", "twice", "same bytes", "seconds")
    return Table("Runs at once", (*head, "ratio to in turns"), tuple(rows), notes)


def _run_all(
    fork: Any, folder: Path, database: str, film: Path, runs: int, *, at_once: bool
) -> _Ran:
    names = list(CUTS)
    cuts = [names[number % len(names)] for number in range(runs)]
    places = [
        Place(folder, database, film / f"{cut}.otio", f"{number}-{cut}")
        for number, cut in enumerate(cuts)
    ]
    began = time.monotonic()
    processes = []
    for place in places:
        process = fork.Process(target=killed_child.clean, args=place.task)
        process.start()
        if not at_once:
            process.join(_PATIENCE_S)
        processes.append(process)
    for process in processes:
        process.join(_PATIENCE_S)
    seconds = time.monotonic() - began
    told = [place.answer() for place in places]
    works = places[0].works()
    sounds: dict[str, dict[str, str]] = {}
    same = True
    for cut, place in zip(cuts, places, strict=True):
        sound = place.sound().delivered
        same &= bool(sound) and sounds.setdefault(cut, sound) == sound
    return _Ran(
        seconds,
        [str(item["fault"]) for item in told if "fault" in item],
        sum(int(item.get("cleaned", 0)) for item in told),
        Counter(kind for kind, _ in works)["clean"],
        sum(len(made) > 1 for made in works.values()),
        same,
    )
