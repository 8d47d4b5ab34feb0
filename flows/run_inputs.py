"""What a run may be asked for from the page: cuts that the home knows or that lie below its media.

Whoever asks gives an id, never a path.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.timelines.read import FOLDERS, SUFFIXES
from config.settings import Settings
from core.errors import InputError, OfflineError
from core.run import Wanted
from db.codec import path_text
from db.memory import cut_paths
from flows.delivery import LIST
from flows.take_view import media_of, take_known
from flows.workspace import Workspace

MOST_SEEN = 20_000
"""Names that are looked at below the roots; cuts lie near the top."""

_DEEPEST = 6


@dataclass(frozen=True)
class CutFile:
    """A cut that can be cleaned. id: names it. folder: that it lies in, its last two names.

    changed: when the file was written last.
    """

    id: str
    path: Path
    folder: str
    changed: datetime

    @property
    def name(self) -> str:
        """Its file name."""
        return self.path.name


def cut_files(work: Workspace, most: int = 500) -> tuple[CutFile, ...]:
    """The cuts that the home knows or that lie below its media folders, the latest first."""
    with work.database.read() as session:
        known = cut_paths(session)
    roots = (*work.settings.cut_folders, *work.settings.media)
    paths = dict.fromkeys([*known, *cuts_below(roots)])
    found = [cut for path in paths if (cut := _cut_file(path)) is not None]
    return tuple(sorted(found, key=lambda cut: cut.changed, reverse=True)[:most])


def cut_of_id(work: Workspace, number: str) -> Path:
    """The cut of that id. Raises InputError where it is not offered."""
    for cut in cut_files(work, MOST_SEEN):
        if cut.id == number:
            return cut.path
    raise InputError("There is no such cut, or it was moved; load the page again.")


def clean_cut_wanted(settings: Settings, cut: Path, own: Mapping[str, Any]) -> Wanted:
    """A run that cleans a cut into the setting `deliveries`, or beside it where that is empty."""
    folder = settings.deliveries or cut.parent
    return Wanted((cut,), (), folder / f"{cut.stem}_roomtone", own)


def clean_takes_wanted(work: Workspace, takes: Collection[str], own: Mapping[str, Any]) -> Wanted:
    """A run that cleans takes whole, by their ids. Raises InputError and OfflineError."""
    paths = []
    for take in takes:
        name = take_known(work, take).name
        media = media_of(work, take)
        if media is None:
            raise OfflineError(f"The media of {name} are offline, or have changed since.")
        paths.append(media.path)
    folder = work.settings.deliveries or work.settings.home / "deliveries"
    return Wanted(tuple(paths), (), folder / "takes", own)


def _cut_file(path: Path) -> CutFile | None:
    try:
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return None
    number = hashlib.sha256(path_text(path).encode()).hexdigest()[:24]
    return CutFile(number, path, "/".join(path.parent.parts[-2:]).replace("//", "/"), changed)


def cuts_below(roots: Collection[Path]) -> Iterator[Path]:
    """The cuts below folders; no link is followed, no delivery of ours is looked into."""
    left = MOST_SEEN
    waiting = [(root, 0) for root in dict.fromkeys(roots)]
    while waiting:
        folder, deep = waiting.pop(0)
        try:
            with os.scandir(folder) as entries:
                names = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            continue
        left -= len(names)
        if left < 0:
            return
        if any(entry.name == LIST for entry in names):
            continue
        for entry in names:
            suffix = Path(entry.name).suffix.lower()
            inside = entry.is_dir(follow_symlinks=False)
            if entry.name.startswith(".") or entry.is_symlink():
                continue
            if suffix in SUFFIXES and inside == (suffix in FOLDERS):
                yield folder / entry.name
            elif inside and deep < _DEEPEST:
                waiting.append((folder / entry.name, deep + 1))
