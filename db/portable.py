"""The rows of a database as text that either kind of database takes in again."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import Integer, LargeBinary, Table, func, insert, select
from sqlalchemy.exc import OperationalError, StatementError
from sqlalchemy.orm import Session

from core.errors import InputError
from db.codec import PathText, UtcText
from db.engine import revisions
from db.tables import Table as Base
from db.tally import RowCount

FORMAT = 1
_AT_ONCE = 500
_MOST_AT_ONCE = 16 << 20
"""Characters of rows that are taken in together, however few they are."""

_LONGEST_LINE = 64 << 20
"""Characters of a row. The longest, lists of rows for the search, have some megabytes."""

_MOST_VALUES = 4_000_000
"""Commas and brackets of a row: what bounds the memory that its values take."""

_FAULTS = (
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    AttributeError,
    OverflowError,
    StopIteration,
    RecursionError,
)


def dump_rows(session: Session) -> Iterator[str]:
    """Every row of every table, a line of JSON each, as one transaction sees them.

    The first line says the schema; a table's name goes before its rows.
    """
    yield _line({"roomtone": FORMAT, "revision": revisions()[-1]})
    for table in _tables():
        yield _line({"table": table.name, "columns": [column.name for column in table.c]})
        key = list(table.primary_key)
        query = select(*table.c).order_by(*key).execution_options(yield_per=_AT_ONCE)
        for row in session.execute(query):
            yield _line([_plain(value) for value in row])


def load_rows(session: Session, lines: Iterable[str], name: str) -> None:
    """Take in what `dump_rows` gave, into tables with no rows. name: of the dump, for people.

    Raises InputError where it is no dump, or one of another schema.
    """
    try:
        _load(session, iter(lines), name)
    except OperationalError:
        # The database's own fault, which whoever opened it tells.
        raise
    except (*_FAULTS, StatementError) as fault:
        raise InputError(f"{name} is no dump of roomtone's rows any more.") from fault
    _number_on(session)


def bounded_lines(file: TextIO) -> Iterator[str]:
    """The lines of a dump. Raises ValueError for one that is longer than any row."""
    while line := file.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise ValueError("a line of a dump is too long")
        yield line


def _load(session: Session, lines: Iterator[str], name: str) -> None:
    head = json.loads(next(lines))
    if head["roomtone"] != FORMAT or head["revision"] != revisions()[-1]:
        raise InputError(
            f"{name} was written by another version of roomtone (schema {head['revision']}, this"
            f" one has {revisions()[-1]}): restore it with that version, and update then."
        )
    known = {table.name: table for table in _tables()}
    table: Table | None = None
    names: list[str] = []
    rows: list[dict[str, Any]] = []
    held = 0
    for line in lines:
        if sum(map(line.count, ",[{")) > _MOST_VALUES:
            raise ValueError("a row of a dump has too many values")
        found = json.loads(line)
        if isinstance(found, dict):
            _store(session, table, rows)
            table, names = known[found["table"]], found["columns"]
            continue
        if table is None:
            raise ValueError(line)
        values = zip(names, found, strict=True)
        rows.append({column: _typed(table, column, value) for column, value in values})
        held += len(line)
        if len(rows) >= _AT_ONCE or held >= _MOST_AT_ONCE:
            _store(session, table, rows)
            held = 0
    _store(session, table, rows)


def _store(session: Session, table: Table | None, rows: list[dict[str, Any]]) -> None:
    if table is not None and rows:
        session.execute(insert(table), rows)
    rows.clear()


def _tables() -> list[Table]:
    """All tables, those that others point at first; counts are made when rows are taken in."""
    return [item for item in Base.metadata.sorted_tables if item.name != RowCount.__tablename__]


def _line(value: Any) -> str:
    return json.dumps(value, separators=(",", ":")) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value


def _typed(table: Table, column: str, value: Any) -> Any:
    if value is None:
        return None
    kind = table.c[column].type
    if isinstance(kind, PathText):
        return Path(value)
    if isinstance(kind, UtcText):
        return datetime.fromisoformat(value)
    if isinstance(kind, LargeBinary):
        return base64.b64decode(value)
    return value


def _number_on(session: Session) -> None:
    """Have a server count on from the largest numbers of rows; SQLite does so by itself."""
    if session.connection().dialect.name != "postgresql":
        return
    for table in _tables():
        (first, *more) = table.primary_key
        if more or not isinstance(first.type, Integer) or first.foreign_keys:
            continue
        sequence = func.pg_get_serial_sequence(table.name, first.name)
        largest = select(func.max(first)).scalar_subquery()
        session.execute(select(func.setval(sequence, func.coalesce(largest, 1))))
