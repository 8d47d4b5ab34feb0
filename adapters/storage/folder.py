"""A store that is a folder, on this machine's disk or on a shared file system."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from adapters.media.essence import file_sha256
from adapters.media.whole import is_part, output_error, sweep
from adapters.storage.store import Stored, Told
from core.errors import InputError, OutputError


class FolderStore:
    """Keeps files where they are written."""

    remote = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = str(folder)

    def place(self, key: str) -> Path:
        """Where the cleaned take of that key lies, or would."""
        return place_in(self.folder, key)

    def shown(self, path: Path) -> str:
        """The path."""
        return str(path)

    def placed(self, shown: str) -> Path:
        """The path."""
        return Path(shown)

    def look(self, path: Path) -> Stored | None:
        """What lies at a place, None for nothing. Raises OSError where that can't be told."""
        try:
            found = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Stored(found.st_size, found.st_mtime, stat.S_ISREG(found.st_mode))

    def has(self, path: Path, size: int) -> bool:
        """Whether a file of so many bytes is there."""
        with contextlib.suppress(OSError):
            found = self.look(path)
            return found is not None and found.regular and found.bytes == size
        return False

    def files(self) -> Iterator[tuple[Path, Stored]]:
        """All that lies there; links are told as what they are and not followed."""
        for parent, folders, names in os.walk(self.folder):
            folders.sort()
            links = [name for name in folders if Path(parent, name).is_symlink()]
            for name in sorted(names + links):
                path = Path(parent, name)
                found = None if is_part(name) else self.look(path)
                if found is not None:
                    yield path, found

    @contextlib.contextmanager
    def making(self, path: Path) -> Iterator[Path]:
        """The place itself: whoever writes there does so whole or not at all."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise output_error(path, fault) from fault
        yield path

    def keep(self, made: Path, path: Path, sha256: str) -> None:
        """Nothing is left to do."""
        del made, path, sha256

    def here(self, path: Path) -> Path:
        """It is here."""
        return path

    def let_go(self, path: Path) -> None:
        """Nothing: it is the store's own."""
        del path

    def sha256(self, path: Path, told: Told) -> str:
        """Read a file, all of it. Raises InputError."""
        return file_sha256(path, told)

    def remove(self, path: Path) -> None:
        """Remove a file. Raises OutputError."""
        try:
            path.unlink(missing_ok=True)
        except OSError as fault:
            raise OutputError(
                f"{path} can't be removed ({fault.strerror}): close what uses it and run again."
            ) from fault

    def take_out(self, path: Path, target: Path) -> None:
        """Move a file out of the store, to the same disk or another."""
        if path.is_symlink() or not path.is_file():
            raise InputError(f"{path} is no file any more: run roomtone check again.")
        try:
            shutil.move(path, target)
        except OSError as fault:
            raise output_error(path, fault) from fault

    def tidy(self, known: Callable[[list[str]], set[str]]) -> None:
        """Clear away what broken-off work left there."""
        del known
        for folder in [path for path in self.folder.iterdir() if path.is_dir()]:
            sweep(folder)


def place_in(folder: Path, key: str) -> Path:
    """Where the cleaned take of that key lies below a store's folder."""
    return folder / key[:2] / f"{key}.wav"
