"""The manifests below folders, whatever their format."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from adapters.manifests import checksums, mhl
from adapters.manifests.manifest import Manifest
from core.errors import InputError


def find_manifests(roots: Sequence[Path]) -> tuple[tuple[Manifest, ...], tuple[str, ...]]:
    """Every manifest below the roots, in order of their paths; and a sentence for each unreadable.

    Links, hidden files and what is no file (a pipe never ends) are passed over. Raises nothing: a
    manifest that can't be read is no reason to leave the media alone.
    """
    singles: set[Path] = set()
    histories: dict[Path, list[Path]] = {}
    for root in roots:
        for parent, folders, names in os.walk(root.resolve()):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                path = Path(parent, name)
                if name.startswith(".") or path.is_symlink() or not path.is_file():
                    continue
                if name.lower().endswith(".mhl"):
                    if path.parent.name.lower() == mhl.ASC_FOLDER:
                        histories.setdefault(path.parent, []).append(path)
                    else:
                        singles.add(path)
                elif path.suffix.lower() in checksums.SUFFIXES or checksums.NAMES.fullmatch(name):
                    singles.add(path)
    found: list[Manifest] = []
    faults: list[str] = []
    for where in sorted([*singles, *histories]):
        try:
            found.append(_read(where, histories.get(where)))
        except InputError as fault:
            faults.append(f"{str(fault).rstrip('.')}; nothing is checked against it.")
    return tuple(found), tuple(faults)


def _read(path: Path, generations: list[Path] | None) -> Manifest:
    if generations is not None:
        return mhl.read_history(sorted(set(generations)))
    if path.suffix.lower() == ".mhl":
        return mhl.read_mhl(path)
    return checksums.read_checksums(path)
