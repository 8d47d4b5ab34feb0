"""The process of a run's job, as its worker sees it: what it tells, and how it is ended."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adapters.own_module import python_path
from config.settings import Settings
from core.errors import OutputError
from core.run import Wanted
from flows.run_job import GRACE_S, question

_MODULE = "flows.run_job"
_END: Mapping[str, Any] = {}


class JobProcess:
    """A job that runs in a process of its own; see `flows.run_job`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._told: queue.Queue[Mapping[str, Any]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def told(self, seconds: float) -> Mapping[str, Any] | None:
        """What it tells next; None where that is nothing for so long; empty once it has ended."""
        try:
            return self._told.get(timeout=seconds)
        except queue.Empty:
            return None

    def end(self) -> None:
        """End it and whatever it started: asked first, 10 s later made to."""
        self._signal(hard=False)
        try:
            self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            pass
        finally:
            # Whatever it started may still be there.
            self._signal(hard=True)
            self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with contextlib.suppress(ValueError):
                told = json.loads(line)
                if isinstance(told, dict) and told:
                    self._told.put(told)
        self._told.put(_END)

    def _signal(self, *, hard: bool) -> None:
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                if self._process.poll() is None:
                    (self._process.kill if hard else self._process.terminate)()
            else:
                # The group outlives its leader, so its number is nobody else's while one is left.
                os.killpg(self._process.pid, signal.SIGKILL if hard else signal.SIGTERM)


@contextmanager
def job_process(
    number: int, kind: str, wanted: Wanted, settings: Settings, log: Path
) -> Iterator[JobProcess]:
    """The process that does a job; it has ended when the block has.

    number: of the run. log: a file that what it prints goes to. Raises OutputError where the log
    can't be written or no process can be started.
    """
    group: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as printed:
            process = subprocess.Popen(
                [sys.executable, "-m", _MODULE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=printed,
                env={**os.environ, "PYTHONPATH": python_path()},
                **group,
            )
    except OSError as fault:
        raise OutputError(f"No process can be started for the run ({fault}).") from fault
    assert process.stdin is not None
    job = JobProcess(process)
    try:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(question(number, kind, wanted, settings))
            process.stdin.flush()
        yield job
    finally:
        job.end()
        with contextlib.suppress(OSError):
            process.stdin.close()
        if log.stat().st_size == 0:
            log.unlink(missing_ok=True)
