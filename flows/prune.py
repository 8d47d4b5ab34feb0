"""Make room in the store: cleaned takes that nothing needs any more, the oldest first.

All of them can be made again from their originals. An original is never touched.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from adapters.media.whole import is_part
from core.errors import OutputError
from db.codec import JSON
from db.holdings import held_files
from db.mend import strike_off
from db.needs import (
    CleanedRow,
    cleaned_rows,
    files_made_with,
    keys_of_cuts,
    keys_of_locks,
    keys_of_reviews,
    newest_of_takes,
)
from db.provenance import record
from flows.workspace import Workspace, activity

YOUNG_S = 24 * 3600
"""What is younger may belong to a run that has not delivered yet."""


@dataclass(frozen=True)
class Take:
    """A cleaned take in the store. needed: by what, a clause; empty where nothing needs it."""

    key: str
    path: Path
    bytes: int
    cleaned: datetime
    needed: str


@dataclass(frozen=True)
class Plan:
    """What would go. takes: all of the store. cache: files that can be made again."""

    takes: tuple[Take, ...]
    going: tuple[Take, ...]
    cache: tuple[Path, ...]
    cache_bytes: int

    @property
    def bytes(self) -> int:
        """That would be freed."""
        return sum(item.bytes for item in self.going) + self.cache_bytes

    @property
    def left(self) -> int:
        """Bytes that the store's cleaned takes would have then."""
        return sum(item.bytes for item in self.takes) - sum(item.bytes for item in self.going)


def plan_pruning(work: Workspace, quota: int | None, *, cache: bool) -> Plan:
    """What can go; nothing is changed.

    quota: bytes that the store may keep: only as much goes as is needed for that, the oldest
    first. None: all that nothing needs. cache: what of the cache is older than a day, as well.
    """
    takes = tuple(_takes(work))
    free = [item for item in takes if not item.needed]
    over = sum(item.bytes for item in takes) - (quota or 0)
    going = []
    for item in free:
        if quota is not None and over <= 0:
            break
        going.append(item)
        over -= item.bytes
    files = tuple(_old(work.cache)) if cache else ()
    return Plan(takes, tuple(going), files, sum(path.lstat().st_size for path in files))


def prune(work: Workspace, plan: Plan, by: str) -> int:
    """Remove what was planned, rows first, and record it; how many files went.

    Raises OutputError where a file can't be removed; those before it are gone then.
    """
    started = datetime.now(UTC)
    doomed = {item.path.parts[-2:] for item in plan.going}
    parameters: dict[str, JSON] = {
        "takes": [item.key for item in plan.going],
        "cache": len(plan.cache),
        "bytes": plan.bytes,
    }
    with work.database.write() as session:
        held = held_files(session)
        clean = [item.path for item in held if item.kind == "clean"]
        strike_off(session, [path for path in clean if path.parts[-2:] in doomed])
        done = activity("prune", uuid4().hex, started, parameters)
        record(session, replace(done, agent=by), used=[], generated=[])
    gone = 0
    for item in plan.going:
        work.store.remove(item.path)
        gone += 1
    for path in plan.cache:
        try:
            path.unlink(missing_ok=True)
        except OSError as fault:
            raise OutputError(
                f"{path} can't be removed ({fault.strerror}): close what uses it and run again."
            ) from fault
        gone += 1
    return gone


def _takes(work: Workspace) -> Iterator[Take]:
    with work.database.read() as session:
        rows = cleaned_rows(session)
        cuts = keys_of_cuts(session)
        decided = {
            **dict.fromkeys(keys_of_reviews(session), "a person decided on it"),
            **dict.fromkeys(keys_of_locks(session), "a person locked it"),
        }
        made: dict[str, Path] = {}
        for asset, path in files_made_with(session):
            if asset not in made and path.is_file():
                made[asset] = path
    newest = newest_of_takes(rows)
    there = dict(work.store.files())
    for row in rows:
        path = work.store.place(row.key)
        found = there.get(path)
        if found is None or not found.regular:
            continue
        young = time.time() - found.changed < YOUNG_S
        needed = _needed(row, decided, cuts, made, newest) or ("it is new" if young else "")
        yield Take(row.key, path, found.bytes, row.ended, needed)


def _needed(
    row: CleanedRow,
    decided: Mapping[str, str],
    cuts: Mapping[str, str],
    made: Mapping[str, Path],
    newest: frozenset[str],
) -> str:
    """What needs a cleaned take, a clause; empty where nothing does."""
    if row.key in decided:
        return decided[row.key]
    if row.key in cuts:
        return f"the cut {cuts[row.key]} plays it"
    if row.sha256 in made:
        return f"{made[row.sha256]} was made from it"
    return "it is the newest of its take" if row.key in newest else ""


def _old(folder: Path) -> Iterator[Path]:
    """The files of the cache that no run of today touched; links are left alone."""
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or not path.is_file() or is_part(path.name):
            continue
        if time.time() - path.stat().st_mtime > YOUNG_S:
            yield path
