"""A Prefect server of our own that can be killed, and flows that report to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from adapters.media.whole import write_text
from bench.command import variables_of
from bench.place import Place
from bench.processes import Processes, processes
from bench.server import free_port
from bench.studio_stack import ROOT, answers

_STARTS_S = 240.0
_NAME = "prefect server"


class PrefectServer:
    """A server on SQLite in a folder; it remembers what it had when it is started again."""

    def __init__(self, started: Processes, port: int) -> None:
        self._started, self._port = started, port
        self._address = f"http://127.0.0.1:{port}/api"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def variables(self) -> dict[str, str]:
        """For programs that report to it, beside their own."""
        return {"PREFECT_HOME": str(self._started.folder), "PREFECT_API_URL": self._address}

    def start(self) -> None:
        """Start it, and wait until it answers. Raises EngineError."""
        words = ["-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port"]
        self._process = self._started.start(_NAME, [sys.executable, *words, str(self._port)])
        self._started.wait(
            "The Prefect server's start", partial(answers, f"{self._address}/health"), _STARTS_S
        )

    def kill(self) -> None:
        """Kill it with all its processes."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@contextmanager
def prefect_server(folder: Path) -> Iterator[PrefectServer]:
    """A running server, ended with the block."""
    known = {
        **os.environ,
        "PREFECT_HOME": str(folder),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    known.pop("PREFECT_API_URL", None)
    with processes(folder, known) as started:
        server = PrefectServer(started, free_port())
        server.start()
        yield server


class Command:
    """`roomtone clean` as a person starts it, as a flow of a server; like a process of Python's."""

    def __init__(self, place: Place, server: PrefectServer) -> None:
        self._place = place
        place.folder.mkdir(parents=True, exist_ok=True)
        words = ["-m", "cli.main", "clean", str(place.cut), "--out", str(place.out), "--json"]
        own = {**variables_of(place.home), "PYTHONPATH": str(ROOT)}
        with (place.folder / "told").open("wb") as told:
            self._process = subprocess.Popen(
                [sys.executable, *words],
                env={**own, **server.variables},
                cwd=place.folder,
                stdout=told,
                stderr=subprocess.PIPE,
            )

    def join(self, timeout: float) -> None:
        """Wait until it ends, or so many seconds."""
        try:
            _, said = self._process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            return
        told = {"fault": said.decode(errors="replace").strip()[-400:]}
        if self._process.returncode == 0:
            outcome = json.loads((self._place.folder / "told").read_text("utf-8"))
            told = {"cleaned": outcome["takes_cleaned"]}
        write_text(self._place.answer_path, json.dumps(told))

    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Kill it."""
        self._process.kill()
