"""What a database has to offer, whichever it is, and its faults told in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from json import JSONDecodeError
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from core.errors import InputError, RoomtoneError
from db.codec import DamagedValueError

# How long a writer waits for another. Transactions here are short; a flow holds none while it
# works.
BUSY_MS = 30_000


class Backend(Protocol):
    """A kind of database.

    An engine's connections keep writers apart where their execution option `roomtone_writes` is
    set, and else refuse to write.
    """

    @property
    def name(self) -> str:
        """How people are told of it; without a password."""

    @property
    def path(self) -> Path | None:
        """Its file; None where it has none."""

    def revision(self) -> str | None:
        """The schema revision, or None where there is nothing yet.

        Raises InputError where it is another program's, OutputError where it can't be had.
        """

    def engine(self) -> Engine:
        """What makes connections."""

    def prepare(self) -> None:
        """Makes ready what lies outside of transactions."""

    def create(self, connection: Connection) -> str | None:
        """Makes the tables of an empty database at once, in the connection's transaction.

        Returns the schema revision that it has then; None where migrations have to make them.
        """

    def finish(self, connection: Connection) -> None:
        """What is left to do after migrations, in their transaction."""

    def scrub(self, engine: Engine) -> None:
        """Makes unreadable what was deleted; see `db.engine.Database`."""

    def damage(self, engine: Engine, *, deep: bool) -> tuple[str, ...]:
        """What the database finds wrong with its own structure, a clause each.

        deep: whether everything is read for it.
        """

    def explained(self, said: str) -> RoomtoneError | None:
        """The fault of which the database said this; None where a person can't mend it."""


@contextmanager
def told(backend: Backend, more: type[Exception] = DBAPIError) -> Iterator[None]:
    """Turns the database's faults that a person can mend into one sentence.

    more: the faults of its driver, where that is called without SQLAlchemy. A value that is no
    longer what its column holds is one of these faults.
    """
    try:
        yield
    except (JSONDecodeError, UnicodeDecodeError, DamagedValueError) as fault:
        raise InputError(
            f"{backend.name} is damaged, a value in it can't be read ({fault}): restore it from a"
            " backup (roomtone restore)."
        ) from fault
    except (DBAPIError, more) as fault:
        explained = backend.explained(str(getattr(fault, "orig", fault)))
        if explained is None:
            raise
        raise explained from fault


def foreign(name: str) -> InputError:
    """That a database is not ours."""
    return InputError(
        f"{name} is another program's database: give roomtone one of its own"
        " (ROOMTONE_HOME, or the setting database)."
    )


def numberless(name: str) -> InputError:
    """That a database has lost the number of its schema."""
    return InputError(
        f"{name} does not say any more which schema it has (alembic_version is empty): restore it"
        " from a backup."
    )
