"""A disk that fails, and a clock that jumps, at the n-th thing that a run writes in a folder.

What is counted: files opened to be written, each write, flush and close, names made, changed and
removed, folders made, and every statement that changes a SQLite database, its commits too. It is
done inside of Python, so what C libraries write by themselves goes by uncounted.
"""

from __future__ import annotations

import builtins
import contextlib
import datetime as datetimes
import errno
import io
import os
import re
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

Kind = Literal["none", "full", "read-only", "denied", "broken", "later", "earlier"]
FAULTS: tuple[Kind, ...] = ("full", "read-only", "denied", "broken")
JUMPS: tuple[Kind, ...] = ("later", "earlier")

_ERRNO = {
    "full": errno.ENOSPC,
    "read-only": errno.EROFS,
    "denied": errno.EACCES,
    "broken": errno.EIO,
}
_SQL = {
    "full": "database or disk is full",
    "read-only": "attempt to write a readonly database",
    "denied": "attempt to write a readonly database",
    "broken": "disk I/O error",
}
_STAYS: tuple[Kind, ...] = ("full", "read-only")
"""From then on; the others come once."""

_ON_FULL = ("open", "write", "mkdir", "sql")
_ONCE = {
    "denied": ("open", "rename", "unlink", "mkdir", "sql"),
    "broken": ("write", "fsync", "close", "sql"),
}
_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|COMMIT|BEGIN IMMEDIATE)\b", re.I)
_MOMENT = datetimes.datetime
_JUMP_S = {"later": 40 * 86_400.0, "earlier": -40 * 86_400.0}


@dataclass
class Disk:
    """What a run did, and where it fails. kind: of fault; at: the event, from 0.

    events: what was done, an operation and what to, without names that differ from run to run.
    """

    folder: Path
    kind: Kind = "none"
    at: int = -1
    events: list[tuple[str, str]] = field(default_factory=list)

    def did(self, operation: str, what: str) -> None:
        """Count something that is about to be done. Raises OSError or sqlite3's where it fails."""
        number = len(self.events)
        self.events.append((operation, what))
        if self.kind not in _ERRNO or not self._fails(operation, number):
            return
        if operation == "sql":
            raise sqlite3.OperationalError(_SQL[self.kind])
        code = _ERRNO[self.kind]
        raise OSError(code, os.strerror(code), what)

    def _fails(self, operation: str, number: int) -> bool:
        if self.kind in _STAYS:
            concerned = self.kind == "read-only" or operation in _ON_FULL
            return number >= self.at and concerned
        return number == self.at and operation in _ONCE[self.kind]

    @property
    def jump_s(self) -> float:
        """By how much the clock is off now."""
        return _JUMP_S.get(self.kind, 0.0) if len(self.events) > self.at else 0.0

    def holds(self, path: Any) -> str | None:
        """How a path in the folder is called; None for another."""
        try:
            found = Path(os.fsdecode(path)).absolute()
        except TypeError:
            return None
        if not found.is_relative_to(self.folder):
            return None
        below = found.relative_to(self.folder).as_posix()
        return re.sub(r"[0-9a-f]{8,}|\d+-(?=[0-9a-f]{4})", "*", below)


def may_fail(operation: str, kind: Kind) -> bool:
    """Whether a fault of a kind can hit an operation first."""
    if kind in JUMPS or kind == "read-only":
        return True
    return operation in (_ON_FULL if kind == "full" else _ONCE[kind])


@contextlib.contextmanager
def faulty(disk: Disk) -> Iterator[Disk]:
    """Have what this process does in the disk's folder counted, and fail where it says."""
    with contextlib.ExitStack() as stack:
        opened = _opening(disk, builtins.open)
        for module in (builtins, io):
            stack.enter_context(patch.object(module, "open", opened))
        for name, operation in (
            ("replace", "rename"),
            ("rename", "rename"),
            ("unlink", "unlink"),
            ("remove", "unlink"),
            ("mkdir", "mkdir"),
        ):
            stack.enter_context(patch.object(os, name, _naming(disk, operation, getattr(os, name))))
        stack.enter_context(patch.object(os, "open", _opening_fd(disk, os.open)))
        stack.enter_context(patch.object(os, "fsync", _syncing(disk, os.fsync)))
        stack.enter_context(patch.object(sqlite3, "connect", _connecting(disk, sqlite3.connect)))
        stack.enter_context(patch.object(sqlite3.dbapi2, "connect", sqlite3.connect))
        if disk.kind in JUMPS:
            stack.enter_context(_jumping(disk))
        yield disk


def _opening(disk: Disk, real: Callable[..., Any]) -> Callable[..., Any]:
    def opened(file: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
        name = None if isinstance(file, int) or not set(mode) & set("wxa+") else disk.holds(file)
        if name is None:
            return real(file, mode, *rest, **more)
        disk.did("open", name)
        return _Handle(disk, name, real(file, mode, *rest, **more))

    return opened


def _opening_fd(disk: Disk, real: Callable[..., int]) -> Callable[..., int]:
    def opened(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        name = disk.holds(path) if flags & (os.O_CREAT | os.O_WRONLY | os.O_RDWR) else None
        if name is not None:
            disk.did("open", name)
        return real(path, flags, *rest, **more)

    return opened


def _naming(disk: Disk, operation: str, real: Callable[..., None]) -> Callable[..., None]:
    def named(path: Any, *rest: Any, **more: Any) -> None:
        name = None if isinstance(path, int) else disk.holds(path)
        exists = name is not None and os.path.lexists(path)
        # What is not there, or is there already, the system says before it looks at the disk.
        if name is not None and exists == (operation != "mkdir"):
            disk.did(operation, name)
        real(path, *rest, **more)

    return named


def _syncing(disk: Disk, real: Callable[[Any], None]) -> Callable[[Any], None]:
    def synced(handle: Any) -> None:
        number = handle if isinstance(handle, int) else handle.fileno()
        try:
            name = disk.holds(Path(f"/proc/self/fd/{number}").readlink())
        except OSError:
            name = None
        if name is not None:
            disk.did("fsync", name)
        real(number)

    return synced


class _Handle:
    """An open file whose writes are counted."""

    def __init__(self, disk: Disk, name: str, real: Any) -> None:
        self._disk, self._name, self._real = disk, name, real

    def write(self, data: Any) -> int:
        self._disk.did("write", self._name)
        return int(self._real.write(data))

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def close(self) -> None:
        if not self._real.closed:
            try:
                self._disk.did("close", self._name)
            finally:
                self._real.close()

    def __enter__(self) -> _Handle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._real)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def _connecting(disk: Disk, real: Callable[..., Any]) -> Callable[..., Any]:
    def told(statement: str) -> None:
        if _WRITES.match(statement) and "TEMP" not in statement:
            disk.did("sql", " ".join(statement.split()[:3]))

    class Cursor(sqlite3.Cursor):
        def execute(self, statement: str, *rest: Any) -> Any:
            told(statement)
            return super().execute(statement, *rest)

        def executemany(self, statement: str, *rest: Any) -> Any:
            told(statement)
            return super().executemany(statement, *rest)

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(factory)

        def execute(self, statement: str, *rest: Any) -> Any:
            told(statement)
            return super().execute(statement, *rest)

        def commit(self) -> None:
            if self.in_transaction:
                told("COMMIT")
            super().commit()

    def connected(*args: Any, **more: Any) -> Any:
        if disk.holds(args[0]) is None:
            return real(*args, **more)
        return real(*args, factory=Connection, **more)

    return connected


@contextlib.contextmanager
def _jumping(disk: Disk) -> Iterator[None]:
    """Clocks that are off from the event on: `time.time`, and `datetime.now` in our modules."""
    real_time = time.time

    class Meta(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, _MOMENT)

    class Jumping(datetimes.datetime, metaclass=Meta):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return _MOMENT.now(tz) + datetimes.timedelta(seconds=disk.jump_s)

    with contextlib.ExitStack() as stack:
        stack.enter_context(patch.object(time, "time", lambda: real_time() + disk.jump_s))
        ours = ("adapters.", "config.", "core.", "db.", "flows.", "models.", "cli.")
        for name, module in list(sys.modules.items()):
            if name.startswith(ours) and getattr(module, "datetime", None) is _MOMENT:
                stack.enter_context(patch.object(module, "datetime", Jumping))
        yield
