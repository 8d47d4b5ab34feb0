"""A server of the PostgreSQL that the system has, for as long as it is needed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.errors import EngineError

_WHERE = "/usr/lib/postgresql/*/bin"
_ACCOUNT = "postgres"


@contextmanager
def installed_postgres(*databases: str) -> Iterator[str]:
    """A server of the PostgreSQL that the system has, with its extensions (Prefect needs pg_trgm).

    databases: names of empty ones to make. Gives `user@host:port`; it listens on the loopback
    alone. Stopped and removed at the end. Raises EngineError where none is installed, or it does
    not start.
    """
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    run: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL}
    if os.name == "posix" and os.geteuid() == 0:
        # It refuses to run as root.
        run |= {"user": _ACCOUNT, "group": _ACCOUNT, "extra_groups": []}
        shutil.chown(folder, _ACCOUNT, _ACCOUNT)
    log, data, port = folder / "log", folder / "data", free_port()
    making = ["-U", "roomtone", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
    subprocess.run([programs / "initdb", "-D", data, *making], check=True, **run)
    listening = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"]
    with log.open("wb") as told:
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, "-p", str(port), "-c", "fsync=off", *listening],
            stderr=told,
            **run,
        )
    try:
        _make(port, databases, server, log)
        yield f"roomtone@127.0.0.1:{port}"
    finally:
        # A fast shutdown: who is connected is let go.
        server.send_signal(2)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def has_installed_postgres() -> bool:
    """Whether the system has a PostgreSQL of its own."""
    try:
        _programs()
    except EngineError:
        return False
    return True


def free_port() -> int:
    """A port of the loopback that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _programs() -> Path:
    """The folder of the server's programs."""
    known = shutil.which("initdb")
    if known is not None:
        return Path(known).resolve().parent
    versions = sorted(Path("/").glob(_WHERE.lstrip("/")), key=lambda path: path.parts[-2])
    if not versions:
        raise EngineError(
            "No PostgreSQL with its extensions is installed: `apt-get install postgresql`, or "
            "have its `initdb` on the PATH."
        )
    return versions[-1]


def _make(
    port: int, databases: tuple[str, ...], server: subprocess.Popen[bytes], log: Path
) -> None:
    """Wait until the server answers, and make databases."""
    import psycopg

    address = f"host=127.0.0.1 port={port} user=roomtone dbname=postgres"
    until = time.monotonic() + 30
    while True:
        try:
            connection = psycopg.connect(address, autocommit=True)
            break
        except psycopg.OperationalError as fault:
            if server.poll() is not None or time.monotonic() > until:
                told = log.read_text("utf-8", "replace").strip().rpartition("\n")[2]
                raise EngineError(f"PostgreSQL does not start: {told}.") from fault
            time.sleep(0.1)
    with connection:
        for name in databases:
            connection.execute(f"CREATE DATABASE {name}".encode())
