"""Runs on a disk that fails, at every thing that they write: do they end well, and go on later?"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from unittest.mock import patch

import soundfile as sf

from adapters.media.whole import is_part
from bench.command import Ran
from bench.faulty import FAULTS, JUMPS, Disk, Kind, faulty, may_fail
from bench.remembered import compiled_once, remembered
from bench.scratch import scratch_folder
from bench.table import Table, where
from bench.tiny import Tiny, made_film
from core.errors import ExitCode

_GONE = 5_000_000
"""The number of a process that has ended: higher than any system gives, so nobody's by now."""


Trial = tuple[Kind, int]
"""A kind of fault, and the number of the event that it comes at."""


@dataclass(frozen=True)
class _Outcome:
    """Of one trial. ended: the run ended in a sentence; passed: it went on without.

    whole: nothing was half-written; same: the run after it gave the same bytes.
    """

    ended: bool
    passed: bool
    whole: bool
    same: bool
    wrong: tuple[str, ...]


@dataclass(frozen=True)
class _Bench:
    """A film to try faults on. events: of a run without; sounds: the bytes that came of it."""

    it: Tiny
    events: Sequence[tuple[str, str]]
    sounds: Mapping[str, str]


def bench_faults(
    points: int, seed: int, processes: int, kinds: Sequence[Kind] = (*FAULTS, *JUMPS)
) -> Table:
    """Faults at the n-th write of a run.

    points: of each kind; all sorts of writes come before more of one sort. seed: for the choice.
    processes: that work side by side.
    """
    with scratch_folder() as scratch, compiled_once():
        first = _cleaned(scratch / "first")
        trials = _trials(first.events, kinds, points, seed)
        if processes == 1:
            return _table(trials, _outcomes(first, trials), first.events, seed)
        spawned = get_context("spawn")
        with ProcessPoolExecutor(processes, spawned, _begin, (scratch,)) as pool:
            return _table(trials, pool.map(_tried, trials), first.events, seed)


def failed_runs(it: Tiny, kinds: Sequence[Kind], points: int, seed: int) -> Table:
    """The same with some kinds of faults, on a film whose cut was cleaned here before."""
    bench = _observed(it)
    trials = _trials(bench.events, kinds, points, seed)
    return _table(trials, _outcomes(bench, trials), bench.events, seed)


def _cleaned(folder: Path) -> _Bench:
    """A film in a folder whose cut was cleaned once, so that all is loaded."""
    it = made_film(folder)
    with remembered():
        ran = it.clean()
    assert ran.code == 0, ran.err
    return _observed(it)


def _observed(it: Tiny) -> _Bench:
    _emptied(it)
    with remembered(), faulty(Disk(it.folder)) as disk:
        ran = it.clean()
    assert ran.code == 0, ran.err
    return _Bench(it, tuple(disk.events), _sounds(it))


def _trials(
    events: Sequence[tuple[str, str]], kinds: Sequence[Kind], points: int, seed: int
) -> list[Trial]:
    chance = random.Random(seed)
    return [(kind, number) for kind in kinds for number in chosen(events, kind, points, chance)]


def _outcomes(bench: _Bench, trials: Iterable[Trial]) -> Iterator[_Outcome]:
    return (_outcome(bench, *trial) for trial in trials)


_MINE: list[_Bench] = []
"""Of a process that works beside others: its own."""
_WHILE_IT_LIVES = ExitStack()


def _begin(scratch: Path) -> None:
    _WHILE_IT_LIVES.enter_context(compiled_once())
    _MINE.append(_cleaned(scratch / str(os.getpid())))


def _tried(trial: Trial) -> _Outcome:
    return _outcome(_MINE[0], *trial)


def chosen(
    events: Sequence[tuple[str, str]], kind: Kind, points: int, chance: random.Random
) -> list[int]:
    """Which events a fault is tried at: the first of each sort, then the last, then any."""
    sorts: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, event in enumerate(events):
        if may_fail(event[0], kind):
            sorts[event].append(number)
    for numbers in sorts.values():
        between = numbers[1:-1]
        chance.shuffle(between)
        numbers[1:] = [*numbers[1:][-1:], *between]
    found: list[int] = []
    while len(found) < points and any(sorts.values()):
        groups = [numbers for numbers in sorts.values() if numbers]
        chance.shuffle(groups)
        found += [numbers.pop(0) for numbers in groups]
    return sorted(found[:points])


def _outcome(bench: _Bench, kind: Kind, number: int) -> _Outcome:
    """Run with the fault, check, and run again without it."""
    it = bench.it
    _emptied(it)
    at = f"{kind} at {number} ({' '.join(bench.events[number])})"
    wrong = []
    with remembered():
        # As if it were another process, which is gone when the next one comes.
        with patch.object(os, "getpid", lambda: _GONE), faulty(Disk(it.folder, kind, number)):
            ran = it.clean()
        ended = ran.code != 0 and _is_told(ran) and kind not in JUMPS
        if ran.code and not ended:
            wrong.append(f"{at}: ended with {ran.code}: {ran.err.strip()[-400:]}")
        half = _half_written(it)
        if half:
            wrong.append(f"{at}: {half}")
        again = it.clean()
    left = [path.name for path in it.folder.rglob("*") if is_part(path.name)]
    checked = it.run("check", "--read", "--json")
    same = not (again.code or _sounds(it) != bench.sounds or left or checked.code)
    if not same:
        said = again.err or checked.out[:400] or checked.err
        wrong.append(f"{at}: the run after it: {again.code} {left} {said.strip()}")
    return _Outcome(ended, not ran.code, not half, same, tuple(wrong))


def _is_told(ran: Ran) -> bool:
    """Whether a run ended in one sentence, and with the code for an output that fails."""
    lines = ran.err.strip().splitlines()
    return (
        ran.code == ExitCode.OUTPUT
        and len(lines) == 1
        and lines[0].startswith("roomtone: ")
        and lines[0].endswith(".")
    )


def _half_written(it: Tiny) -> str:
    """What lies there under a final name and is not whole, or is not what the record says."""
    for path in it.folder.rglob("*.wav"):
        try:
            sf.info(str(path))
        except sf.LibsndfileError:
            return f"{path.name} is no whole sound"
    if not it.home.is_dir() or not it.database.is_file() or not it.database.stat().st_size:
        return ""
    checked = it.run("check", "--read", "--json")
    if checked.code not in (0, ExitCode.CHECK):
        return f"check: {checked.err.strip()}"
    wrong = [item for item in checked.json["findings"] if item["kind"] != "unfinished"]
    return (
        f"check finds {wrong[0]['kind']} {wrong[0]['where']} ({wrong[0]['what']})" if wrong else ""
    )


def _emptied(it: Tiny) -> None:
    for folder in (it.home, it.out):
        shutil.rmtree(folder, ignore_errors=True)


def _sounds(it: Tiny) -> dict[str, str]:
    """The sha256 of every sound of home and delivery, by its path."""
    return {
        path.relative_to(it.folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in (it.home, it.out)
        for path in sorted(folder.rglob("*.wav"))
    }


def _table(
    trials: Sequence[Trial],
    outcomes: Iterable[_Outcome],
    events: Sequence[tuple[str, str]],
    seed: int,
) -> Table:
    counts: dict[Kind, Counter[str]] = defaultdict(Counter)
    wrong: list[str] = []
    for (kind, _), outcome in zip(trials, outcomes, strict=True):
        counts[kind]["runs"] += 1
        for name in ("ended", "passed", "whole", "same"):
            counts[kind][name] += getattr(outcome, name)
        wrong += outcome.wrong
        _tell(sum(count["runs"] for count in counts.values()), len(trials), len(wrong))
    sorts = Counter(operation for operation, _ in events)
    counted = ", ".join(f"{count} {operation}" for operation, count in sorted(sorts.items()))
    rows = tuple(
        (kind, *(str(count[name]) for name in ("runs", "ended", "passed", "whole", "same")))
        for kind, count in counts.items()
    )
    return Table(
        f"Runs on a disk that fails, and under a clock that jumps, seed {seed}",
        ("fault", "runs", "told in a sentence", "went on", "nothing half-written", "same after"),
        rows,
        (
            f"a run without faults does {len(events)} things to its disk: {counted}.",
            "full, read-only: from then on; denied, broken: once; later, earlier: by forty days.",
            *wrong,
            where(),
        ),
    )


def _tell(done: int, of: int, wrong: int) -> None:
    """How far it is, where somebody watches."""
    if sys.stderr.isatty():
        print(f"\r{done} of {of} runs, {wrong} wrong", end="", file=sys.stderr, flush=True)
