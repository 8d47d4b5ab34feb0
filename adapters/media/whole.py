"""Whole files or none: a file appears under its final name only when every byte of it is there.

A write goes to `.name.<pid>-<host><random>.part` in the same folder, is flushed to the disk,
checked, and then renamed, which replaces the old file in one step. What a crash leaves behind
has that name, and `sweep` clears it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import platform
import re
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from core.errors import OutputError

_PART = re.compile(r"^\..+\.(\d+)-([0-9a-f]{4})[0-9a-f]{8}\.part$")
_STALE_SECONDS = 24 * 3600
_NAME_BYTES = 120


def part_path(final: Path) -> Path:
    """A temporary name beside a final one, that no other process or thread will choose."""
    stem = final.name.encode()[:_NAME_BYTES].decode(errors="ignore")
    return final.with_name(f".{stem}.{os.getpid()}-{_host()}{secrets.token_hex(4)}.part")


@contextlib.contextmanager
def whole_file(final: Path, check: Callable[[Path], None] | None = None) -> Iterator[Path]:
    """A temporary path to write to; renamed to `final` when the block ends without an exception.

    check: called with the finished temporary file before it is renamed; raises to refuse it.
    On any exception the temporary file is removed and `final` stays as it was. Missing folders
    are made. Raises OutputError where the system refuses to put the file in place; what the
    block raises is passed on as it is.
    """
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = part_path(final)
    except OSError as fault:
        raise output_error(final, fault) from fault
    try:
        yield temporary
        try:
            flush(temporary)
            if check is not None:
                check(temporary)
            temporary.replace(final)
        except OSError as fault:
            raise output_error(final, fault) from fault
        _flush_folder(final.parent)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_bytes(final: Path, data: bytes) -> None:
    """Write a file whole or not at all. Raises OutputError."""
    with whole_file(final) as temporary:
        try:
            temporary.write_bytes(data)
        except OSError as fault:
            raise output_error(final, fault) from fault


def write_text(final: Path, text: str) -> None:
    """Write a UTF-8 text file, with its line ends as given, whole or not at all."""
    write_bytes(final, text.encode())


def is_part(name: str) -> bool:
    """Whether a file's name is that of a write which goes on, or broke off."""
    return _PART.match(name) is not None


def sweep(folder: Path, *, deep: bool = True) -> int:
    """Remove what crashed writes left in a folder and the folders in it; how many files that was.

    deep: also in the folders in it.

    Only names of this module's pattern: those whose process on this machine is gone, and those
    that nothing was written to for a day (another machine's, or a process number used again).
    Links to folders are not followed. What can't be removed is left for another time.
    """
    removed = 0
    for parent, folders, names in os.walk(folder):
        if not deep:
            folders.clear()
        for name in names:
            match = _PART.match(name)
            if match is None:
                continue
            path = Path(parent, name)
            with contextlib.suppress(OSError):
                gone = match[2] == _host() and not is_alive(int(match[1]))
                if gone or time.time() - path.lstat().st_mtime > _STALE_SECONDS:
                    path.unlink()
                    removed += 1
    return removed


def output_error(final: Path, fault: OSError) -> OutputError:
    """The sentence for a write that the system refused."""
    match fault.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            remedy = "the disk has no room for it: free some space and run again"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            remedy = "writing there is not allowed: choose another folder or change its permissions"
        case errno.EISDIR | errno.ENOTDIR | errno.EEXIST | errno.ENOTEMPTY:
            remedy = "a file or folder of that name is in the way: move it or choose another name"
        case errno.ENAMETOOLONG:
            remedy = "the name is too long: choose a shorter one"
        case _:
            remedy = f"{(fault.strerror or str(fault)).lower()}: check the disk and run again"
    return OutputError(f"{final} can't be written, {remedy}.")


def flush(path: Path) -> None:
    """Make the system put a file's bytes on the disk. Raises OSError."""
    with path.open("rb+") as handle:
        os.fsync(handle.fileno())


def _flush_folder(folder: Path) -> None:
    """The same for a folder's list of names, where the system can (Windows can't)."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _host() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:4]


def is_alive(pid: int) -> bool:
    """Whether a process runs; taken as true where asking is not safe (on Windows it would kill)."""
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True
