"""Tampering with a really cleaned home: is each thing named, nothing else, and put right again?"""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.scratch import scratch_folder
from bench.table import Table, where
from bench.tampering import KINDS, Tampering, delivered_files, store_files, tamper
from bench.tiny import Tiny, made_film
from core.errors import ExitCode

_OF_ROWS = ("row", "hash", "value")
_ASKED = "a backup is asked for"
_RECORD = ("database", "count", "seal", "row")


@dataclass
class _Score:
    """Of one kind. wrong: what did not go as it should, a sentence each."""

    done: int = 0
    named: int = 0
    invented: int = 0
    repaired: int = 0
    restored: int = 0
    wrong: list[str] = field(default_factory=list)


def bench_tamper(count: int, seed: int) -> Table:
    """Tamper so many times, kind after kind. seed: the same one does the same things."""
    with scratch_folder() as scratch:
        it = made_film(scratch / "now")
        ran = it.clean()
        assert ran.code == 0, ran.err
        return tampered_with(it, scratch, count, seed)


def tampered_with(it: Tiny, scratch: Path, count: int, seed: int) -> Table:
    """The same on a home that cleaned its cut already; it is as it was afterwards.

    scratch: a folder for copies of it.
    """
    chance = random.Random(seed)
    scores = {kind: _Score() for kind in KINDS}
    pristine = Tiny(scratch / "pristine")
    shutil.copytree(it.folder, pristine.folder, copy_function=shutil.copy2)
    backed = it.run("backup", scratch / "backup")
    assert backed.code == 0, backed.err
    before = _contents(it)
    for number in range(count):
        kind = list(KINDS)[number % len(KINDS)]
        done = tamper(it, kind, chance)
        _judge(it, done, scores[kind], number, before, scratch / "backup")
        for folder in (it.home, it.out):
            shutil.rmtree(folder)
            shutil.copytree(pristine.folder / folder.name, folder, copy_function=shutil.copy2)
    return _table(scores, seed)


def _judge(
    it: Tiny,
    done: Tampering,
    score: _Score,
    number: int,
    before: Mapping[Path, str],
    backup: Path,
) -> None:
    score.done += 1
    told = it.run("check", "--read", "--json")
    found = told.json["findings"] if told.code in (0, ExitCode.CHECK) else []
    missed = _missed(done, found, told.json["notes"] if found or told.code == 0 else [])
    invented = [] if done.broken else _invented(done, found)
    named = f"{number} {done.kind} {_short(done)}"
    if told.code not in (0, ExitCode.CHECK):
        missed = f"check ended with {told.code}: {told.err.strip()}"
    verified = _verified(it, done, before)
    if missed or verified:
        score.wrong.append(f"{named}: {missed or verified}.")
    else:
        score.named += 1
    score.invented += len(invented)
    score.wrong += [f"{named}: {item['kind']} {item['where']} is invented." for item in invented]
    left = _repaired(it, done, before)
    if not left:
        score.repaired += 1
        return
    if left is _ASKED:
        left = _restored(it, before, backup)
    if left:
        score.wrong.append(f"{named}: {left}.")
    else:
        score.restored += 1


def _missed(done: Tampering, found: Sequence[Mapping[str, Any]], notes: Sequence[str]) -> str:
    """What was done and is not named; empty where all is."""
    places = {item["where"] for item in found}
    if done.kind in _OF_ROWS:
        if done.table == "alembic_version":
            return "" if any(item["kind"] == "database" for item in found) else "it is not named"
        table = "row_counts" if done.table == "row_counts" else f"table {done.table}"
        counts = {item["where"] for item in found if item["kind"] in ("count", "seal")}
        of_counts = {f"table {value}" for value in done.values} if table == "row_counts" else set()
        return "" if table in counts or counts & of_counts else f"{table} is not named"
    if done.kind == "garbage" and not done.broken:
        return "" if any(item["kind"] in _RECORD for item in found) else "it is not named"
    lost = [path for path in done.files if str(path) not in places]
    lost = [path for path in lost if not any(str(path) in note for note in notes)]
    return f"{', '.join(path.name for path in lost)} is not named" if lost else ""


def _invented(done: Tampering, found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Findings of something that nobody touched, and that says nothing of what was."""
    own = {str(path) for path in done.files}
    if done.kind == "garbage":
        return [i for i in found if i["kind"] not in _RECORD and not _speaks_of(done, i)]
    if done.kind not in _OF_ROWS:
        return [item for item in found if item["where"] not in own]
    tables = {f"table {done.table}", "row_counts"}
    return [
        item
        for item in found
        if item["kind"] != "database" and item["where"] not in tables and not _speaks_of(done, item)
    ]


def _speaks_of(done: Tampering, item: Mapping[str, Any]) -> bool:
    said = f"{item['where']} {item['what']}"
    return any(value in said for value in done.values) or f"rows of {done.table} " in said


def _verified(it: Tiny, done: Tampering, before: Mapping[Path, str]) -> str:
    """Whether verify tells the files that were changed from the others; else what it says."""
    if done.kind not in ("flip", "truncate"):
        return ""
    told = it.run("verify", "--json", *before).json
    wrong = {Path(item["path"]) for item in told if item["verdict"] != "unchanged"}
    if wrong == done.files:
        return ""
    return f"verify says so of {', '.join(sorted(path.name for path in wrong)) or 'none'}"


def _repaired(it: Tiny, done: Tampering, before: Mapping[Path, str]) -> str:
    """Put right what was done, as people are told to; what is wrong after that, or empty.

    `_ASKED` where a backup is asked for.
    """
    ran = it.run("repair", "--yes", "--json")
    if ran.code == ExitCode.INPUT:
        asked = "roomtone restore" in ran.err or done.table == "alembic_version"
        return _ASKED if asked else f"repair ended with {ran.code}: {ran.err.strip()}"
    if ran.code not in (0, ExitCode.CHECK):
        return f"repair ended with {ran.code}: {ran.err.strip()}"
    if any(path.is_relative_to(it.out) for path in done.files) and done.kind != "foreign":
        ran = it.clean()
        if ran.code:
            return f"clean ended with {ran.code}: {ran.err.strip()}"
    return _wrong(it, before)


def _restored(it: Tiny, before: Mapping[Path, str], backup: Path) -> str:
    """The same by the backup."""
    shutil.rmtree(it.home)
    ran = it.run("restore", backup)
    if ran.code:
        return f"restore ended with {ran.code}: {ran.err.strip()}"
    return _wrong(it, before)


def _wrong(it: Tiny, before: Mapping[Path, str]) -> str:
    """What is still not as it was."""
    left = it.run("check", "--read", "--json")
    if left.code == ExitCode.CHECK:
        found = left.json["findings"]
        if all("roomtone restore" in item["remedy"] for item in found):
            return _ASKED
        return f"check still says {found}"
    if left.code:
        return f"check ended with {left.code}: {left.err}"
    after = _contents(it)
    sounds = [path for path in before if path.suffix == ".wav"]
    other = [path.name for path in sounds if after.get(path) != before[path]]
    return f"{', '.join(other)} came back with other bytes" if other else ""


def _contents(it: Tiny) -> dict[Path, str]:
    """The sha256 of every file of store and delivery."""
    files = [*store_files(it), *delivered_files(it)]
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _short(done: Tampering) -> str:
    return done.table or ", ".join(sorted(path.name for path in done.files))


def _table(scores: Mapping[str, _Score], seed: int) -> Table:
    rows = [
        (kind, str(s.done), str(s.named), str(s.invented), str(s.repaired), str(s.restored))
        for kind, s in scores.items()
    ]
    total = tuple(str(sum(int(row[n]) for row in rows)) for n in range(1, 6))
    return Table(
        f"Tampering with a home and its delivery, seed {seed}",
        ("kind", "done", "named", "invented", "repaired", "from a backup"),
        (*rows, ("all", *total)),
        (
            "repaired, from a backup: check --read finds all in order again, and every sound has "
            "its old bytes, after repair and the clean that it names, or after restore.",
            *(sentence for score in scores.values() for sentence in score.wrong),
            where(),
        ),
    )
