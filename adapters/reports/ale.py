"""Avid log exchange: a heading of pairs, a line of columns, and a line for each clip.

Real files differ: the heading may be one pair a line or all on one, names come in any case, line
ends are those of Windows, Unix or the old Mac, and text is UTF-8 or Mac Roman.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from adapters.reports.report import ReportRow, SoundReport
from adapters.reports.table import (
    MAX_ROWS,
    Columns,
    columns_of,
    decoded,
    read_bytes,
    row_of,
    with_marks,
)
from core.errors import InputError

_DELIMITERS = {"TABS": "\t", "TAB": "\t", "COMMAS": ",", "COMMA": ","}
_SECTIONS = ("heading", "column", "data")


def read(path: Path) -> SoundReport:
    """Read an ALE. Raises InputError where it has no heading, no columns, or none of takes."""
    text = decoded(read_bytes(path, "an ALE"), "mac_roman")
    sections: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in text.split("\n"):
        name = line.strip().casefold()
        if name in _SECTIONS and name not in sections:
            current = sections.setdefault(name, [])
        elif current is not None and line.strip():
            current.append(line)
    if "heading" not in sections or not sections.get("column"):
        raise InputError(f"{path} is no ALE: it has no Heading and Column; export the log again.")
    delimiter = _delimiter(sections["heading"])
    columns = columns_of(sections["column"][0].split(delimiter))
    if columns is None:
        raise InputError(f"{path} is an ALE without columns of takes (Name, Scene, Take, Start).")
    return _report(path, sections.get("data", []), delimiter, columns)


def _report(path: Path, lines: list[str], delimiter: str, columns: Columns) -> SoundReport:
    warnings: list[str] = []
    rows: list[ReportRow] = []
    marked = False
    for number, line in enumerate(lines, 1):
        row, by_number = row_of(line.split(delimiter), columns, "")
        if row is None:
            if len(warnings) < 100:
                warnings.append(f"Clip {number} has neither name nor take and is left out.")
            continue
        marked = marked or by_number
        rows.append(row)
        if len(rows) >= MAX_ROWS:
            warnings.append(f"{path} has more than {MAX_ROWS} clips: the rest is left out.")
            break
    return SoundReport(path, with_marks(rows, marked), tuple(warnings))


def _delimiter(heading: list[str]) -> str:
    """What separates cells: as `FIELD_DELIM` says, else tabs."""
    words = [word.strip().upper() for line in heading for word in line.split("\t")]
    for key, value in pairwise(words):
        if key == "FIELD_DELIM":
            return _DELIMITERS.get(value, "\t")
    return "\t"
