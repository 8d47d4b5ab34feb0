"""One run at a time writes to a delivery folder.

The lock is the system's own on an open file, so that a run that is killed lets go of it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from core.errors import OutputError
from flows.progress import Progress

NAME = ".roomtone.lock"
LOOK_AGAIN_S = 0.1


@contextlib.contextmanager
def only_writer(folder: Path, progress: Progress) -> Iterator[None]:
    """Be the only run that writes to a folder; waits, and says so, while another one does.

    On a file system that knows no locks the block runs without one. Raises OutputError where
    the folder can't be written.
    """
    path = folder / NAME
    handle = _acquire(path)
    if handle is None:
        progress.say(f"Another run is writing to {folder}: waiting for it to end.")
        while handle is None:
            time.sleep(LOOK_AGAIN_S)
            handle = _acquire(path)
    try:
        yield
    finally:
        # Removed while it is held: whoever opened it meanwhile sees that it is not the same file.
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(handle)


def _acquire(path: Path) -> int | None:
    """An open and locked file, or None while somebody else holds it."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except PermissionError:
        if sys.platform == "win32":
            return None  # being removed by the run that held it
        raise _refused(path, "no permission") from None
    except OSError as fault:
        raise _refused(path, str(fault.strerror)) from fault
    try:
        locked = _lock(handle)
    except OSError:
        return handle
    with contextlib.suppress(OSError):
        if locked and os.path.samestat(path.stat(), os.fstat(handle)):
            return handle
    os.close(handle)
    return None


def _refused(path: Path, reason: str) -> OutputError:
    return OutputError(f"{path.parent} can't be written ({reason}); choose another --out.")


def _lock(handle: int) -> bool:
    """Lock an open file without waiting. Raises OSError where the file system has no locks."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
