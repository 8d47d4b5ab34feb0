"""Where backups lie, a folder or a bucket: contents by their sha256, and a list for each backup."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from adapters.media.whole import output_error, sweep
from adapters.storage.folder import FolderStore
from adapters.storage.objects import SCHEME, ObjectStore, s3_files
from adapters.storage.store import Store
from config.settings import Settings

LISTS, OBJECTS = "backups", "objects"
_SCRATCH = ".vault-"
_STALE_S = 24 * 3600


@dataclass(frozen=True)
class Vault:
    """Where backups lie. name: for people. folder: None for a bucket."""

    name: str
    folder: Path | None
    objects: Store
    lists: Store

    def object(self, sha256: str) -> Path:
        """The place of a content among the objects."""
        return self.objects.folder / sha256[:2] / sha256

    def prepare(self) -> None:
        """Make the folders, for nobody else to read, and clear what broke off there.

        Raises OutputError.
        """
        above = [self.folder] if self.folder else []
        for folder in (*above, self.lists.folder, self.objects.folder):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as fault:
                raise output_error(folder, fault) from fault
        sweep(self.objects.folder)


@contextlib.contextmanager
def open_vault(where: str, settings: Settings) -> Iterator[Vault]:
    """The vault at a folder or an `s3://` address; nothing is made there or asked of it yet.

    A bucket's files pass through a private folder in the home, one at a time.
    """
    if not where.startswith(SCHEME):
        folder = Path(where).absolute()
        yield Vault(where, folder, FolderStore(folder / OBJECTS), FolderStore(folder / LISTS))
        return
    home, files = settings.home.absolute(), partial(s3_files, settings.store_endpoint)
    _clear_left(home)
    try:
        home.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.mkdtemp(prefix=_SCRATCH, dir=home)
    except OSError as fault:
        raise output_error(home, fault) from fault
    try:
        objects, lists = (
            ObjectStore(Path(scratch, name), f"{where.rstrip('/')}/{name}", files, 0)
            for name in (OBJECTS, LISTS)
        )
        yield Vault(where, None, objects, lists)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _clear_left(home: Path) -> None:
    """Remove scratch folders of processes that were killed, a day later."""
    for left in home.glob(f"{_SCRATCH}*"):
        with contextlib.suppress(OSError):
            if time.time() - left.lstat().st_mtime > _STALE_S:
                shutil.rmtree(left, ignore_errors=True)
