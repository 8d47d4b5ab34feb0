"""What a checksum manifest says: which files belong to a folder, how long they are, their hashes.

A path that leads out of the manifest's folder is never looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MOST_BYTES = 64 << 20
"""Of a manifest. A card of 100,000 files has one of about 30 MB."""

_MOST_PATH = 4096
_HEX = {"xxh32": 8, "xxh64": 16, "xxh3": 16, "xxh128": 32, "md5": 32, "sha1": 40}
_HEX |= {"sha256": 64, "sha512": 128}
_C4 = re.compile(r"c4[1-9A-HJ-NP-Za-km-z]{88}")


@dataclass(frozen=True)
class Listed:
    """A file as a manifest lists it.

    path: below the manifest's folder. size: in bytes, or None where it is not given.
    digests: pairs of algorithm (`md5`, `sha1`, `sha256`, `sha512`, `xxh32`, `xxh64`, `xxh3`,
    `xxh128`, `c4`) and value, in lower-case hex except for c4.
    """

    path: PurePosixPath
    size: int | None
    digests: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Manifest:
    """A manifest that was read. path: its file. folder: where its paths count from.

    warnings: what of it could not be used, a sentence each.
    """

    path: Path
    folder: Path
    files: tuple[Listed, ...]
    warnings: tuple[str, ...] = ()


def inner_path(text: str) -> PurePosixPath | None:
    """A manifest's path, or None where it is empty, absolute, or leads out of the folder."""
    plain = text.strip().replace("\\", "/")
    if not plain or len(plain) > _MOST_PATH or "\0" in plain or re.match(r"[A-Za-z]:", plain):
        return None
    path = PurePosixPath(plain)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        return None
    return path


def digest_of(algorithm: str, value: str) -> tuple[str, str] | None:
    """A hash as `Listed` keeps it, or None where it is none of that algorithm."""
    text = value.strip()
    if algorithm == "c4":
        return ("c4", text) if _C4.fullmatch(text) else None
    digits = _HEX.get(algorithm)
    if digits is None or not re.fullmatch(rf"[0-9A-Fa-f]{{{digits}}}", text):
        return None
    return algorithm, text.lower()


def left_out(path: Path, texts: Iterable[str]) -> tuple[str, ...]:
    """A sentence where paths of a manifest can't be used."""
    names = list(texts)
    if not names:
        return ()
    count = f"{len(names)} file{'' if len(names) == 1 else 's'}"
    return (f"{path} lists {count} outside its folder; that part of it is not checked.",)
