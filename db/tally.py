"""How many rows each table should have, so that rows which somebody else removed are missed.

Every writing transaction brings the counts up to date for what it did itself. A row that went
any other way leaves a count that is wrong, which `db.integrity` tells.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, cast

from sqlalchemy import Connection, Engine, TextClause, event, func, insert, select, update
from sqlalchemy import Table as SqlTable
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.dml import Delete, Insert

import db.run_rows
import db.search.tables  # noqa: F401  (all tables are to be counted)
from db.seals import added, seal_sum, seal_text, sealed
from db.sums import begin_sums, table_sum, told_sums
from db.tables import Table

_KEY = "roomtone_tally"
_WRITTEN = re.compile(r"\b(?:INTO|DELETE\s+FROM)\s+[\"`]?(\w+)", re.IGNORECASE)


class RowCount(Table):
    """How many rows a table had after the last transaction of ours, and its seal (`db.seals`)."""

    __tablename__ = "row_counts"

    table: Mapped[str] = mapped_column(primary_key=True)
    rows: Mapped[int]
    seal: Mapped[str] = mapped_column(server_default="")


_COUNTS = cast(SqlTable, RowCount.__table__)


class Tally:
    """What one transaction did to the number of rows.

    changed: rows more or less, by table. unsure: tables whose rows have to be counted. anew: what
    was kept before does not count.
    """

    def __init__(self) -> None:
        self.changed: Counter[str] = Counter()
        self.unsure: set[str] = set()
        self.anew = False

    def note(self, statement: Any, sets: int, rowcount: int) -> None:
        """Count a statement that was executed. sets: of parameters; rowcount: as it was told."""
        if isinstance(statement, Insert):
            name = str(statement.table)
            plain = statement.select is None and statement._post_values_clause is None
            if plain and not statement._multi_values:
                self.changed[name] += max(1, sets)
            else:
                self.unsure.add(name)
        elif isinstance(statement, Delete):
            name = str(statement.table)
            if sets <= 1 and rowcount >= 0:
                self.changed[name] -= rowcount
            else:
                self.unsure.add(name)
            self.unsure |= _cascaded(name)
        elif isinstance(statement, TextClause):
            self.unsure |= set(_WRITTEN.findall(statement.text))


def watch(engine: Engine) -> None:
    """Have the statements of an engine's connections counted where `begin_tally` asked for it."""

    @event.listens_for(engine, "after_execute")
    def noted(
        connection: Connection, statement: Any, sets: Any, one: Any, _: Any, result: Any
    ) -> None:
        tally = connection.info.get(_KEY)
        if tally is not None:
            deletes = isinstance(statement, Delete)
            tally.note(statement, len(sets) or bool(one), result.rowcount if deletes else -1)

    @event.listens_for(engine, "after_cursor_execute")
    def noted_plainly(
        connection: Connection, _: Any, statement: str, __: Any, context: Any, ___: bool
    ) -> None:
        # What is given to the driver as it is comes by here only.
        tally = connection.info.get(_KEY)
        if tally is not None and getattr(context, "compiled", None) is None:
            tally.unsure |= set(_WRITTEN.findall(statement))


def begin_tally(connection: Connection) -> None:
    """Start counting what a transaction does."""
    connection.info[_KEY] = Tally()
    begin_sums(connection)


def distrust(connection: Connection) -> None:
    """Count and seal every table anew at the end of the transaction, whatever was kept before."""
    connection.info[_KEY].anew = True


def settle(connection: Connection) -> None:
    """Bring counts and seals up to date, at the end of a transaction; its writes are flushed."""
    tally = connection.info.pop(_KEY, None)
    if tally is None:
        return
    if tally.anew:
        recount(connection, counted())
        return
    sums = told_sums(connection)
    more = {name: rows for name, rows in tally.changed.items() if rows}
    names = ({*sums, *more} | tally.unsure) & set(counted())
    kept = {row.table: row for row in connection.execute(select(_COUNTS)) if row.table in names}
    recount(connection, names - set(kept))
    for name, row in sorted(kept.items()):
        unsure = name in tally.unsure
        rows = count(connection, name) if unsure else row.rows + more.get(name, 0)
        total = seal_sum(row.seal)
        seal = ""
        if total is not None:
            seal = seal_text(name, rows, added(total, sums.get(name, 0)))
        where = _COUNTS.c.table == name
        connection.execute(update(_COUNTS).where(where).values(rows=rows, seal=seal))


def recount(connection: Connection, names: Iterable[str]) -> None:
    """Count and seal the rows of tables anew and keep that as right."""
    for name in sorted(names):
        rows = count(connection, name)
        seal = seal_text(name, rows, table_sum(connection, name))
        where = _COUNTS.c.table == name
        done = connection.execute(update(_COUNTS).where(where).values(rows=rows, seal=seal))
        if not done.rowcount:
            connection.execute(insert(_COUNTS).values(table=name, rows=rows, seal=seal))


def count(connection: Connection, name: str) -> int:
    """How many rows a table has now."""
    query = select(func.count()).select_from(Table.metadata.tables[name])
    return connection.execute(query).scalar_one()


def counted() -> tuple[str, ...]:
    """The tables that are counted: those that are sealed, all but the counts themselves."""
    return sealed()


def _cascaded(name: str) -> set[str]:
    """The tables that lose rows of their own accord when a table does."""
    found: set[str] = set()
    for table in Table.metadata.tables.values():
        for key in table.foreign_keys:
            if key.ondelete == "CASCADE" and key.column.table.name == name:
                found |= {table.name} | _cascaded(table.name)
    return found
