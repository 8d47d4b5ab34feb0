"""Export lines and events of takes or of a cut into files, or as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from adapters.media.essence import file_sha256
from adapters.media.whole import write_bytes
from adapters.transcripts.write import FORMATS, Format, Sheet, Style
from core.errors import OutputError, UsageError
from core.media import MediaFile
from core.plan import digest
from core.words import some
from db.memory import AssetRecord, asset_at, remember_asset
from db.provenance import Use, record
from flows.desk import file_safe
from flows.progress import Progress
from flows.spotting import cut_sheets, take_sheets
from flows.withheld import held_notes
from flows.workspace import Workspace, activity


@dataclass(frozen=True)
class Request:
    """What a person wants exported.

    cut: a cut's file or a delivery; None: takes in source time. takes: by name, none for all;
    of a cut, only what it plays of these. day: of recording, `2026-11-27`, or empty.
    media: folders of the sound, for a cut that was not cleaned yet. out: a file, a folder, or
    None for text to be printed.
    """

    formats: tuple[str, ...]
    cut: Path | None = None
    takes: tuple[str, ...] = ()
    day: str = ""
    media: tuple[Path, ...] = ()
    style: Style = field(default_factory=Style)
    out: Path | None = None


@dataclass(frozen=True)
class Exported:
    """What came of it. text: where nothing was written. entries: lines and events exported."""

    files: tuple[Path, ...]
    text: str
    entries: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Job:
    """A file to write. path: None for text."""

    path: Path | None
    format: Format
    sheets: tuple[Sheet, ...]


@dataclass(frozen=True)
class _Known:
    """What there is to export."""

    record: Sheet | None
    takes: tuple[Sheet, ...]
    media: tuple[MediaFile, ...]
    notes: tuple[str, ...]
    inputs: tuple[Path, ...]


def export(work: Workspace, request: Request, progress: Progress) -> Exported:
    """Write what was asked for, each file whole or not at all, and remember what it was made of.

    A file that is there is replaced only if roomtone wrote it and nobody changed it since.
    Raises UsageError for formats or options that do not fit, InputError where nothing is known,
    OutputError where a file can't be written.
    """
    formats = chosen(request.formats)
    linear = [made.name for made in formats if not made.events]
    if linear and not request.style.wanted.lines:
        raise UsageError(f"{some(linear)}: no events go into this format, only lines.")
    known = _known(work, request, progress)
    jobs = list(_jobs(work, request, known, formats))
    for job in jobs:
        if job.path is not None:
            _refuse(work, job.path, known)
    style = request.style
    if jobs and jobs[0].path is None:
        text = jobs[0].format.write(jobs[0].sheets, style)
        assert isinstance(text, str)
        return Exported((), text, _count(jobs[0].sheets, style), known.notes)
    started = datetime.now(UTC)
    if len(jobs) > 4:
        progress.step("Exporting", len(jobs))
    for job in jobs:
        assert job.path is not None
        content = job.format.write(job.sheets, style)
        write_bytes(job.path, content if isinstance(content, bytes) else content.encode())
        progress.advance("Exporting")
    _remember(work, jobs, known, started)
    everything = [known.record] if known.record is not None else known.takes
    return Exported(
        tuple(job.path for job in jobs if job.path is not None),
        "",
        _count([sheet for sheet in everything if sheet is not None], style),
        known.notes,
    )


def chosen(names: Sequence[str]) -> tuple[Format, ...]:
    """The formats of these names, once each. Raises UsageError for one that there is not."""
    unknown = [name for name in names if name not in FORMATS]
    if unknown or not names:
        raise UsageError(
            f"There is no format {some(unknown) or 'named'}; there are {', '.join(FORMATS)}."
        )
    return tuple(FORMATS[name] for name in dict.fromkeys(names))


def _known(work: Workspace, request: Request, progress: Progress) -> _Known:
    if request.cut is None:
        sheets, media = take_sheets(work, request.takes, request.day)
        notes = (*_untimed(sheets), *held_notes(work, media))
        return _Known(None, sheets, media, notes, tuple(item.path for item in media))
    found = cut_sheets(work, request.cut, request.media, progress)
    paths = (found.path, *(item.path for item in found.media))
    return _Known(found.sheet, found.takes, found.media, found.notes, paths)


def _untimed(sheets: Sequence[Sheet]) -> tuple[str, ...]:
    """That takes without timecode count from nought."""
    names = [sheet.found.name for sheet in sheets if not sheet.found.has_timecode]
    told = "no timecode: counted from 00:00:00:00 at 24 frames a second."
    return (f"{some(names)}: {told}",) if names else ()


def _jobs(
    work: Workspace, request: Request, known: _Known, formats: Sequence[Format]
) -> Iterator[_Job]:
    """The files to write, or one text."""
    if request.out is None:
        yield _printed(known, formats)
        return
    taken: set[str] = set()
    for made in formats:
        own = (known.record,) if known.record is not None and not made.takes_only else known.takes
        groups = [own] if made.many else [(sheet,) for sheet in own]
        single = (
            len(formats) == len(groups) == 1 and request.out.suffix and not (request.out.is_dir())
        )
        for sheets in groups:
            if single:
                yield _Job(request.out, made, sheets)
                continue
            name = sheets[0].found.name if len(sheets) == 1 else _production(work, known)
            if made.takes_only and known.record is not None:
                name = known.record.found.name
            stem = file_safe(name)
            path, number = request.out / f"{stem}{made.suffix}", 1
            while path.name.casefold() in taken:
                number += 1
                path = request.out / f"{stem}_{number}{made.suffix}"
            taken.add(path.name.casefold())
            yield _Job(path, made, sheets)


def _production(work: Workspace, known: _Known) -> str:
    """The production whose takes these are: as set, else as all their recorders say."""
    told = {media.notes.project for media in known.media}
    return work.settings.project or (told.pop() if len(told) == 1 else "") or "takes"


def _printed(known: _Known, formats: Sequence[Format]) -> _Job:
    made = formats[0]
    if len(formats) > 1:
        raise UsageError("Several formats need a folder: name it with --out.")
    if made.name == "midi":
        raise UsageError("A MIDI file is no text: name a file with --out.")
    own = (known.record,) if known.record is not None and not made.takes_only else known.takes
    if len(own) > 1 and not made.many:
        raise UsageError(
            f"{made.name} holds one take, and there are {len(own)}; name one with --take, or a "
            "folder with --out."
        )
    return _Job(None, made, own)


def _refuse(work: Workspace, path: Path, known: _Known) -> None:
    if path.resolve() in {source.resolve() for source in known.inputs}:
        raise OutputError(f"{path} is what is exported from; choose another --out.")
    if path.exists() and not _ours(work, path):
        raise OutputError(
            f"{path} exists and is not as roomtone wrote it; choose another --out or move it."
        )


def _ours(work: Workspace, path: Path) -> bool:
    if not path.is_file():
        return False
    with work.database.read() as session:
        found = asset_at(session, file_sha256(path))
    return found is not None and found.kind == "report"


def _count(sheets: Sequence[Sheet], style: Style) -> int:
    return sum(len(style.wanted.of(sheet.found).spots) for sheet in sheets)


def _remember(work: Workspace, jobs: Sequence[_Job], known: _Known, started: datetime) -> None:
    """The files and the recordings that they speak of, in one transaction."""
    files = {media.path.stem: media for media in known.media}
    with work.database.write() as session:
        for job in jobs:
            assert job.path is not None
            sha256 = file_sha256(job.path)
            asset = AssetRecord(
                sha256=sha256,
                kind="report",
                name=job.path.name,
                bytes=job.path.stat().st_size,
                container=job.format.name.upper(),
            )
            remember_asset(session, asset, job.path)
            takes = {spot.take for sheet in job.sheets for spot in sheet.found.spots}
            used = [Use(files[name].sha256, "original") for name in sorted(takes) if name in files]
            names = [sheet.found.name for sheet in job.sheets]
            done = activity(
                "render",
                digest({"export": job.format.name, "of": names, "sha256": sha256}),
                started,
                {"export": job.format.name, "of": names},
            )
            record(session, done, used, [Use(sha256, "TRANSCRIPT")])
