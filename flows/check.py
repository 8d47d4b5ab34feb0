"""Whether the home and the deliveries are as they were left: rows, files and, if asked, every byte.

Nothing is changed, and no link is followed out of the home.
"""

from __future__ import annotations

import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adapters.media.essence import file_sha256
from adapters.storage.store import Store, Stored
from config.settings import Settings
from core.errors import EngineError, InputError
from core.finding import Finding
from core.words import some
from db.engine import Database
from db.holdings import held_files, known_contents, known_paths, made_files
from db.home import FILE, open_remembered
from db.integrity import RESTORE, database_findings
from flows.check_files import (
    CLEAN_AGAIN,
    REMEDIES,
    Expected,
    delivered_files,
    deliveries,
    other_files,
    store_files,
    strangers,
)
from flows.delivery import LIST
from flows.progress import MIB, Meter, Progress
from flows.workspace import open_store
from models.weights import RECORD, WeightsFolder

READING = "Reading files (MiB)"
_AT_WORK_S = 3600
"""A file of the store that no row knows may be younger than this: a run writes it, then its row."""


@dataclass(frozen=True)
class Report:
    """What a check found. files, bytes: that were compared. read: whether every byte was."""

    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    files: int
    bytes: int
    read: bool


@dataclass
class _Seen:
    """What a check gathers."""

    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    expected: list[Expected] = field(default_factory=list)


def check(settings: Settings, progress: Progress, *, read: bool, originals: bool) -> Report:
    """Compare the home and the deliveries made from it with the database.

    read: hash every byte again, not only look at sizes. originals: hold them against the database
    too; else only those that are not there are noted. Raises InputError where there is no home,
    and what `open_database` does where the database can't be reached.
    """
    home = settings.home.absolute()
    if not home.is_dir():
        raise InputError(f"{home} does not exist, so there is nothing to check.")
    seen = _Seen()
    progress.step("Checking the database", 0)
    database = _opened(settings, home, seen)
    if database is None:
        seen.notes.append("Files were not compared: without the database nothing can be said.")
        return Report(tuple(seen.findings), tuple(seen.notes), 0, 0, read)
    try:
        seen.findings += database_findings(database, deep=read)
        if any(item.kind == "database" for item in seen.findings):
            seen.notes.append("Files were not compared: the database can't be believed.")
            return Report(tuple(seen.findings), tuple(seen.notes), 0, 0, read)
        store = open_store(settings)
        try:
            _look(database, home, store, seen, originals=originals)
        except InputError as fault:
            if not str(fault).startswith(database.name):
                raise
            # A value that no column can have: what the rows say can't be believed.
            what = str(fault).removeprefix(f"{database.name} ").rstrip(".")
            seen.findings.append(Finding("database", database.name, what, RESTORE))
            seen.notes.append("Files were not compared: the database can't be believed.")
            return Report(tuple(seen.findings), tuple(seen.notes), 0, 0, read)
    finally:
        database.close()
    seen.findings += compared(seen.expected, store, progress, read=read)
    if read:
        seen.findings += _weights(home / "weights")
    size = sum(item.bytes for item in seen.expected)
    return Report(tuple(seen.findings), tuple(seen.notes), len(seen.expected), size, read)


def _opened(settings: Settings, home: Path, seen: _Seen) -> Database | None:
    """The database; None, with a finding, where it is gone or damaged."""
    own = home / FILE
    if not settings.database.get_secret_value() and not (own.is_file() and own.stat().st_size):
        what = "the database is empty" if own.exists() else "the database is not there"
        seen.findings.append(Finding("database", str(own), what, RESTORE))
        return None
    try:
        return open_remembered(settings)
    except InputError as fault:
        what = str(fault).removeprefix(f"{own} ").rstrip(".")
        seen.findings.append(Finding("database", str(own), what, RESTORE))
        return None


def _look(database: Database, home: Path, store: Store, seen: _Seen, *, originals: bool) -> None:
    """Compare rows, names and lists; nothing is read but lists of deliveries."""
    there = dict(_regular(store, seen))
    with database.read() as session:
        held = held_files(session)
        cleaned = {item.key: item for item in made_files(session, "clean") if item.state == "done"}
        rendered = tuple(made_files(session, "render"))
        places, contents = known_paths(session), known_contents(session)
    seen.expected += store_files(store.folder, held)
    for found in strangers(list(there), places, cleaned):
        if isinstance(found, Finding):
            seen.findings.append(found)
        elif time.time() - there[found].changed < _AT_WORK_S:
            said = store.shown(found)
            seen.notes.append(f"{said} is new and no row knows it: a run may be at work.")
        else:
            what = (
                "no row of the database knows this file, which a run that broke off may have left"
            )
            remedy = "run roomtone repair, which sets it aside"
            seen.findings.append(Finding("unknown", store.shown(found), what, remedy, "store"))
    lists = {item.path: item.sha256 for item in held if item.path.name == LIST}
    known: set[Path] = set()
    for delivery in deliveries(held, rendered):
        listed = lists.get(delivery.folder / LIST, "")
        files = delivered_files(delivery, places, contents, listed)
        seen.expected += files.expected
        seen.findings += files.findings
        seen.notes += files.notes
        known |= {delivery.folder / below for made in delivery.made.values() for below in made}
    rest = other_files(home, held, known)
    away = [str(item.path) for item in rest if item.place == "original" and not item.path.exists()]
    if away:
        seen.notes.append(f"{len(away)} originals are not there now: {some(away)}.")
    seen.expected += (
        item
        for item in rest
        if item.place != "original" or (originals and str(item.path) not in away)
    )


def _regular(store: Store, seen: _Seen) -> Iterator[tuple[Path, Stored]]:
    """The files of the store; links and the like are told and not followed."""
    for path, stored in store.files():
        if stored.regular:
            yield path, stored
        else:
            remedy = "remove it; what the store needs must lie in it"
            seen.findings.append(
                Finding("link", str(path), "this is a link or the like, and no file", remedy)
            )


def compared(
    expected: Sequence[Expected], store: Store, progress: Progress, *, read: bool
) -> Iterator[Finding]:
    """What is wrong with files that should be there; read: by every byte of theirs."""
    total = sum(item.bytes for item in expected) if read else 0
    progress.step(READING if read else "Looking at files", total // MIB)
    meter = Meter(progress, READING)
    for item in expected:
        found = _compared(item, store, meter, read=read)
        if found is not None:
            yield found


def _compared(item: Expected, store: Store, meter: Meter, *, read: bool) -> Finding | None:
    kept = item.place == "store"
    where = store.shown(item.path) if kept else str(item.path)
    remedy = REMEDIES[item.place]
    # What a clean itself sees is missing needs no repair before.
    sooner = CLEAN_AGAIN if item.place == "delivery" else remedy
    try:
        found = store.look(item.path) if kept else _lies_at(item.path)
    except OSError as fault:
        what = f"{item.what} can't be looked at ({fault.strerror})"
        return Finding("unreadable", where, what, "check the disk and its permissions", item.place)
    if found is None:
        return Finding("missing", where, f"{item.what} is not there", sooner, item.place)
    if not found.regular:
        # Links of the store are told where it is walked through.
        return None if kept else Finding("missing", where, "no file", remedy, item.place)
    if found.bytes != item.bytes:
        what = f"{item.what} has {found.bytes} bytes and should have {item.bytes}"
        return Finding("size", where, what, sooner, item.place)
    if not read:
        return None
    try:
        sha256 = (store.sha256 if kept else file_sha256)(item.path, meter.more)
    except InputError as fault:
        return Finding("unreadable", where, str(fault).rstrip("."), "check the disk", item.place)
    if sha256 == item.sha256:
        return None
    what = f"{item.what} has other bytes than when it was made (sha256 {sha256[:12]}, not"
    return Finding("changed", where, f"{what} {item.sha256[:12]})", remedy, item.place)


def _lies_at(path: Path) -> Stored | None:
    """What lies at a path, where a link leads; None for nothing."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return Stored(found.st_size, found.st_mtime, stat.S_ISREG(found.st_mode))


def _weights(folder: Path) -> Iterator[Finding]:
    """Sets of weights that are not as they were recorded."""
    sets = WeightsFolder(folder)
    for name in _recorded(folder):
        try:
            sets.sha256(name)
        except EngineError as fault:
            remedy = f"fetch or import {name} again (roomtone models)"
            yield Finding("weights", str(folder / name), str(fault).rstrip("."), remedy)


def _recorded(folder: Path) -> Iterable[str]:
    """The sets that have a record; one without is recorded when it is used first."""
    if not folder.is_dir():
        return ()
    return sorted(path.name for path in folder.iterdir() if (path / RECORD).is_file())
