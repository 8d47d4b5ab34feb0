"""A Prefect server of our own that can be killed, and flows that report to it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from adapters.media.whole import write_text
from bench.place import Place
from bench.server import free_port

_STARTS_S = 240.0
_ROOT = Path(__file__).resolve().parents[1]


class PrefectServer:
    """A server on SQLite in a folder; it remembers what it had when it is started again."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        folder.mkdir()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """For programs that report to it."""
        return {
            **os.environ,
            "PREFECT_HOME": str(self._folder),
            "PREFECT_API_URL": f"http://127.0.0.1:{self._port}/api",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "PYTHONPATH": str(_ROOT),
        }

    def start(self) -> None:
        """Start it, and wait until it answers. Raises TimeoutError."""
        words = ["-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *words, str(self._port)],
                env={**self.environment, "PREFECT_API_URL": ""},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + _STARTS_S
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"http://127.0.0.1:{self._port}/api/health", timeout=5).is_success:
                    return
            time.sleep(0.3)
        raise TimeoutError(f"Prefect's server did not answer in {_STARTS_S:.0f} s.")

    def kill(self) -> None:
        """Kill it with all its processes."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@contextmanager
def prefect_server(folder: Path) -> Iterator[PrefectServer]:
    """A running server, ended with the block."""
    server = PrefectServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


class Command:
    """`roomtone clean` as a person starts it, as a flow of a server; like a process of Python's."""

    def __init__(self, place: Place, server: PrefectServer) -> None:
        self._place = place
        place.folder.mkdir(parents=True, exist_ok=True)
        words = ["-m", "cli.main", "clean", str(place.cut), "--out", str(place.out), "--json"]
        own = {
            "ROOMTONE_HOME": str(place.home),
            "ROOMTONE_DENOISER": "rnnoise",
            "ROOMTONE_RECOGNISER": "none",
        }
        with (place.folder / "told").open("wb") as told:
            self._process = subprocess.Popen(
                [sys.executable, *words],
                env={**server.environment, **own},
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
