"""Checksum lists as `md5sum`, `shasum`, `xxhsum` and BSD's `md5` write them.

A line is `HASH  PATH` or `HASH *PATH` (GNU; with a backslash before it where the path has escapes),
or `MD5 (PATH) = HASH` (BSD). A list that holds a hash alone is about the file that it is named
after: `take.wav.md5`, or `take.md5` beside `take.wav`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from adapters.manifests.manifest import (
    MOST_BYTES,
    Listed,
    Manifest,
    digest_of,
    inner_path,
    left_out,
)
from core.errors import InputError

SUFFIXES = (".md5", ".sha1", ".sha256", ".sha512", ".xxh64", ".xxh3", ".xxh128", ".xxh")
NAMES = re.compile(r"(md5|sha1|sha256|sha512|xxh64|xxh128)sums?(\.txt)?", re.IGNORECASE)
_MOST_LINES = 500_000
"""A card has at most some 100,000 files."""

_GNU = re.compile(r"(\\?)([0-9A-Fa-f]{8,128})[ \t]+\*?(.+)")
_BSD = re.compile(r"([A-Za-z0-9_-]+) ?\((.+)\) ?= ?([0-9A-Fa-f]{8,128})")
_ALONE = re.compile(r"[0-9A-Fa-f]{8,128}")
_BY_LENGTH = {16: "xxh64", 32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}
_BSD_NAMES = {"xxh3": "xxh3", "xxh64": "xxh64", "xxh128": "xxh128", "xxh32": "xxh32"}


def read_checksums(path: Path) -> Manifest:
    """A checksum list. Raises InputError where it can't be read or holds no checksum."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{path} is over {MOST_BYTES >> 20} MB, too much for a checksum list.")
        data = path.read_bytes()
    except OSError as fault:
        raise InputError(f"{path} can't be read ({fault.strerror}): check the disk.") from fault
    if data.count(b"\n") + data.count(b"\r") > 2 * _MOST_LINES:
        raise InputError(f"{path} has over {_MOST_LINES:,} lines, too many for a checksum list.")
    text = data.decode("utf-8-sig", "replace")
    named_after = cache(lambda: _named_after(path))
    files, outside, said = [], [], 0
    for line in re.split(r"\r\n?|\n", text):
        if not line.strip() or line.lstrip().startswith(("#", ";", "//")):
            continue
        said += 1
        found = _read(path, line.rstrip(), named_after)
        if found is None:
            continue
        name, digest = found
        inner = inner_path(name)
        if inner is None:
            outside.append(name)
        else:
            files.append(Listed(inner, None, (digest,)))
    if not files and not outside:
        raise InputError(f"{path} holds no checksum that is known; write it with md5sum or xxhsum.")
    warnings = left_out(path, outside)
    unread = said - len(files) - len(outside)
    if unread:
        warnings += (f"{path}: {unread} of {said} lines are no checksums and are passed over.",)
    return Manifest(path, path.parent, tuple(files), warnings)


def _read(
    path: Path, line: str, named_after: Callable[[], str]
) -> tuple[str, tuple[str, str]] | None:
    """The name and the hash of a line, or None. named_after: the file of a hash without a name."""
    kind = _kind(path)
    if match := _BSD.fullmatch(line.strip()):
        named = match[1].lower().replace("-", "").replace("_", "")
        digest = digest_of(_BSD_NAMES.get(named, named), match[3])
        return None if digest is None else (match[2], digest)
    if match := _GNU.fullmatch(line.lstrip()):
        digest = digest_of(kind, match[2]) or digest_of(_BY_LENGTH.get(len(match[2]), ""), match[2])
        name = _unescaped(match[3]) if match[1] else match[3]
        return None if digest is None else (name, digest)
    if _ALONE.fullmatch(line.strip()):
        value = line.strip()
        digest = digest_of(kind, value) or digest_of(_BY_LENGTH.get(len(value), ""), value)
        return None if digest is None else (named_after(), digest)
    return None


def _kind(path: Path) -> str:
    """The algorithm that a list's name tells, or empty."""
    suffix = path.suffix.lower().lstrip(".")
    match = NAMES.fullmatch(path.name)
    return match[1].lower() if match else suffix


def _named_after(path: Path) -> str:
    """The file that a list with nothing but a hash is about."""
    if "." in path.stem:
        return path.stem
    beside = sorted(item.name for item in path.parent.glob(f"{_literal(path.stem)}.*"))
    others = [name for name in beside if not name.lower().endswith(SUFFIXES)]
    return others[0] if len(others) == 1 else path.stem


def _literal(name: str) -> str:
    return re.sub(r"([\[\]*?])", r"[\1]", name)


def _unescaped(name: str) -> str:
    """A path as GNU's tools escape it."""
    return re.sub(r"\\([\\nr])", lambda match: {"n": "\n", "r": "\r"}.get(match[1], "\\"), name)
