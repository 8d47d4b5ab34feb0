"""One table a benchmark: Markdown that reads as plain text, with the machine below it."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass

from flows.workspace import machine

MISSING = "-"


@dataclass(frozen=True)
class Table:
    """What a benchmark found.

    columns: headings. rows: as many cells as there are headings. notes: a sentence each.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def render(table: Table) -> str:
    """The table as Markdown, columns padded to one width; those of numbers stand to the right."""
    lines = (table.columns, *table.rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    right = [all(map(_is_number, column)) for column in zip(*table.rows, strict=True)]
    if not table.rows:
        right = [False] * len(widths)
    rule = [
        "-" * (width - 1) + ":" if to_right else "-" * width
        for width, to_right in zip(widths, right, strict=True)
    ]
    body = [_line(cells, widths, right) for cells in (table.columns, rule, *table.rows)]
    notes = [f"- {note}" for note in table.notes]
    return "\n".join([f"### {table.title}", "", *body, "", *notes]) + "\n"


def figures(value: float) -> str:
    """A number with three significant figures and no exponent; `-` where there is none."""
    if not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    decimals = 2 - int(f"{value:.2e}".partition("e")[2])
    return f"{round(value, decimals):.{max(0, decimals)}f}"


def ratio(value: float, to: float) -> str:
    """value / to with three significant figures, or `-` where that is no number."""
    return figures(value / to) if to else MISSING


def where() -> str:
    """The kind of machine, its cores, and how busy it is already, as a sentence."""
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    return f"{machine()}, {os.cpu_count()} cores{load}."


def _is_number(cell: str) -> bool:
    if cell == MISSING:
        return True
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _line(cells: Sequence[str], widths: list[int], right: list[bool]) -> str:
    padded = [
        cell.rjust(width) if to_right else cell.ljust(width)
        for cell, width, to_right in zip(cells, widths, right, strict=True)
    ]
    return f"| {' | '.join(padded)} |"
