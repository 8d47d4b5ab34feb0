"""Back up a home's database and store to a folder, each content once.

The folder has `objects`, files named after their sha256, and `backups`, a list for each backup,
written when everything that it names is there. A backup that breaks off leaves no list; what it
had copied is not copied again.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.media.essence import file_sha256
from adapters.media.whole import is_part, output_error, part_path, sweep, whole_file, write_text
from adapters.storage.store import Store
from core.errors import InputError, OutputError, UsageError
from db.holdings import Held, held_files
from db.portable import dump_rows
from flows.check_files import Expected, other_files, store_files
from flows.progress import MIB, Meter, Progress
from flows.workspace import Workspace, code_version

LISTS, OBJECTS = "backups", "objects"
STORE = "store"
"""Below it a backup names what lay in the store, wherever that was."""
FORMAT = 1
BESIDE = ("roomtone.toml", "access.json")
COPYING = "Backing up (MiB)"
_BLOCK = 1 << 22


@dataclass(frozen=True)
class Item:
    """A file of a backup. path: below the home, with forward slashes."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class BackedUp:
    """A backup that was made. path: of its list. copied: bytes that the folder did not have."""

    path: Path
    files: int
    bytes: int
    copied: int


def back_up(
    work: Workspace, folder: Path, progress: Progress, *, weights: bool, read: bool
) -> BackedUp:
    """Back up database, store, sound out of cuts, settings and access, and weights if asked.

    Contents that the folder has are not copied again; read: but read again and compared. Raises
    InputError where a file of the store is not what the database says, OutputError where the
    folder can't be written.
    """
    home, store = work.settings.home.absolute(), work.store
    if str(folder).startswith("s3:"):
        raise UsageError("A backup goes to a folder; put that folder into a bucket then.")
    if folder.absolute().is_relative_to(home) or home.is_relative_to(folder.absolute()):
        raise OutputError(f"{folder} and the home {home} lie in each other; choose another folder.")
    copier = _Copier(folder.absolute(), progress, read=read)
    copier.prepare()
    kind, database, held = _database(work, copier)
    kept = store_files(store.folder, held)
    rest = [item for item in other_files(home, held, ()) if item.path.is_relative_to(home)]
    extra = [home / name for name in BESIDE if not (home / name).is_symlink()]
    if weights:
        extra += _below(home / "weights")
    progress.step(COPYING, sum(item.bytes for item in (*kept, *rest)) // MIB)
    items = [
        Item(f"{STORE}/{at.path.relative_to(store.folder).as_posix()}", *copier.keep_of(store, at))
        for at in kept
    ]
    items += [_item(home, item.path, copier.keep(item.path, item.sha256)) for item in rest]
    items += [_item(home, path, copier.keep(path)) for path in extra if path.is_file()]
    made = datetime.now(UTC)
    content: dict[str, Any] = {
        "roomtone": code_version(),
        "backup": FORMAT,
        "made": made.isoformat(),
        "home": str(home),
        "database": {"kind": kind, **database},
        "files": [asdict(item) for item in items],
    }
    path = folder.absolute() / LISTS / f"{made:%Y%m%dT%H%M%S%fZ}.json"
    write_text(path, json.dumps(content, indent=1) + "\n")
    size = sum(item.bytes for item in items) + int(database["bytes"])
    return BackedUp(path, len(items), size, copier.copied)


def _database(work: Workspace, copier: _Copier) -> tuple[str, dict[str, Any], tuple[Held, ...]]:
    """The database as it is now, and the files that it speaks of in the same moment."""
    with copier.filled() as temporary:
        with work.database.read() as session:
            held = held_files(session)
            kind = "sqlite" if work.database.copy(session, temporary) else "rows"
            if kind == "rows":
                _write_lines(temporary, dump_rows(session))
        sha256 = copier.keep(temporary)[0]
        size = copier.object(sha256).stat().st_size
    return kind, {"sha256": sha256, "bytes": size}, held


def _write_lines(path: Path, lines: Iterator[str]) -> None:
    try:
        with path.open("w", encoding="ascii", newline="\n") as file:
            file.writelines(lines)
    except OSError as fault:
        raise output_error(path, fault) from fault


def _item(home: Path, path: Path, kept: tuple[str, int]) -> Item:
    return Item(path.relative_to(home).as_posix(), *kept)


def _below(folder: Path) -> list[Path]:
    """The files below a folder; links are not followed."""
    found = [
        Path(parent, name)
        for parent, folders, names in os.walk(folder)
        for name in names
        if not Path(parent).name.startswith(".") and not is_part(name)
    ]
    return sorted(path for path in found if stat.S_ISREG(path.lstat().st_mode))


class _Copier:
    """Puts contents into a backup folder, each once."""

    def __init__(self, folder: Path, progress: Progress, *, read: bool) -> None:
        self.copied = 0
        self._folder = folder
        self._read = read
        self._told = Meter(progress, COPYING).more

    def prepare(self) -> None:
        """Make the folder, for nobody else to read, and clear what broke off there."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in (LISTS, OBJECTS):
                (self._folder / name).mkdir(mode=0o700, exist_ok=True)
        except OSError as fault:
            raise output_error(self._folder, fault) from fault
        sweep(self._folder / OBJECTS)

    def object(self, sha256: str) -> Path:
        """Where a content lies."""
        return self._folder / OBJECTS / sha256[:2] / sha256

    def filled(self) -> _Scratch:
        """A temporary file in the folder."""
        return _Scratch(part_path(self._folder / OBJECTS / "database"))

    def keep_of(self, store: Store, item: Expected) -> tuple[str, int]:
        """Have a file of the store in the folder, as `keep` does."""
        if not store.remote:
            return self.keep(item.path, item.sha256)
        there = self.object(item.sha256)
        if there.is_file() and there.stat().st_size == item.bytes and not self._read:
            self._told(item.bytes)
            return item.sha256, item.bytes
        return self.keep(store.here(item.path), item.sha256)

    def keep(self, path: Path, sha256: str = "") -> tuple[str, int]:
        """Have a file's content in the folder; its sha256 and size.

        sha256: what it must be. Raises InputError where it is something else or can't be read.
        """
        try:
            found = path.lstat()
        except OSError as fault:
            raise _gone(path) from fault
        if not stat.S_ISREG(found.st_mode):
            raise _gone(path)
        there = self.object(sha256) if sha256 else None
        known = there is not None and there.is_file() and there.stat().st_size == found.st_size
        if known and not self._read:
            self._told(found.st_size)
            return sha256, found.st_size
        if known and there is not None and file_sha256(there, self._told) == sha256:
            return sha256, found.st_size
        return self._copy(path, sha256)

    def _copy(self, path: Path, sha256: str) -> tuple[str, int]:
        temporary = part_path(self._folder / OBJECTS / path.name[-40:])
        with _Scratch(temporary):
            found, size = copied(path, temporary, self._told)
            if sha256 and found != sha256:
                raise InputError(
                    f"{path} is not what it was when it was made: run roomtone repair, and back"
                    " up then."
                )
            final = self.object(found)
            if not (final.is_file() and final.stat().st_size == size and not self._read):
                with whole_file(final) as place:
                    temporary.replace(place)
                self.copied += size
        return found, size


class _Scratch:
    """A temporary file that is gone after the block, whatever happened in it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Path:
        return self._path

    def __exit__(self, *_: object) -> None:
        self._path.unlink(missing_ok=True)


def copied(source: Path, target: Path, told: Callable[[int], None]) -> tuple[str, int]:
    """Copy a file for its owner alone to read; the sha256 and size of what was copied.

    Raises InputError where the source can't be read, OutputError where the target can't be written.
    """
    digest, size = hashlib.sha256(), 0
    try:
        file = source.open("rb")
    except OSError as fault:
        raise InputError(f"{source} can't be read ({fault.strerror}): check the disk.") from fault
    with file:
        try:
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as into:
                while block := file.read(_BLOCK):
                    digest.update(block)
                    into.write(block)
                    size += len(block)
                    told(len(block))
        except OSError as fault:
            raise output_error(target, fault) from fault
    return digest.hexdigest(), size


def _gone(path: Path) -> InputError:
    return InputError(f"{path} is missing: run roomtone repair, and back up then.")
