"""SQLite: a file in the home, with one writer at a time and readers that never wait."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event

from core.errors import InputError, OutputError, PassingError, RoomtoneError
from db import backend
from db.backend import foreign, numberless
from db.schema import create_tables
from db.sqlite_sums import watch_rows

# "RMTN": written into the file's header, so that nobody else's database is taken for ours.
APPLICATION_ID = 0x524D544E

# As /proc/mounts and macOS's mount name them.
_NETWORK = frozenset(
    {"9p", "afs", "beegfs", "ceph", "gpfs", "lustre", "glusterfs", "webdav", "afpfs"}
)
_DAMAGED = (
    "not a database",
    "malformed",
    "alembic_version",
    "unsupported file format",
    "no such table",
    "no such column",
    "Could not decode",
)
_MOST = 20
_NETWORK_FAMILIES = ("nfs", "cifs", "smb", "fuse.")


class Sqlite:
    """A database in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.name = str(self.path)

    def revision(self) -> str | None:
        """The schema revision, or None where there is no file, or an empty one."""
        path = self.path
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
        with closing(self._connected()) as connection:
            owner = connection.execute("PRAGMA application_id").fetchone()[0]
            empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
            if owner == 0 and empty:
                return None
            if owner != APPLICATION_ID:
                raise foreign(self.name)
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            if row is None:
                raise numberless(self.name)
            return str(row[0])

    def engine(self) -> Engine:
        """What makes connections."""
        url = URL.create("sqlite", database=str(self.path))
        made = create_engine(url, max_overflow=-1, connect_args={"timeout": backend.BUSY_MS / 1000})

        @event.listens_for(made, "connect")
        def prepare(connection: sqlite3.Connection, _: object) -> None:
            # Python's own transaction handling would begin late and deferred.
            connection.isolation_level = None
            connection.execute(f"PRAGMA busy_timeout = {backend.BUSY_MS}")
            connection.execute("PRAGMA foreign_keys = ON")
            # What is deleted is overwritten; `scrub` does the rest where somebody is forgotten.
            connection.execute("PRAGMA secure_delete = ON")
            # SQLite's own knows the letters of ASCII only.
            connection.create_function("lower", 1, _lower, deterministic=True)

        @event.listens_for(made, "begin")
        def begin(connection: Connection) -> None:
            options = connection.get_execution_options()
            writes = options.get("roomtone_writes", False)
            connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
            raw = connection.connection.driver_connection
            if options.get("roomtone_seals", False) and isinstance(raw, sqlite3.Connection):
                watch_rows(raw, connection.info)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

        return made

    def prepare(self) -> None:
        """A write-ahead log, so that readers never wait; the old journal on a network share.

        The choice stays in the file. Where it can't be made now (others have the database open,
        or the file system refuses), the database works with the journal it has.
        """
        with closing(self._connected()) as connection:
            try:
                mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
                wanted = "delete" if _on_network_share(self.path) else "wal"
                if mode != wanted:
                    connection.execute(f"PRAGMA journal_mode = {wanted}")
            except sqlite3.OperationalError:
                return

    def create(self, connection: Connection) -> str:
        """Makes the tables of an empty file at once; see `db.schema`."""
        return create_tables(connection)

    def finish(self, connection: Connection) -> None:
        """Marks the file as ours."""
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")

    def scrub(self, _: Engine) -> None:
        """Builds the full-text indexes anew, rewrites the file and empties its log."""
        connection = self._connected()
        connection.isolation_level = None
        with closing(connection):
            connection.execute("PRAGMA secure_delete = ON")
            for name in _indexes(connection):
                connection.execute(f'INSERT INTO "{name}"("{name}") VALUES (\'rebuild\')')
            connection.execute("VACUUM")
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise OutputError(
                f"{self.name} is read by another program, so traces of what was deleted stay in"
                " its log: close that program and run the same command again."
            )

    def damage(self, _: Engine, *, deep: bool) -> tuple[str, ...]:
        """What `PRAGMA integrity_check` says; deep: and whether the indexes of search are right."""
        connection = self._connected()
        connection.isolation_level = None
        with closing(connection):
            try:
                rows = connection.execute(f"PRAGMA integrity_check({_MOST})").fetchall()
            except sqlite3.DatabaseError as fault:
                if "locked" in str(fault):
                    raise
                return (str(fault),)
            # One row may hold many lines, of which the first says in which file.
            lines = [line for row in rows for line in str(row[0]).splitlines()]
            said = [line for line in lines if line != "ok" and not line.startswith("***")][:_MOST]
            return (*said, *(self._unfit_indexes(connection) if deep and not said else ()))

    def _unfit_indexes(self, connection: sqlite3.Connection) -> list[str]:
        """The full-text indexes that are not those of the rows they stand for.

        The question has the form of a write: where that is refused, it is not asked.
        """
        unfit: list[str] = []
        for name in _indexes(connection):
            try:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(
                    f'INSERT INTO "{name}"("{name}", rank) VALUES (\'integrity-check\', 1)'
                )
            except sqlite3.OperationalError:
                return unfit
            except sqlite3.DatabaseError as fault:
                unfit.append(f"the index {name} does not fit its rows ({fault})")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        return unfit

    def explained(self, said: str) -> RoomtoneError | None:
        """The fault of which SQLite said this."""
        path = self.name
        if any(sign in said for sign in _DAMAGED):
            return InputError(
                f"{path} is damaged or no database ({said}): put back a backup (roomtone"
                " restore), or move it away and roomtone makes a new one."
            )
        if "is locked" in said:
            return PassingError(
                f"{path} has been in use by another program for {backend.BUSY_MS // 1000} s: close"
                " that program and try again."
            )
        if "disk is full" in said:
            return OutputError(
                f"{path} can't grow, its disk is full: free some space and try again."
            )
        if any(sign in said for sign in ("readonly", "unable to open", "disk I/O error")):
            return OutputError(
                f"{path} can't be opened or written ({said}): check its permissions and those of"
                " its folder."
            )
        return None

    def _connected(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=backend.BUSY_MS / 1000)


def _indexes(connection: sqlite3.Connection) -> list[str]:
    """The names of the full-text indexes."""
    query = "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%USING fts5(%'"
    return [str(name) for (name,) in connection.execute(query)]


def _lower(text: str | float | bytes | None) -> str | float | bytes | None:
    return text.lower() if isinstance(text, str) else text


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
