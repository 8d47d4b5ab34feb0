"""Databases to fill with lines and search, with what it costs the processor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.own_server import own_server
from db.engine import Database, open_database


@dataclass(frozen=True)
class Catalogue:
    """An empty database to measure. size: of all that it has written, in bytes."""

    name: str
    database: Database
    size: Callable[[], int]


@contextmanager
def sqlite(folder: Path) -> Iterator[Catalogue]:
    """A database in a file."""
    path = folder / "roomtone.db"
    opened = open_database(path)
    try:
        yield Catalogue("SQLite", opened, lambda: path.stat().st_size)
    finally:
        opened.close()


@contextmanager
def postgresql() -> Iterator[Catalogue]:
    """A database on a server of our own, with the settings that it comes with.

    Raises ImportError where no server is installed.
    """
    with own_server() as server:
        opened = open_database(server.database())

        def size() -> int:
            with opened.read() as session:
                asked = text("SELECT pg_database_size(current_database())")
                return int(session.execute(asked).scalar_one())

        try:
            yield Catalogue("PostgreSQL", opened, size)
        finally:
            opened.close()


def processor(session: Session) -> Callable[[], float]:
    """A clock of the processor's time in seconds: this process and what serves the session.

    The server's share is counted where the system tells it (Linux, a server on this machine), and
    without helpers that the server may start for a statement.
    """
    if session.get_bind().dialect.name != "postgresql":
        return time.process_time
    number = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
    told = Path(f"/proc/{number}/schedstat")
    if not told.is_file():
        return time.process_time
    # Nanoseconds on the processor come first.
    return lambda: time.process_time() + int(told.read_text().split()[0]) / 1e9
