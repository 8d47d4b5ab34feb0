"""Opening the database: migrations, transactions and faults told in one sentence."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session, sessionmaker

from core.errors import InputError, OutputError, RoomtoneError

MIGRATIONS = Path(__file__).resolve().parent / "migrations"

# "RMTN": written into the file's header, so that nobody else's database is taken for ours.
APPLICATION_ID = 0x524D544E

# How long a writer waits for another. Transactions here are short; a flow holds none while it
# works.
BUSY_MS = 30_000

# As /proc/mounts and macOS's mount name them.
_NETWORK = frozenset(
    {"9p", "afs", "beegfs", "ceph", "gpfs", "lustre", "glusterfs", "webdav", "afpfs"}
)
_NETWORK_FAMILIES = ("nfs", "cifs", "smb", "fuse.")


class Database:
    """What is remembered. One object may serve many threads; each transaction is one thread's.

    write() in a thread that is already in write() waits for itself: don't nest them.
    """

    def __init__(self, engine: Engine, path: Path) -> None:
        self.path = path
        self._engine = engine
        self._writer = engine.execution_options(roomtone_writes=True)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session in one transaction, exclusive from its first moment.

        Committed at the end of the block; after an exception inside it, nothing of it is kept.
        Raises OutputError where the database stays locked, or can't be written.
        """
        sessions = sessionmaker(self._writer, expire_on_commit=False)
        with _told(self.path), sessions.begin() as session:
            session.connection()
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one consistent state and refuses to write (OutputError)."""
        with _told(self.path), Session(self._engine, expire_on_commit=False) as session:
            yield session

    def scrub(self) -> None:
        """Makes unreadable what was deleted: not a byte of it is left in the database's files.

        The full-text indexes are built anew from what is left, the file is rewritten and its
        write-ahead log emptied. Nobody else may have the database open for writing. Raises
        OutputError where somebody has: what was deleted stays deleted, and this can be done again.
        """
        self._engine.dispose()
        connection = sqlite3.connect(self.path, timeout=BUSY_MS / 1000, isolation_level=None)
        with _told(self.path), closing(connection):
            connection.execute("PRAGMA secure_delete = ON")
            indexes = connection.execute(
                "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%USING fts5(%'"
            ).fetchall()
            for (name,) in indexes:
                connection.execute(f'INSERT INTO "{name}"("{name}") VALUES (\'rebuild\')')
            connection.execute("VACUUM")
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise OutputError(
                f"{self.path} is read by another program, so traces of what was deleted stay in its"
                " log: close that program and run the same command again."
            )

    def close(self) -> None:
        """Closes every connection. The object is of no use afterwards."""
        self._engine.dispose()


def open_database(path: Path) -> Database:
    """The database at a path, made where there is none and brought up to date where it is older.

    Raises InputError where the file is damaged, not a roomtone database, or made by a newer
    roomtone; OutputError where it can't be made or changed.
    """
    path = path.absolute()
    with _told(path):
        found = _revision(path)
    known = revisions()
    if found is not None and found not in known:
        raise InputError(
            f"{path} was made by a newer roomtone (schema {found}, this one knows {known[-1]}):"
            " update roomtone, or point ROOMTONE_HOME to another folder."
        )
    engine = _engine(path)
    try:
        with _told(path):
            if found != known[-1]:
                _migrate(engine, path)
            else:
                _choose_journal(path)
    except BaseException:
        engine.dispose()
        raise
    return Database(engine, path)


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


def _revision(path: Path) -> str | None:
    """The schema revision of a database, or None where there is no file, or an empty one."""
    if path.is_dir():
        raise InputError(f"{path} is a folder: the database needs the name of a file.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.stat().st_size == 0:
            return None
    except OSError as fault:
        raise OutputError(
            f"{path.parent} can't be used for the database ({fault.strerror}): check its"
            " permissions, or point ROOMTONE_HOME to another folder."
        ) from fault
    with closing(sqlite3.connect(path, timeout=BUSY_MS / 1000)) as connection:
        owner = connection.execute("PRAGMA application_id").fetchone()[0]
        empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if owner == 0 and empty:
            return None
        if owner != APPLICATION_ID:
            raise InputError(
                f"{path} is another program's database: point ROOMTONE_HOME to another folder."
            )
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else None


def _engine(path: Path) -> Engine:
    url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, max_overflow=-1, connect_args={"timeout": BUSY_MS / 1000})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        # Python's own transaction handling would begin late and deferred.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        connection.execute("PRAGMA foreign_keys = ON")
        # What is deleted is overwritten; `scrub` does the rest where somebody is forgotten.
        connection.execute("PRAGMA secure_delete = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("roomtone_writes", False)
        connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _migrate(engine: Engine, path: Path) -> None:
    """All missing migrations in one transaction: a crash leaves the database as it was."""
    from alembic import command

    _choose_journal(path)
    with engine.execution_options(roomtone_writes=True).begin() as connection:
        # Another process that opened it in the same moment was first: then nothing is left to do.
        command.upgrade(alembic_config(connection), "head")
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")


def _choose_journal(path: Path) -> None:
    """A write-ahead log, so that readers never wait; the old journal on a network share.

    The choice stays in the file. Where it can't be made now (others have the database open, or
    the file system refuses), the database works with the journal it has.
    """
    with closing(sqlite3.connect(path, timeout=BUSY_MS / 1000)) as connection:
        try:
            mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
            wanted = "delete" if _on_network_share(path) else "wal"
            if mode != wanted:
                connection.execute(f"PRAGMA journal_mode = {wanted}")
        except sqlite3.OperationalError:
            return


def _on_network_share(path: Path) -> bool:
    """Whether a path lies on a share, where a write-ahead log loses data. False where unknown."""
    if sys.platform == "win32":
        return str(path).startswith("\\\\")
    try:
        mounted = _mounted()
    except (OSError, subprocess.SubprocessError):
        return False
    real = path.resolve()
    above = [(len(place), kind) for place, kind in mounted if real.is_relative_to(place)]
    kind = max(above)[1] if above else ""
    return kind in _NETWORK or kind.startswith(_NETWORK_FAMILIES)


def _mounted() -> list[tuple[str, str]]:
    """Mount points and their file systems, from Linux's list or from what `mount` prints."""
    linux = Path("/proc/self/mounts")
    if linux.is_file():
        fields = [line.split(" ") for line in linux.read_text("utf-8", "replace").splitlines()]
        return [(place.replace("\\040", " "), kind) for _, place, kind, *_ in fields]
    told = subprocess.run(["mount"], capture_output=True, timeout=5, check=True)
    mounted = []
    for line in told.stdout.decode("utf-8", "replace").splitlines():
        # macOS: `//guest@server/share on /Volumes/share (smbfs, nodev, nosuid)`
        place, _, options = line.partition(" on ")[2].rpartition(" (")
        mounted.append((place, options.rstrip(")").split(",")[0]))
    return mounted


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turns the database's faults that a person can mend into one sentence."""
    try:
        yield
    except (DatabaseError, sqlite3.DatabaseError) as fault:
        explained = _explained(path, str(getattr(fault, "orig", fault)))
        if explained is None:
            raise
        raise explained from fault


def _explained(path: Path, said: str) -> RoomtoneError | None:
    if any(sign in said for sign in ("not a database", "malformed", "alembic_version")):
        return InputError(
            f"{path} is damaged or no database ({said}): put back a copy of it, or move it away"
            " and roomtone makes a new one."
        )
    if "is locked" in said:
        return OutputError(
            f"{path} has been in use by another program for {BUSY_MS // 1000} s: close that"
            " program and try again."
        )
    if "disk is full" in said:
        return OutputError(f"{path} can't grow, its disk is full: free some space and try again.")
    if any(sign in said for sign in ("readonly", "unable to open", "disk I/O error")):
        return OutputError(
            f"{path} can't be opened or written ({said}): check its permissions and those of its"
            " folder."
        )
    return None
