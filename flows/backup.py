"""Back up a home's database and store to a folder or a bucket, each content once.

A vault has `objects`, files named after their sha256, and `backups`, a list for each backup,
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

from adapters.media.whole import is_part, output_error, part_path, whole_file, write_text
from adapters.storage.store import Store
from core.errors import InputError, OutputError
from db.holdings import Held, held_files
from db.portable import dump_rows
from flows.check_files import Expected, other_files, store_files
from flows.progress import MIB, Meter, Progress
from flows.vault import Vault
from flows.workspace import Workspace, code_version

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
    """A backup that was made. path: of its list. copied: bytes that the vault did not have."""

    path: str
    files: int
    bytes: int
    copied: int


def back_up(
    work: Workspace, vault: Vault, progress: Progress, *, weights: bool, read: bool
) -> BackedUp:
    """Back up database, store, sound out of cuts, settings and access, and weights if asked.

    Contents that the vault has are not copied again; read: but read again and compared. Raises
    InputError where a file of the store is not what the database says, OutputError where the
    vault can't be written.
    """
    home, store = work.settings.home.absolute(), work.store
    if vault.folder and (vault.folder.is_relative_to(home) or home.is_relative_to(vault.folder)):
        raise OutputError(
            f"{vault.name} and the home {home} lie in each other; choose another folder."
        )
    vault.prepare()
    copier = _Copier(vault, progress, read=read)
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
    path = vault.lists.folder / f"{made:%Y%m%dT%H%M%S%fZ}.json"
    text = json.dumps(content, indent=1) + "\n"
    with vault.lists.making(path) as place:
        write_text(place, text)
        vault.lists.keep(place, path, hashlib.sha256(text.encode()).hexdigest())
    size = sum(item.bytes for item in items) + int(database["bytes"])
    return BackedUp(vault.lists.shown(path), len(items), size, copier.copied)


def _database(work: Workspace, copier: _Copier) -> tuple[str, dict[str, Any], tuple[Held, ...]]:
    """The database as it is now, and the files that it speaks of in the same moment."""
    with copier.filled() as temporary:
        with work.database.read() as session:
            held = held_files(session)
            kind = "sqlite" if work.database.copy(session, temporary) else "rows"
            if kind == "rows":
                _write_lines(temporary, dump_rows(session))
        sha256, size = copier.keep(temporary)
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
    """Puts contents into a vault, each once."""

    def __init__(self, vault: Vault, progress: Progress, *, read: bool) -> None:
        self.copied = 0
        self._vault = vault
        self._read = read
        self._told = Meter(progress, COPYING).more
        self._there = {path: at.bytes for path, at in vault.objects.files() if at.regular}

    def filled(self) -> _Scratch:
        """A temporary file beside the objects."""
        return _Scratch(part_path(self._vault.objects.folder / "database"))

    def keep_of(self, store: Store, item: Expected) -> tuple[str, int]:
        """Have a file of the store in the vault, as `keep` does."""
        if not store.remote:
            return self.keep(item.path, item.sha256)
        if self._has(item.sha256, item.bytes):
            return item.sha256, item.bytes
        return self.keep(store.here(item.path), item.sha256)

    def keep(self, path: Path, sha256: str = "") -> tuple[str, int]:
        """Have a file's content in the vault; its sha256 and size.

        sha256: what it must be. Raises InputError where it is something else or can't be read.
        """
        try:
            found = path.lstat()
        except OSError as fault:
            raise _gone(path) from fault
        if not stat.S_ISREG(found.st_mode):
            raise _gone(path)
        if sha256 and self._has(sha256, found.st_size):
            return sha256, found.st_size
        return self._copy(path, sha256)

    def _has(self, sha256: str, size: int) -> bool:
        """Whether the vault has a content, which is read again where that was asked for."""
        place = self._vault.object(sha256)
        if self._there.get(place) != size:
            return False
        if not self._read:
            self._told(size)
            return True
        return self._vault.objects.sha256(place, self._told) == sha256

    def _copy(self, path: Path, sha256: str) -> tuple[str, int]:
        objects = self._vault.objects
        temporary = part_path(objects.folder / path.name[-40:])
        with _Scratch(temporary):
            found, size = copied(path, temporary, self._told)
            if sha256 and found != sha256:
                raise InputError(
                    f"{path} is not what it was when it was made: run roomtone repair, and back"
                    " up then."
                )
            final = self._vault.object(found)
            if self._there.get(final) != size or self._read:
                with objects.making(final) as place:
                    with whole_file(place) as whole:
                        temporary.replace(whole)
                    objects.keep(place, final, found)
                objects.let_go(final)
                self._there[final] = size
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
