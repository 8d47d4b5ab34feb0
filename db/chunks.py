"""Values in lists that fit into one statement, and the condition on being among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, any_, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session

Value = TypeVar("Value")

# SQLite takes 32,766 values in a statement (999 before 3.32).
_AT_ONCE = 500


def chunks(values: Iterable[Value]) -> Iterator[list[Value]]:
    """The values in lists that fit into one statement."""
    listed = list(values)
    for first in range(0, len(listed), _AT_ONCE):
        yield listed[first : first + _AT_ONCE]


def among(
    session: Session, column: InstrumentedAttribute[Any], values: Iterable[Any]
) -> ColumnElement[bool]:
    """The condition that a column holds one of some values.

    PostgreSQL gets them as one array: hundreds of parameters cost it and its driver more than
    looking the rows up, and only a statement that is always the same is planned once.
    """
    listed = list(values)
    if session.get_bind().dialect.name != "postgresql":
        return column.in_(listed)
    return column == any_(bindparam(None, listed, type_=ARRAY(column.type)))
