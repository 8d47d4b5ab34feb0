"""PostgreSQL: a database on a server, for a team."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, InternalError

from core.errors import InputError, OutputError, PassingError, RoomtoneError, UsageError
from db import backend
from db.backend import foreign, numberless
from db.postgres_sums import install

# "RMTN", as in SQLite's header: the number of the lock that keeps writers apart.
WRITERS = 0x524D544E

# Written beside Alembic's table, so that nobody else's database is taken for ours.
_OURS = "roomtone"

_CONNECT_S = 10
_DRIVERS = ("postgresql+psycopg", "postgresql", "postgres")

# What can't be in JSON is written as a number beyond what a float holds, and read as infinite.
_ENDLESS = uuid4().hex


class Postgres:
    """A database on a server, by its URL; all tables lie in the connection's first schema.

    Writers wait for each other at a lock of our own, as SQLite's do: what a transaction has read
    stays true until it ends, none ever has to be done again, and none dies of a deadlock. They
    are short, and readers never wait.
    """

    path: Path | None = None

    def __init__(self, url: str) -> None:
        try:
            given = make_url(url)
        except ArgumentError:
            # Neither the fault nor the URL is shown: it may hold a password.
            raise _no_url() from None
        if given.drivername not in _DRIVERS:
            raise _no_url()
        self._url = given.set(drivername="postgresql+psycopg")
        self.name = _shown(self._url)

    def revision(self) -> str | None:
        """The schema revision, or None where the database's schema is empty."""
        engine = self.engine()
        try:
            with engine.connect() as connection:
                encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
                if encoding != "UTF8":
                    raise InputError(
                        f"{self.name} is encoded in {encoding}: make one with"
                        " CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0."
                    )
                known = connection.exec_driver_sql(
                    "SELECT relname, obj_description(oid) FROM pg_class"
                    " WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
                ).all()
                owners = {str(name): comment for name, comment in known}
                if not owners:
                    return None
                if owners.get("alembic_version") != _OURS:
                    raise foreign(self.name)
                found = connection.exec_driver_sql("SELECT version_num FROM alembic_version")
                revision = found.scalar()
                if revision is None:
                    raise numberless(self.name)
                return str(revision)
        finally:
            engine.dispose()

    def engine(self) -> Engine:
        """What makes connections."""
        given = self._url.query
        defaults = {"connect_timeout": _CONNECT_S, "application_name": "roomtone"}
        try:
            made = create_engine(
                self._url,
                max_overflow=-1,
                pool_pre_ping=True,
                json_serializer=_to_json,
                connect_args={name: value for name, value in defaults.items() if name not in given},
            )
        except ImportError as fault:
            raise UsageError(
                f"The setting database names {self.name}, and the driver for that is not"
                ' installed: pip install "roomtone[postgres]".'
            ) from fault

        @event.listens_for(made, "begin")
        def begin(connection: Connection) -> None:
            if connection.get_execution_options().get("roomtone_writes", False):
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {backend.BUSY_MS}")
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS})")
            else:
                connection.exec_driver_sql(
                    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
                )

        return made

    def prepare(self) -> None:
        """Nothing lies outside of transactions."""

    def create(self, _: Connection) -> None:
        """Migrations make the tables: a server's are made once for a whole team."""

    def finish(self, connection: Connection) -> None:
        """Marks the database as ours, makes its texts sort by code point as SQLite's do, and has
        its tables tell what is written to them.
        """
        connection.exec_driver_sql(f"COMMENT ON TABLE alembic_version IS '{_OURS}'")
        columns = connection.exec_driver_sql(
            "SELECT quote_ident(table_name), quote_ident(column_name), data_type"
            " FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND is_generated = 'NEVER'"
            " AND data_type IN ('text', 'character varying')"
            " AND collation_name IS DISTINCT FROM 'C'"
        ).all()
        for table, column, kind in columns:
            connection.exec_driver_sql(
                f'ALTER TABLE {table} ALTER COLUMN {column} TYPE {kind} COLLATE "C"'
            )
        install(connection)

    def scrub(self, engine: Engine) -> None:
        """Rewrites every table with its indexes, so that no page holds a deleted row.

        What the server keeps besides (its write-ahead log, archives, replicas, backups) is beyond
        a user's reach and goes with its own rotation.
        """
        automatic = engine.execution_options(isolation_level="AUTOCOMMIT", roomtone_writes=True)
        with automatic.connect() as connection:
            connection.exec_driver_sql(f"SET lock_timeout = {backend.BUSY_MS}")
            self._wait_for_readers(connection)
            tables = connection.exec_driver_sql(
                "SELECT quote_ident(relname) FROM pg_class"
                " WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"
                " ORDER BY relname"
            ).scalars()
            for table in tables.all():
                connection.exec_driver_sql(f"VACUUM (FULL, ANALYZE) {table}")
        engine.dispose()

    def _wait_for_readers(self, connection: Connection) -> None:
        """Waits until nobody sees what was deleted any more: until then it can't be removed."""
        now = connection.exec_driver_sql("SELECT txid_current()").scalar_one() % 2**32
        until = time.monotonic() + backend.BUSY_MS / 1000
        while connection.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND datname = current_database()"
            f" AND age(backend_xmin) > age('{now}'::xid)"
        ).scalar_one():
            if time.monotonic() > until:
                raise OutputError(
                    f"{self.name} is read by another program, so traces of what was deleted stay"
                    " in it: close that program and run the same command again."
                )
            time.sleep(0.05)

    def damage(self, engine: Engine, *, deep: bool) -> tuple[str, ...]:
        """What the server says when it reads the tables; deep: every row of them.

        Without data checksums a server can't see a flipped bit; indexes are its administrator's
        to check (`pg_amcheck`).
        """
        said = []
        with engine.connect() as connection:
            tables = connection.exec_driver_sql(
                "SELECT quote_ident(relname) FROM pg_class"
                " WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"
                " ORDER BY relname"
            ).scalars()
            for table in tables.all():
                try:
                    with connection.begin_nested():
                        what = f"count({table}.*::text)" if deep else "1"
                        asked = f"SELECT {what} FROM {table} LIMIT 1"
                        connection.exec_driver_sql(asked).first()
                except InternalError as fault:
                    said.append(f"table {table}: {str(fault.orig).splitlines()[0]}")
        return tuple(said)

    def explained(self, said: str) -> RoomtoneError | None:
        """The fault of which the server or its driver said this."""
        first = said.strip().splitlines()[0] if said.strip() else said
        if any(sign in said for sign in ("lock timeout", "deadlock detected")):
            return PassingError(
                f"{self.name} has been in use by another program for"
                f" {backend.BUSY_MS // 1000} s: close that program and try again."
            )
        if "read-only transaction" in said or "permission denied" in said:
            return OutputError(
                f"{self.name} can't be written ({first}): check what its user may do."
            )
        if "No space left" in said or "disk full" in said.lower():
            return OutputError(
                f"{self.name} can't grow, the server's disk is full: free some space."
            )
        signs = (
            "connection failed",
            "connection timeout",
            "could not connect",
            "failed to resolve",
            "server closed the connection",
            "terminating connection",
            "connection is lost",
            "connection is bad",
            "invalid connection option",
            "no schema has been selected",
        )
        if any(sign in said for sign in signs):
            return PassingError(
                f"{self.name} can't be reached ({first}): start the server, or mend the setting"
                " database."
            )
        return None


def _no_url() -> UsageError:
    return UsageError(
        "The setting database is neither empty nor a URL such as"
        " postgresql+psycopg://user@host/name."
    )


def _shown(url: URL) -> str:
    """A URL as it may be shown: without passwords, wherever they stand in it."""
    secret = [name for name in url.query if "pass" in name.lower()]
    return url.difference_update_query(secret).render_as_string(hide_password=True)


def _to_json(value: Any) -> str:
    """JSON that PostgreSQL takes and that reads as what it was: an infinity is 1e999."""
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        text = json.dumps(_marked(value), allow_nan=False)
        return text.replace(f'"{_ENDLESS}+"', "1e999").replace(f'"{_ENDLESS}-"', "-1e999")


def _marked(value: Any) -> Any:
    """A value with a mark in place of each infinity, and null for what is no number."""
    if isinstance(value, dict):
        return {key: _marked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_marked(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else _ENDLESS + ("+" if value > 0 else "-")
    return value
