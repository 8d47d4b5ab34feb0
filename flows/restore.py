"""Put a backup into a home that has nothing yet, whole: the database comes last."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

from adapters.json_file import read_json
from adapters.media.essence import file_sha256
from adapters.media.whole import output_error, whole_file
from adapters.storage.store import Store
from config.settings import Settings
from core.errors import InputError, OutputError
from db.engine import Database, open_database
from db.home import FILE, open_remembered
from db.mend import is_empty, move_places
from db.portable import bounded_lines, dump_rows, load_rows
from db.provenance import record
from flows.backup import BESIDE, FORMAT, STORE, Item, copied
from flows.progress import MIB, Meter, Progress
from flows.vault import Vault
from flows.workspace import activity, open_store

RESTORING = "Restoring (MiB)"
_MOST_BYTES = 512 << 20
_MOST_VALUES = 8_000_000
"""Of a backup's list: two million files."""

_LARGEST = 1 << 62
"""Bytes of a file, as any disk can have it."""

_FOLDERS = ("store", "essence", "weights")
_SHA256 = 64
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True)
class Backup:
    """A backup by its list, which `name` is for people.

    made: when, in UTC. home: where the home was. kind: of the database.
    """

    name: str
    made: datetime
    home: Path
    kind: str
    database: Item
    files: tuple[Item, ...]


def backups(vault: Vault) -> tuple[Path, ...]:
    """The lists of the backups in a vault, the earliest first. Raises InputError for none."""
    found = [path for path, _ in vault.lists.files() if path.suffix == ".json"]
    if not found:
        raise InputError(f"{vault.name} has no backup of roomtone; give what backup was given.")
    return tuple(sorted(found))


def read_backup(path: Path, name: str = "") -> Backup:
    """A backup by its list. Raises InputError where it is damaged, or a newer roomtone's.

    name: for people, where it is not the path.
    """
    name = name or str(path)
    try:
        found = read_json(path, _MOST_BYTES, _MOST_VALUES)
        if found["backup"] != FORMAT:
            raise InputError(f"{name} was written by a newer roomtone: update roomtone.")
        database = found["database"]
        if database["kind"] not in ("sqlite", "rows"):
            raise ValueError(database)
        return Backup(
            name=name,
            made=datetime.fromisoformat(found["made"]),
            home=Path(found["home"]),
            kind=database["kind"],
            database=_item({"path": FILE, **database}),
            files=tuple(_item(item) for item in found["files"]),
        )
    except OSError as fault:
        raise InputError(f"{name} can't be read ({fault.strerror}).") from fault
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as fault:
        raise InputError(f"{name} is no list of a backup any more: use another backup.") from fault


def _item(found: Any) -> Item:
    path, sha256, size = PurePosixPath(found["path"]), found["sha256"], found["bytes"]
    named = path.parts[0] in _FOLDERS or str(path) in (*BESIDE, FILE)
    if path.is_absolute() or ".." in path.parts or not named or "\0" in str(path):
        raise ValueError(path)
    if len(sha256) != _SHA256 or not set(sha256) <= _HEX:
        raise ValueError(sha256)
    if not isinstance(size, int) or not 0 <= size <= _LARGEST:
        raise ValueError(sha256)
    return Item(str(path), sha256, size)


def restore(settings: Settings, vault: Vault, backup: Backup, progress: Progress, by: str) -> None:
    """Put a backup's files, and then its database, into the home of the settings.

    What the home's store has already is kept where it is the same, so that a restore that broke
    off goes on. Every byte is compared on its way. Raises OutputError where the home has a
    database, or other files where the backup's go; InputError where the backup is damaged.
    """
    started = datetime.now(UTC)
    home = settings.home.absolute()
    _refuse_full(settings, home, backup)
    total = sum(item.bytes for item in (*backup.files, backup.database))
    progress.step(RESTORING, total // MIB)
    meter = Meter(progress, RESTORING)
    store = open_store(settings)
    for item in backup.files:
        if item.path.startswith(f"{STORE}/"):
            _store(vault, item, store, meter)
        else:
            _put(vault, item, home / item.path, meter)
    with _scratch(home) as temporary:
        _put(vault, backup.database, temporary, meter)
        _database(settings, backup, temporary, started, by)


def _refuse_full(settings: Settings, home: Path, backup: Backup) -> None:
    """Only an empty home is filled."""
    own = home / FILE
    if not settings.database.get_secret_value() and own.exists() and own.stat().st_size:
        raise OutputError(
            f"{home} has a database already; choose an empty ROOMTONE_HOME, or move that one away."
        )
    expected = {home / item.path for item in backup.files}
    for name in _FOLDERS[:2]:
        for parent, _, names in os.walk(home / name):
            for file in names:
                if Path(parent, file) not in expected:
                    raise OutputError(
                        f"{Path(parent, file)} is not of this backup; choose an empty"
                        " ROOMTONE_HOME."
                    )


def _store(vault: Vault, item: Item, store: Store, meter: Meter) -> None:
    """Have a file of the backup in the store, unless it is there already with the same bytes."""
    path = store.folder.joinpath(*PurePosixPath(item.path).parts[1:])
    if not store.remote:
        _put(vault, item, path, meter)
        return
    if store.has(path, item.bytes) and store.sha256(path, lambda _: None) == item.sha256:
        meter.more(item.bytes)
        return
    with store.making(path) as made:
        _put(vault, item, made, meter)
        store.keep(made, path, item.sha256)


def _put(vault: Vault, item: Item, target: Path, meter: Meter) -> None:
    """Have a file of the backup at its place, compared byte by byte."""
    if target.is_file() and not target.is_symlink() and file_sha256(target) == item.sha256:
        meter.more(item.bytes)
        return
    objects, source = vault.objects, vault.object(item.sha256)
    shown = objects.shown(source)
    damaged = f"{shown} is damaged ({item.path} has other bytes): use another backup."
    if not objects.has(source, item.bytes) or source.is_symlink():
        raise InputError(
            f"{shown} is missing from the backup, or not whole ({item.path}): use another backup."
        )
    try:
        here = objects.here(source)
    except InputError as fault:
        raise InputError(damaged) from fault
    try:
        with whole_file(target) as temporary:
            if copied(here, temporary, meter.more)[0] != item.sha256:
                raise InputError(damaged)
    finally:
        objects.let_go(source)


def _database(
    settings: Settings, backup: Backup, temporary: Path, started: datetime, by: str
) -> None:
    """Bring the database into place, with the paths of this home."""
    home = settings.home.absolute()
    if settings.database.get_secret_value():
        database = open_remembered(settings)
        try:
            _fill(database, backup, temporary)
            _finish(database, backup, home, started, by)
        finally:
            database.close()
        return
    if backup.kind == "rows":
        fresh = temporary.with_name(temporary.name + ".db")
        database = open_database(fresh)
        _fill(database, backup, temporary)
    else:
        fresh = temporary
        database = open_database(fresh)
    try:
        _finish(database, backup, home, started, by)
    finally:
        database.close()
    try:
        with whole_file(home / FILE) as place:
            fresh.replace(place)
    except OSError as fault:
        raise output_error(home / FILE, fault) from fault


def _fill(database: Database, backup: Backup, source: Path) -> None:
    """Take the rows of a backup into an empty database, of whichever kind either is."""
    with database.write() as session:
        if not is_empty(session):
            raise OutputError(f"{database.name} holds something already; choose an empty database.")
        if backup.kind == "rows":
            with source.open(encoding="ascii") as lines:
                load_rows(session, bounded_lines(lines), backup.name)
            return
        other = open_database(source)
        try:
            with other.read() as theirs:
                load_rows(session, dump_rows(theirs), backup.name)
        finally:
            other.close()


def _finish(database: Database, backup: Backup, home: Path, started: datetime, by: str) -> None:
    """Note where the home's files lie now, and that this is a restored home."""
    with database.write() as session:
        moved = move_places(session, backup.home, home)
        done = activity(
            "restore",
            uuid4().hex,
            started,
            {
                "backup": PurePosixPath(backup.name).name,
                "made": backup.made.isoformat(),
                "moved": moved,
            },
        )
        record(session, replace(done, agent=by), used=[], generated=[])


class _scratch:  # noqa: N801 (a context manager, used like a function)
    """A temporary name in the home, and what a database leaves beside it, gone after the block."""

    def __init__(self, home: Path) -> None:
        self._path = home / f".restoring-{uuid4().hex}"

    def __enter__(self) -> Path:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return self._path

    def __exit__(self, *_: object) -> None:
        for path in self._beside():
            path.unlink(missing_ok=True)

    def _beside(self) -> Iterator[Path]:
        for middle in ("", ".db"):
            for end in ("", "-wal", "-shm", "-journal"):
                yield self._path.with_name(self._path.name + middle + end)
