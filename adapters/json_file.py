"""JSON from outside: no larger, and of no more values, than what it should be can have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MOST_VALUES = 4_000_000
"""Commas and brackets: what bounds the memory that values take, some 300 MB for so many empty
ones. The list of a delivery of 10,000 clips has 200,000."""


def read_bytes(path: Path, most_bytes: int, most_values: int = MOST_VALUES) -> bytes:
    """The bytes of a JSON file, for whoever takes them apart with a model of their own.

    Raises OSError, and ValueError (a clause) where there are more bytes or values.
    """
    with path.open("rb") as file:
        data = file.read(min(path.stat().st_size, most_bytes) + 1)
    if len(data) > most_bytes:
        raise ValueError(f"it is over {most_bytes >> 20} MB")
    if values_in(data) > most_values:
        raise ValueError(f"it holds over {most_values:,} values")
    return data


def values_in(data: bytes) -> int:
    """How many values JSON has at the most: its commas and brackets, those in texts among them."""
    return sum(map(data.count, (b",", b"[", b"{")))


def read_json(path: Path, most_bytes: int, most_values: int = MOST_VALUES) -> Any:
    """What a JSON file says. Raises OSError, and ValueError (a clause) where it says too much."""
    return parsed(read_bytes(path, most_bytes, most_values))


def parsed(text: bytes | str) -> Any:
    """What JSON says. Raises ValueError for what is none, or nested too deeply."""
    try:
        return json.loads(text)
    except RecursionError as fault:
        raise ValueError("it is nested too deeply") from fault
