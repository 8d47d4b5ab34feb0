"""Values in lists that fit into one statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

Value = TypeVar("Value")

# SQLite takes 32,766 values in a statement (999 before 3.32).
_AT_ONCE = 500


def chunks(values: Iterable[Value]) -> Iterator[list[Value]]:
    """The values in lists that fit into one statement."""
    listed = list(values)
    for first in range(0, len(listed), _AT_ONCE):
        yield listed[first : first + _AT_ONCE]
