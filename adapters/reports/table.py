"""Sound reports as tables: CSV or TSV of Sound Devices, Zoom, Aaton, Wave Agent and others.

Lines of project, date and roll stand before the row of columns; columns are known by the many
names that recorders give them. A take is circled by a column, or by its number: `(3)`, `3*`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.reports.report import ReportRow, SoundReport
from core.errors import InputError

_MAX_BYTES = 16 * 1024 * 1024
MAX_ROWS = 50_000
_MAX_TEXT = 2000
_HEAD_LINES = 200
_DELIMITERS = (",", ";", "\t")
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    # By preference: where a table has several, the first counts.
    "file_name": (
        "filename",
        "filenames",
        "file",
        "wavfile",
        "soundfile",
        "audiofile",
        "originalfilename",
        "sourcefile",
        "clipname",
        "name",
    ),
    "scene": ("scene", "seqscene", "scenename", "sceneslate", "sc"),
    "take": ("take", "takenumber", "takeno", "tk"),
    "tape": ("soundroll", "soundreel", "roll", "tape", "reel", "tapeid", "tapename", "rollno"),
    "start": (
        "starttc",
        "starttimecode",
        "tcstart",
        "timecodestart",
        "timecodein",
        "tcin",
        "start",
        "timecode",
        "tc",
        "soundtc",
    ),
    "circled": ("circled", "circle", "circledtake", "circletake", "goodtake", "good", "print"),
    "note": ("notes", "note", "comments", "comment", "remarks", "remark", "takenote"),
}
_TRACK = re.compile(r"^(?:tr|trk|track|ch|chan|channel|t)0?(\d{1,2})(?:name)?$")
_TRACK_LISTS = ("tracknames", "trackname", "channelnames")
_YES = frozenset(("*", "@", "x", "y", "yes", "true", "1", "circled", "good", "print", "✓", "o"))
_TAKE_MARKS = re.compile(r"^(?:\((?P<round>[^()]*)\)|[*@](?P<before>.+)|(?P<after>.+)[*@])$")
_PLAIN = re.compile(r"[^0-9a-z]+")


@dataclass(frozen=True)
class Columns:
    """Where the columns of a table lie: places by field, and by track number from 0."""

    fields: Mapping[str, int]
    tracks: tuple[tuple[int, int], ...]
    track_list: int | None = None


def read(path: Path) -> SoundReport:
    """Read a report that is a table. Raises InputError where it has no columns of takes."""
    text = decoded(read_bytes(path, "a sound report"), "cp1252")
    found = find_columns(text)
    if found is None:
        raise InputError(
            f"{path} is no sound report: no row of it names columns such as File Name, Scene, Take."
        )
    line, delimiter, columns = found
    warnings: list[str] = []
    lines = text.split("\n")
    head = _rows(lines[:line], delimiter, warnings)
    tape = next((roll for row in head if (roll := _roll(row))), "")
    rows: list[ReportRow] = []
    marked = False
    for cells in _rows(lines[line + 1 :], delimiter, warnings):
        tape = _roll(cells) or tape
        again = columns_of(cells)
        if again is not None:
            columns = again
            continue
        row, by_number = row_of(cells, columns, tape)
        if row is not None:
            marked = marked or by_number
            rows.append(row)
        if len(rows) >= MAX_ROWS:
            warnings.append(f"{path} has more than {MAX_ROWS} rows: the rest is left out.")
            break
    return SoundReport(path, with_marks(rows, marked), tuple(warnings))


def read_bytes(path: Path, what: str) -> bytes:
    """A report's bytes. Raises InputError where it can't be read or is over 16 MB."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{path} is over 16 MB, too large for {what}; check the path.")
        return path.read_bytes()
    except OSError as fault:
        raise InputError(
            f"{path} can't be read ({fault.strerror or 'it is no file'}); check the path."
        ) from fault


def decoded(data: bytes, otherwise: str) -> str:
    """A report's text: UTF-16 where it says so, UTF-8 where it is, else another encoding.

    Line ends become newlines; an injured character does not matter.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = data.decode("utf-16", errors="replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode(otherwise, errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def find_columns(text: str) -> tuple[int, str, Columns] | None:
    """The line of a table's columns, its delimiter and the columns; None for other tables."""
    for number, line in enumerate(text.split("\n", _HEAD_LINES)[:_HEAD_LINES]):
        best: tuple[int, str, Columns] | None = None
        for delimiter in _DELIMITERS:
            cells = next(_rows([line[:100_000]], delimiter, []), [])
            columns = columns_of(cells)
            if columns is not None and (best is None or len(columns.fields) > len(best[2].fields)):
                best = (number, delimiter, columns)
        if best is not None:
            return best
    return None


def columns_of(cells: Sequence[str]) -> Columns | None:
    """The columns that a row names, or None where it is no row of columns.

    It must name two fields or more: a file, or scene and take.
    """
    places: dict[str, int] = {}
    for place, cell in enumerate(cells[:1000]):
        places.setdefault(_PLAIN.sub("", cell[:100].casefold()), place)
    fields = {
        field: next(places[name] for name in names if name in places)
        for field, names in _COLUMNS.items()
        if any(name in places for name in names)
    }
    if len(fields) < 2 or not ("file_name" in fields or {"scene", "take"} <= fields.keys()):
        return None
    tracks = tuple(
        sorted(
            (int(match[1]) - 1, place)
            for name, place in places.items()
            if (match := _TRACK.match(name)) and int(match[1]) >= 1
        )
    )
    track_list = next((places[name] for name in _TRACK_LISTS if name in places), None)
    return Columns(fields, tracks, track_list)


def row_of(cells: Sequence[str], columns: Columns, tape: str) -> tuple[ReportRow | None, bool]:
    """A row's take, and whether its number says that it is circled; None where it has none.

    tape: the roll that holds where the row names none.
    """

    def cell(field: str) -> str:
        place = columns.fields.get(field, -1)
        return _cell(cells, place)

    take, marked = _take(cell("take"))
    circled: bool | None = None
    if "circled" in columns.fields:
        circled = cell("circled").casefold() in _YES or marked
    elif marked:
        circled = True
    row = ReportRow(
        file_name=cell("file_name"),
        scene=cell("scene"),
        take=take,
        tape=cell("tape") or tape,
        start=cell("start"),
        circled=circled,
        note=cell("note"),
        track_names=_track_names(cells, columns),
    )
    said = row.file_name or (row.scene and row.take) or (row.take and row.start)
    return (row if said else None), marked


def with_marks(rows: Iterable[ReportRow], marked: bool) -> tuple[ReportRow, ...]:
    """The rows; where circled takes are marked by their number, the others are not circled."""
    return tuple(
        replace(row, circled=False) if marked and row.circled is None else row for row in rows
    )


def _rows(lines: Iterable[str], delimiter: str, warnings: list[str]) -> Iterator[list[str]]:
    """Cells of lines; what csv can't read ends the table with a warning."""
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield cells
    except csv.Error as fault:
        warnings.append(f"Line {reader.line_num} can't be read ({fault}): the rest is left out.")


def _cell(cells: Sequence[str], place: int) -> str:
    return " ".join(cells[place][:_MAX_TEXT].split()) if 0 <= place < len(cells) else ""


def _take(text: str) -> tuple[str, bool]:
    """A take's number without the mark that circles it, and whether it had one."""
    match = _TAKE_MARKS.match(text)
    if match is None:
        return text, False
    inner = match["round"] or match["before"] or match["after"] or ""
    return inner.strip(), True


def _track_names(cells: Sequence[str], columns: Columns) -> tuple[tuple[int, str], ...]:
    if columns.tracks:
        named = ((track, _cell(cells, place)) for track, place in columns.tracks)
        return tuple((track, name) for track, name in named if name)
    if columns.track_list is None:
        return ()
    listed = re.split(r"[,;/|]", _cell(cells, columns.track_list))
    return tuple((track, name.strip()) for track, name in enumerate(listed[:64]) if name.strip())


def _roll(cells: Sequence[str]) -> str:
    """The roll that a line such as `Roll:,22Y03` gives."""
    if not cells or ":" not in cells[0]:
        return ""
    name, _, value = cells[0].partition(":")
    value = value.strip() or _cell(cells, 1)
    return value[:_MAX_TEXT] if _PLAIN.sub("", name.casefold()) in _COLUMNS["tape"] else ""
