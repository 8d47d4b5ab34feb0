"""What a delivery's list says of its files, believed only as far as it is what a list should be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from adapters.json_file import read_json
from core.errors import InputError
from flows.delivery import COMPLETE, LIST, MOST_BYTES, STATES

_SHA256 = 64
_LARGEST = 1 << 62
"""Bytes of a file, as any disk can have it."""


@dataclass(frozen=True)
class Entry:
    """A file of a delivery. path: below its folder. sound: sha256 of its samples, or empty."""

    path: str
    role: str
    sha256: str
    bytes: int
    sound: str = ""
    track: str = ""
    character: str = ""
    start_timecode: str = ""


@dataclass(frozen=True)
class Listed:
    """A delivery by its list. complete: else it is in the making, or its run broke off."""

    key: str
    complete: bool
    cut: str
    files: tuple[Entry, ...]


def read_listed(folder: Path) -> Listed:
    """The list of a delivery. Raises InputError where it is missing or damaged."""
    path = folder / LIST
    try:
        found = read_json(path, MOST_BYTES)
        entries = found["files"]
        if not isinstance(entries, list) or found.get("state") not in STATES:
            raise TypeError
        cut = found.get("cut")
        return Listed(
            key=_text(found, "key"),
            complete=found["state"] == COMPLETE,
            cut=_text(cut, "name") if isinstance(cut, dict) else "",
            files=tuple(_entry(entry) for entry in entries),
        )
    except OSError as fault:
        raise InputError(f"{path} can't be read ({fault.strerror})") from fault
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise InputError(f"{path} is no list of a delivery any more") from fault


def _entry(entry: Any) -> Entry:
    path, size = PurePosixPath(_text(entry, "path")), entry["bytes"]
    sha256 = _text(entry, "sha256")
    inside = path.parts and not path.is_absolute() and ".." not in path.parts
    if not inside or "\0" in str(path) or isinstance(size, bool) or not isinstance(size, int):
        raise ValueError(entry)
    if len(sha256) != _SHA256 or not 0 <= size <= _LARGEST:
        raise ValueError(entry)
    told = {
        name: _text(entry, name)
        for name in ("track", "character", "start_timecode")
        if name in entry
    }
    sound = _text(entry, "sound_sha256") if "sound_sha256" in entry else ""
    return Entry(str(path), _text(entry, "role"), sha256, size, sound, **told)


def _text(value: Any, name: str) -> str:
    found = value[name]
    if not isinstance(found, str):
        raise TypeError(name)
    return found
