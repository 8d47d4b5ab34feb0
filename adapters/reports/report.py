"""Sound reports, and what they add to media files: only what the files themselves leave open."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from adapters.media.references import Slate, fold, slate
from core.errors import InputError
from core.media import MediaFile, SoundNotes
from core.time import timecode_to_frames

Key = TypeVar("Key")

SUFFIXES = (".ale", ".csv", ".tsv")
_SNIFFED = 16 * 1024
_MONO = re.compile(r"_(?:tr|ch)?(\d{1,2})(?:_\d{1,2})?$", re.I)


@dataclass(frozen=True)
class ReportRow:
    """A take as a report lists it.

    file_name: with or without suffix, or empty. tape: sound roll. start: timecode as written.
    circled: None where the report does not say which takes are.
    track_names: track number from 0 to name, as pairs.
    """

    file_name: str = ""
    scene: str = ""
    take: str = ""
    tape: str = ""
    start: str = ""
    circled: bool | None = None
    note: str = ""
    track_names: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class SoundReport:
    """A report that was read. warnings: what of it could not be, a sentence each."""

    path: Path
    rows: tuple[ReportRow, ...]
    warnings: tuple[str, ...] = ()


def read_report(path: Path) -> SoundReport:
    """Read a report by its suffix: an Avid log, or a table. Raises InputError."""
    if path.suffix.lower() == ".ale":
        from adapters.reports import ale

        return ale.read(path)
    from adapters.reports import table

    return table.read(path)


def find_reports(roots: Sequence[Path]) -> tuple[Path, ...]:
    """The reports in folders and the folders in them, in order of their paths.

    Files of other suffixes, links, and tables that have no column of takes are passed over; no
    more than the first 16 kB of a file is read.
    """
    found = {path for root in roots for path in _files(root) if _looks_like_a_report(path)}
    return tuple(sorted(found))


def _files(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
    for folder, _, names in os.walk(root):
        for name in names:
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield Path(folder, name)


def _looks_like_a_report(path: Path) -> bool:
    from adapters.reports.table import decoded, find_columns

    if path.suffix.lower() not in SUFFIXES or path.is_symlink() or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            data = file.read(_SNIFFED)
    except OSError:
        return False
    # The part that was read may end within a character.
    text = decoded(data if len(data) < _SNIFFED else data.rpartition(b"\n")[0], "cp1252")
    if path.suffix.lower() == ".ale":
        return text.lstrip().casefold().startswith("heading")
    return find_columns(text) is not None


Found = tuple[ReportRow, Path]
"""A row and the report that it stands in."""


@dataclass(frozen=True)
class ReportIndex:
    """The rows of reports by what finds them: folded file name, folded tape, scene and take."""

    by_name: Mapping[str, tuple[Found, ...]]
    by_tape: Mapping[str, tuple[Found, ...]]
    by_slate: Mapping[Slate, tuple[Found, ...]]


def index_reports(reports: Sequence[SoundReport]) -> ReportIndex:
    """The rows of reports, to be looked up for many files."""
    names: dict[str, list[Found]] = {}
    tapes: dict[str, list[Found]] = {}
    slates: dict[Slate, list[Found]] = {}
    for report in reports:
        for row in report.rows:
            found = (row, report.path)
            if row.file_name:
                names.setdefault(_stem(row.file_name), []).append(found)
            if row.tape:
                tapes.setdefault(fold(row.tape), []).append(found)
            if (known := slate(row.scene, row.take)) is not None:
                slates.setdefault(known, []).append(found)
    return ReportIndex(_settled(names), _settled(tapes), _settled(slates))


def with_report(media: MediaFile, reports: Sequence[SoundReport] | ReportIndex) -> MediaFile:
    """The media file with what reports say of it where it says nothing itself.

    A row is found by the file's name, else by tape and a timecode that lies inside the file,
    else by a scene and take that the file already has. The file's own notes win; where a report
    disagrees, a warning says so. Rows that disagree with one another are left alone. For many
    files, index the reports once.
    """
    index = reports if isinstance(reports, ReportIndex) else index_reports(reports)
    found = _row(media, index)
    if found is None:
        return media
    row, path = found
    notes, disputes = _merged(media, row)
    warnings = tuple(
        f"{path.name} gives {what} {theirs!r} for {media.path.name}, the file itself {ours!r}: "
        "the file's is kept."
        for what, theirs, ours in disputes
    )
    fresh = tuple(warning for warning in warnings if warning not in media.warnings)
    return replace(media, notes=notes, warnings=media.warnings + fresh)


def _settled(rows: Mapping[Key, list[Found]]) -> dict[Key, tuple[Found, ...]]:
    return {key: tuple(found) for key, found in rows.items()}


def _row(media: MediaFile, index: ReportIndex) -> Found | None:
    """The one row that is about a file: of the first way of finding any, if it gives just one."""
    stem = _stem(media.path.name)
    known = slate(media.notes.scene, media.notes.take)
    on_tape = index.by_tape.get(fold(media.notes.tape), ())
    ways = (
        index.by_name.get(stem, ()),
        # A file may hold one track of the take that a row names (`12A-T03_2.wav`).
        index.by_name.get(_MONO.sub("", stem), ()),
        tuple(found for found in on_tape if _starts_inside(media, found[0])),
        index.by_slate.get(known, ()) if known is not None else (),
    )
    for found in ways:
        if not found:
            continue
        narrowed = tuple(item for item in found if _starts_inside(media, item[0]))
        for chosen in (found, narrowed):
            if len({row for row, _ in chosen}) == 1:
                return chosen[0]
        return None
    return None


def _stem(name: str) -> str:
    plain = fold(re.split(r"[\\/]", name.strip())[-1])
    stem, dot, suffix = plain.rpartition(".")
    return stem if dot and len(suffix) <= 4 else plain


def _starts_inside(media: MediaFile, row: ReportRow) -> bool:
    """Whether a row's tape is the file's and its start lies in the file, give or take a frame."""
    notes = media.notes
    rate, first = notes.timecode_rate, notes.time_reference
    same_tape = bool(row.tape) and fold(row.tape) == fold(notes.tape)
    if not same_tape or rate is None or first is None or media.sample_rate <= 0:
        return False
    try:
        start = timecode_to_frames(row.start, rate)
    except InputError:
        return False
    begins = first * rate.fps / media.sample_rate
    ends = (first + media.frames) * rate.fps / media.sample_rate
    return begins - 1 <= start < ends


def _merged(media: MediaFile, row: ReportRow) -> tuple[SoundNotes, list[tuple[str, str, str]]]:
    """The file's notes with what the row adds, and where they disagree: what, theirs, ours."""
    notes = media.notes
    disputes: list[tuple[str, str, str]] = []

    def settled(what: str, ours: str, theirs: str, alike: bool) -> str:
        if ours and theirs and not alike:
            disputes.append((what, theirs, ours))
        return ours or theirs

    names = dict(notes.track_names)
    for channel, name in _track_names(media, row):
        ours = names.get(channel, "")
        names[channel] = settled(f"track {channel + 1}", ours, name, fold(ours) == fold(name))
    if row.circled is False and notes.circled:
        disputes.append(("circled", "no", "yes"))
    ours_take, theirs_take = slate("1", notes.take), slate("1", row.take)
    ours_scene, theirs_scene = slate(notes.scene, "1"), slate(row.scene, "1")
    merged = replace(
        notes,
        scene=settled("scene", notes.scene, row.scene, ours_scene == theirs_scene),
        take=settled("take", notes.take, row.take, ours_take == theirs_take),
        tape=settled("tape", notes.tape, row.tape, fold(notes.tape) == fold(row.tape)),
        note=settled("note", notes.note, row.note, fold(row.note) in fold(notes.note)),
        circled=notes.circled or bool(row.circled),
        track_names=tuple(sorted((number, name) for number, name in names.items() if name)),
    )
    return merged, disputes


def _track_names(media: MediaFile, row: ReportRow) -> tuple[tuple[int, str], ...]:
    """The row's track names by channel of the file.

    A file of one track is told by its number (`_2`). A poly file holds the named tracks in
    order where there are as many, else all of the recorder's tracks.
    """
    if media.channels == 1 and (match := _MONO.search(_stem(media.path.name))):
        return tuple((0, name) for track, name in row.track_names if track == int(match[1]) - 1)
    if len(row.track_names) == media.channels:
        return tuple((index, name) for index, (_, name) in enumerate(row.track_names))
    if all(track < media.channels for track, _ in row.track_names):
        return row.track_names
    return ()
