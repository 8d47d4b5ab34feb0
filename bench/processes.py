"""Processes of a benchmark, each with a log, all of which have ended when the block has."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from core.errors import EngineError

Found = TypeVar("Found")

_GRACE_S = 15.0
_LOOK_S = 0.5
_MARK = "BENCH_OF_ROOMTONE"
"""A variable by which processes are known that left their group."""


@dataclass
class Processes:
    """Processes that run side by side. folder: of their logs. environment: of all of them."""

    folder: Path
    environment: Mapping[str, str]
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(
        self, name: str, command: Sequence[str | Path], environment: Mapping[str, str] = {}
    ) -> subprocess.Popen[bytes]:
        """Start one in a group of its own; environment: beside that of all."""
        with self.log(name).open("ab") as told:
            process = subprocess.Popen(
                [str(word) for word in command],
                env={**self.environment, **environment},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=told,
                start_new_session=True,
            )
        self._running[name] = process
        return process

    def run(
        self,
        command: Sequence[str | Path],
        folder: Path | None = None,
        environment: Mapping[str, str] = {},
    ) -> str:
        """Run a command to its end; what it printed. Raises EngineError where it fails."""
        done = subprocess.run(
            [str(word) for word in command],
            env={**self.environment, **environment},
            cwd=folder or self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            shown = " ".join(map(str, command))
            raise EngineError(f"{shown} failed: {(done.stderr or done.stdout)[-2000:]}")
        return done.stdout

    def log(self, name: str) -> Path:
        """Where a process writes what it says."""
        return self.folder / f"{name}.log"

    def said(self, name: str) -> str:
        """What a process has said so far."""
        return self.log(name).read_text("utf-8", "replace")

    def wait(self, what: str, look: Callable[[], Found | None], seconds: float) -> Found:
        """Look again and again until something is found.

        what: for the sentence where it is not. Raises EngineError where it is not found in time,
        or a process ends meanwhile.
        """
        until = time.monotonic() + seconds
        while True:
            found = look()
            if found is not None:
                return found
            for name, process in self._running.items():
                if process.poll() is not None:
                    raise EngineError(f"{name} ended meanwhile: {self.said(name)[-2000:]}")
            if time.monotonic() > until:
                told = "".join(f"\n--- {name}\n{self.said(name)[-1500:]}" for name in self._running)
                raise EngineError(f"{what} did not happen within {seconds:g} s.{told}")
            time.sleep(_LOOK_S)

    def end(self) -> None:
        """End them, the last first, with whatever they started."""
        for name in reversed(self._running):
            process = self._running[name]
            _signal(process, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE_S)
            _signal(process, signal.SIGKILL)
            process.wait()
        _end_strays(self.folder)


@contextmanager
def processes(folder: Path, environment: Mapping[str, str]) -> Iterator[Processes]:
    """Processes with logs in a folder, which they also work in."""
    folder.mkdir(parents=True, exist_ok=True)
    own = {_MARK: str(folder), "TMPDIR": str(folder)}
    made = Processes(folder, {**environment, **own})
    try:
        yield made
    finally:
        made.end()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(process.pid, number)


def _end_strays(folder: Path) -> None:
    """End what was started for that folder and has left its group (where there is a /proc)."""
    mark = f"{_MARK}={folder}".encode()
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError, ValueError):
            if mark in path.read_bytes().split(b"\0") and int(path.parts[2]) != os.getpid():
                os.kill(int(path.parts[2]), signal.SIGKILL)
