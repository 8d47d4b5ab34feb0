"""Opening the database, of whichever kind: migrations, transactions, faults in one sentence."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session, sessionmaker

from core.errors import InputError, OutputError, PassingError
from db.backend import Backend, told
from db.sqlite import Sqlite
from db.tally import begin_tally, counted, recount, settle, watch

MIGRATIONS = Path(__file__).resolve().parent / "migrations"
_TURNS = 4
"""How often a process waits (`backend.BUSY_MS`) for its turn while another migrates a database."""


class Database:
    """What is remembered. One object may serve many threads; each transaction is one thread's.

    write() in a thread that is already in write() waits for itself: don't nest them.
    """

    def __init__(self, engine: Engine, backend: Backend) -> None:
        self._engine = engine
        self._backend = backend
        self._writer = engine.execution_options(roomtone_writes=True, roomtone_seals=True)
        watch(engine)

    @property
    def name(self) -> str:
        """How people are told of it: its path, or its address without the password."""
        return self._backend.name

    @property
    def path(self) -> Path | None:
        """Its file; None where it lies on a server."""
        return self._backend.path

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session in one transaction, exclusive from its first moment.

        Committed at the end of the block; after an exception inside it, nothing of it is kept.
        Raises OutputError where the database stays locked, or can't be written.
        """
        sessions = sessionmaker(self._writer, expire_on_commit=False)
        with told(self._backend), sessions.begin() as session:
            connection = session.connection()
            begin_tally(connection)
            yield session
            session.flush()
            settle(connection)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one consistent state and refuses to write (OutputError)."""
        with told(self._backend), Session(self._engine, expire_on_commit=False) as session:
            yield session

    def scrub(self) -> None:
        """Makes unreadable what was deleted: not a byte of it is left in the database's files.

        Indexes are built anew from what is left, tables are rewritten and logs emptied, as far as
        the database lets its user. Nobody else may have it open for writing. Raises OutputError
        where somebody has: what was deleted stays deleted, and this can be done again.
        """
        self._engine.dispose()
        with told(self._backend, sqlite3.DatabaseError):
            self._backend.scrub(self._engine)

    def damage(self, *, deep: bool) -> tuple[str, ...]:
        """What the database finds wrong with its own structure, a clause each; see `Backend`."""
        with told(self._backend, sqlite3.DatabaseError):
            return self._backend.damage(self._engine, deep=deep)

    def copy(self, session: Session, target: Path) -> bool:
        """Copies the database as a reading session sees it to a file that is not there yet.

        False where it lies on a server, which is not copied so. Raises OutputError where the file
        can't be written.
        """
        connection = session.connection().connection.driver_connection
        if not isinstance(connection, sqlite3.Connection):
            return False
        try:
            with closing(sqlite3.connect(target)) as copy:
                connection.backup(copy)
        except sqlite3.Error as fault:
            raise OutputError(f"{target} can't be written ({fault}): check the disk.") from fault
        return True

    def close(self) -> None:
        """Closes every connection. The object is of no use afterwards."""
        self._engine.dispose()


def open_database(where: Path | str) -> Database:
    """The database at a path or URL, made where it is empty, brought up to date where it is older.

    Raises InputError where it is damaged, not a roomtone database, or made by a newer roomtone;
    OutputError where it can't be reached, made or changed; UsageError where its URL or driver
    will not do.
    """
    backend = _backend(where)
    with told(backend, sqlite3.DatabaseError):
        found = backend.revision()
    known = revisions()
    if found is not None and found not in known:
        raise InputError(
            f"{backend.name} was made by a newer roomtone (schema {found}, this one knows"
            f" {known[-1]}): update roomtone, or use another database (ROOMTONE_HOME, or the"
            " setting database)."
        )
    engine = backend.engine()
    try:
        with told(backend, sqlite3.DatabaseError):
            backend.prepare()
        if found != known[-1]:
            _migrate(engine, backend, known[-1])
    except BaseException:
        engine.dispose()
        raise
    return Database(engine, backend)


def revisions() -> tuple[str, ...]:
    """The schema revisions of this program, oldest first. The last is what it works with.

    Read from the names of the migrations (`0001_first.py`), since importing Alembic to ask it
    takes longer than everything else at a start.
    """
    names = sorted(script.name for script in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    return tuple(name.partition("_")[0] for name in names)


def alembic_config(connection: Connection) -> Any:
    """Alembic's configuration for a connection, for migrations and for writing new ones."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _backend(where: Path | str) -> Backend:
    if isinstance(where, Path):
        return Sqlite(where)
    if where.startswith("sqlite:"):
        # Four slashes before an absolute path, as SQLAlchemy has it.
        return Sqlite(Path(where.removeprefix("sqlite:").removeprefix("///")))
    from db.postgres import Postgres

    return Postgres(where)


def _migrate(engine: Engine, backend: Backend, newest: str) -> None:
    """Bring a database up to date, with some patience for another process that is at it."""
    for turn in range(_TURNS):
        try:
            with told(backend, sqlite3.DatabaseError):
                _upgrade(engine, backend, newest)
            return
        except PassingError:
            if turn == _TURNS - 1:
                raise


def _upgrade(engine: Engine, backend: Backend, newest: str) -> None:
    """All missing migrations in one transaction: a crash leaves the database as it was."""
    with engine.execution_options(roomtone_writes=True).begin() as connection:
        # Another process that opened it in the same moment was first: then nothing is left to do,
        # and others wait for this one no longer than for a look.
        found = backend.revision()
        if found == newest:
            return
        if found is None and backend.create(connection) == newest:
            backend.finish(connection)
            return
        from alembic import command

        command.upgrade(alembic_config(connection), "head")
        backend.finish(connection)
        recount(connection, counted())
