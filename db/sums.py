"""The sums of rows' digests: of a table as it is, and of what a transaction of ours did to it.

`db.seals` says what for. Each kind of database adds up in its own way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from sqlalchemy import Connection

from db import postgres_sums, sqlite_sums
from db.seals import added


class _Sums(Protocol):
    """What a module offers for its kind of database."""

    def begin(self, connection: Connection) -> None: ...
    def told(self, connection: Connection) -> Mapping[str, int]: ...
    def total(self, connection: Connection, name: str) -> int: ...


_OF_KIND: Mapping[str, _Sums] = {"sqlite": sqlite_sums, "postgresql": postgres_sums}


def begin_sums(connection: Connection) -> None:
    """Be told, from now to the end of the transaction, what it does to rows."""
    _OF_KIND[connection.dialect.name].begin(connection)


def told_sums(connection: Connection) -> Mapping[str, int]:
    """What the transaction did to the sums of tables since then, by name."""
    return _OF_KIND[connection.dialect.name].told(connection)


def table_sum(connection: Connection, name: str) -> int:
    """The sum of a table's rows as they are now; reads all of it."""
    return added(0, _OF_KIND[connection.dialect.name].total(connection, name))
