"""Whether the database is whole: its structure, its rows' references, their number, its record."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import groupby

from sqlalchemy import Table as SqlTable
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from core.errors import RoomtoneError
from core.finding import Finding
from core.words import some
from db.engine import Database
from db.seals import seal_sum, seal_text
from db.sums import table_sum
from db.tables import Activity, Asset, Generated, LineRow, Table, Used, WordRow
from db.tally import RowCount, count, counted

RESTORE = "restore it from a backup (roomtone restore)"
_MOST = 50
"""Findings of one sort that are told; a table that went whole would else fill the screen."""


def database_findings(database: Database, *, deep: bool) -> tuple[Finding, ...]:
    """What is wrong inside the database; empty where all is well.

    Where its structure is damaged nothing else is looked at: what it says can't be believed.
    deep: whether every table is held against its seal, every line compared with its words, and
    the indexes of search with their rows.
    """
    try:
        said = database.damage(deep=deep)
        if not said:
            with database.read() as session:
                absent = sorted(
                    set(Table.metadata.tables)
                    - set(inspect(session.connection()).get_table_names())
                )
                said = tuple(f"the table {name} is gone" for name in absent)
                if not said:
                    return tuple(_rows(session, deep=deep))
    except RoomtoneError as fault:
        said = (str(fault).rstrip("."),)
    return tuple(Finding("database", database.name, clause, RESTORE) for clause in said)


def _rows(session: Session, *, deep: bool) -> Iterator[Finding]:
    for name in counted():
        for key in Table.metadata.tables[name].foreign_key_constraints:
            (own,), (element,) = key.columns, key.elements
            yield from _dangling(session, Table.metadata.tables[name], own.name, element.column)
    miscounted = list(_counts(session))
    yield from miscounted
    if deep:
        yield from _seals(session, {item.where for item in miscounted})
    yield from _unmade(session)
    yield from _unfounded(session)
    if deep:
        yield from _lines(session)


def _dangling(session: Session, table: SqlTable, own: str, parent: object) -> Iterator[Finding]:
    """Rows that point at a row which is not there, told once for each that is missed."""
    column, target = table.c[own], parent
    missed = (
        select(column)
        .where(column.is_not(None), ~select(target).where(target == column).exists())  # type: ignore[call-overload]
        .distinct()
        .order_by(column)
        .limit(_MOST)
    )
    for value in session.scalars(missed).all():
        of = target.table.name  # type: ignore[attr-defined]
        what = f"its row is gone, and rows of {table.name} ({own}) point at it"
        yield Finding("row", f"{of} {value}", what, RESTORE)


def _counts(session: Session) -> Iterator[Finding]:
    """Tables with other numbers of rows than roomtone left there."""
    kept = {row.table: row.rows for row in session.scalars(select(RowCount))}
    for name in counted():
        if name not in kept:
            what = f"how many rows {name} should have is no longer written there"
            yield Finding("count", "row_counts", what, RESTORE)
            continue
        found = count(session.connection(), name)
        if found != kept[name]:
            apart = abs(found - kept[name])
            ends = f"{apart} {'rows were' if apart != 1 else 'row was'}"
            how = "removed" if found < kept[name] else "added"
            what = f"{found} rows where there should be {kept[name]}: {ends} {how} by another hand"
            yield Finding("count", f"table {name}", what, RESTORE)


def _seals(session: Session, miscounted: Collection[str]) -> Iterator[Finding]:
    """Tables with other values than roomtone left there; for one with other rows that is clear."""
    connection = session.connection()
    for row in session.scalars(select(RowCount).order_by(RowCount.table)):
        where, total = f"table {row.table}", seal_sum(row.seal)
        if where in miscounted or row.table not in counted():
            continue
        if total is None or seal_text(row.table, row.rows, total) != row.seal:
            what = f"the seal of {row.table} is not as roomtone wrote it"
            yield Finding("seal", "row_counts", what, RESTORE)
        elif table_sum(connection, row.table) != total:
            what = (
                f"a value in its rows ({row.rows}, as there should be) was changed by another hand"
            )
            yield Finding("seal", where, what, RESTORE)


def _unmade(session: Session) -> Iterator[Finding]:
    """Files that roomtone made, and nothing says how."""
    query = (
        select(Asset.sha256, Asset.name)
        .where(
            Asset.kind.not_in(("original", "weights")),
            ~select(Generated.id).where(Generated.asset == Asset.sha256).exists(),
        )
        .order_by(Asset.name, Asset.sha256)
        .limit(_MOST)
    )
    for sha256, name in session.execute(query).tuples():
        what = "the row of generated that says what made it is gone"
        yield Finding("row", f"assets {sha256} ({name})", what, RESTORE)


def _unfounded(session: Session) -> Iterator[Finding]:
    """Work that ended well, and nothing says on what, or what came of it."""
    for edges, kinds, missed in (
        (Generated, ("clean", "render"), "the row of generated that says what it made is gone"),
        (Used, ("clean",), "the row of used that says what it was made from is gone"),
    ):
        query = (
            select(Activity.id, Activity.kind)
            .where(
                Activity.kind.in_(kinds),
                Activity.state == "done",
                ~select(edges.id).where(edges.activity == Activity.id).exists(),
            )
            .order_by(Activity.id)
            .limit(_MOST)
        )
        for number, kind in session.execute(query).tuples():
            yield Finding("row", f"activities {number} ({kind})", missed, RESTORE)


def _lines(session: Session) -> Iterator[Finding]:
    """Lines whose words are not those of their text."""
    words = session.execute(
        select(WordRow.line, WordRow.text)
        .order_by(WordRow.line, WordRow.position)
        .execution_options(yield_per=10_000)
    ).tuples()
    texts = {
        line: " ".join(text for _, text in said)
        for line, said in groupby(words, key=lambda row: row[0])
    }
    wrong = [
        f"lines {number}"
        for number, text in session.execute(
            select(LineRow.id, LineRow.text).order_by(LineRow.id)
        ).tuples()
        if texts.get(number, "") != text
    ]
    if wrong:
        what = "the words are not those of the line's text"
        yield Finding("row", some(wrong), what, RESTORE)
