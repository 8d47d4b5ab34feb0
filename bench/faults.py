"""Runs on a disk that fails, at every thing that they write: do they end well, and go on later?"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from unittest.mock import patch

import soundfile as sf

from adapters.media.whole import is_part
from bench.command import Ran
from bench.faulty import FAULTS, JUMPS, Disk, Kind, faulty, may_fail
from bench.scratch import scratch_folder
from bench.table import Table, where
from bench.tiny import Tiny, made_film
from core.errors import ExitCode

_GONE = 5_000_000
"""The number of a process that has ended: higher than any system gives, so nobody's by now."""


@dataclass
class _Score:
    """Of one kind of fault. ended: runs that ended in a sentence; passed: that went on without."""

    runs: int = 0
    ended: int = 0
    passed: int = 0
    whole: int = 0
    same: int = 0
    wrong: list[str] = field(default_factory=list)


def bench_faults(points: int, seed: int) -> Table:
    """Faults of every kind at the n-th write of a run.

    points: of each kind; all sorts of writes come before more of one sort. seed: for the choice.
    """
    with scratch_folder() as scratch:
        it = made_film(scratch)
        ran = it.clean()
        assert ran.code == 0, ran.err
        return failed_runs(it, (*FAULTS, *JUMPS), points, seed)


def failed_runs(it: Tiny, kinds: Sequence[Kind], points: int, seed: int) -> Table:
    """The same with some kinds of faults, on a film whose cut was cleaned here before."""
    _emptied(it)
    with faulty(Disk(it.folder)) as disk:
        ran = it.clean()
    assert ran.code == 0, ran.err
    sounds = _sounds(it)
    chance = random.Random(seed)
    scores: dict[Kind, _Score] = {}
    for kind in kinds:
        scores[kind] = _Score()
        for number in chosen(disk.events, kind, points, chance):
            _judge(it, kind, number, disk.events[number], sounds, scores[kind])
    return _table(scores, disk.events, seed)


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


def _judge(
    it: Tiny,
    kind: Kind,
    number: int,
    event: tuple[str, str],
    sounds: Mapping[str, str],
    score: _Score,
) -> None:
    """Run with the fault, check, and run again without it."""
    _emptied(it)
    at = f"{kind} at {number} ({' '.join(event)})"
    score.runs += 1
    # As if it were another process, which is gone when the next one comes.
    with patch.object(os, "getpid", lambda: _GONE), faulty(Disk(it.folder, kind, number)):
        ran = it.clean()
    if ran.code == 0:
        score.passed += 1
    elif _is_told(ran) and kind not in JUMPS:
        score.ended += 1
    else:
        score.wrong.append(f"{at}: ended with {ran.code}: {ran.err.strip()[-400:]}")
    half = _half_written(it)
    if half:
        score.wrong.append(f"{at}: {half}")
    else:
        score.whole += 1
    again = it.clean()
    left = [path.name for path in it.folder.rglob("*") if is_part(path.name)]
    checked = it.run("check", "--read", "--json")
    if again.code or _sounds(it) != sounds or left or checked.code:
        said = again.err or checked.out[:400] or checked.err
        score.wrong.append(f"{at}: the run after it: {again.code} {left} {said.strip()}")
    else:
        score.same += 1


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


def _table(scores: Mapping[Kind, _Score], events: Sequence[tuple[str, str]], seed: int) -> Table:
    sorts = Counter(operation for operation, _ in events)
    counted = ", ".join(f"{count} {operation}" for operation, count in sorted(sorts.items()))
    rows = tuple(
        (kind, str(s.runs), str(s.ended), str(s.passed), str(s.whole), str(s.same))
        for kind, s in scores.items()
    )
    return Table(
        f"Runs on a disk that fails, and under a clock that jumps, seed {seed}",
        ("fault", "runs", "told in a sentence", "went on", "nothing half-written", "same after"),
        rows,
        (
            f"a run without faults does {len(events)} things to its disk: {counted}.",
            "full, read-only: from then on; denied, broken: once; later, earlier: by forty days.",
            *(sentence for score in scores.values() for sentence in score.wrong),
            where(),
        ),
    )
