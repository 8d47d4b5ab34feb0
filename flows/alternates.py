"""All readings of a line across the takes, ready to pull: clips one after another, with handles."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

from adapters.timelines.named import NamedMedia
from adapters.timelines.otio import write as otio_write
from core.cut import Cut, Event, Marker, MediaReference, Track
from core.errors import InputError
from core.media import MediaFile
from core.plan import digest
from core.readings import Reading
from core.time import RATES, FrameRate, samples_to_frames
from db.memory import remembered_media
from flows.script_coverage import Coverage
from flows.workspace import Workspace, code_version
from flows.write_back import relative_url


def alternates(coverage: Coverage, number: int) -> tuple[Reading, ...]:
    """Where a line is said, with a place: those of circled takes first, else by take."""
    placed = [reading for reading in coverage.said(number) if reading.end > reading.start]
    return tuple(sorted(placed, key=lambda reading: not coverage.take(reading.take).circled))


def write_alternates(
    work: Workspace, coverage: Coverage, number: int, path: Path, handles_s: Fraction
) -> int:
    """Write the readings of a line as an OTIO timeline of one track; how many clips it has.

    handles_s: seconds before and after each reading, as far as the take goes. A marker at each
    clip names the take. Raises InputError where no take says the line, OutputError where the
    file can't be written.
    """
    readings = alternates(coverage, number)
    if not readings:
        raise InputError(f"No take says line {number} of {coverage.path}; see its coverage.")
    with work.database.read() as session:
        known = {media.essence: media for media in remembered_media(session)}
    rate = next(
        (take.timecode_rate for r in readings if (take := coverage.take(r.take)).timecode_rate),
        RATES["24"],
    )
    events: list[Event] = []
    markers: list[Marker] = []
    media: dict[str, dict[str, NamedMedia]] = {}
    at = Fraction(0)
    for place, reading in enumerate(readings, 1):
        file = known.get(reading.take)
        if file is None:
            continue
        event = _event(f"A1/{place:03d}", at, reading, file, rate, handles_s)
        media[event.id] = {"original": _named(file, rate, path.parent)}
        events.append(event)
        name = file.path.stem
        markers.append(Marker(at, name, f"{reading.state.value}: {reading.text}"))
        at += event.record_length
    line = coverage.lines[number - 1]
    cut = Cut(
        f"{coverage.script.title} line {number}",
        rate,
        0,
        at,
        (Track("A1", tuple(events), channels=1),),
        tuple(markers),
    )
    metadata = {
        "tool": f"roomtone {code_version()}",
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "script": coverage.path.name,
        "line": line.text,
        "key": digest({"line": line.key, "takes": [reading.take for reading in readings]}),
    }
    otio_write.write(cut, media, "original", path, metadata)
    return len(events)


def _event(
    name: str, at: Fraction, reading: Reading, file: MediaFile, rate: FrameRate, handles_s: Fraction
) -> Event:
    """A reading with its handles, on whole frames of the take's timecode."""
    reference = file.notes.time_reference or 0
    handle = int(handles_s * file.sample_rate)
    first = samples_to_frames(
        reference + max(0, reading.start - handle), rate.fps, file.sample_rate
    )
    last = samples_to_frames(
        reference + min(file.frames, reading.end + handle), rate.fps, file.sample_rate
    )
    start, length = _of_file(file, rate)
    begin = max(Fraction(-(-start // 1)), Fraction(first // 1))
    end = min(Fraction((start + length) // 1), Fraction(-(-last // 1)))
    notes = file.notes
    reference_of = MediaReference(
        name=file.path.stem,
        url=file.path.as_uri() if file.path.is_absolute() else file.path.name,
        file_name=file.path.name,
        reel=notes.tape,
        scene=notes.scene,
        take=notes.take,
        available_start=start,
        available_length=length,
    )
    return Event(name, at, max(Fraction(1), end - begin), begin, reference_of)


def _of_file(file: MediaFile, rate: FrameRate) -> tuple[Fraction, Fraction]:
    """Timecode and length of a whole file, in frames."""
    start = samples_to_frames(file.notes.time_reference or 0, rate.fps, file.sample_rate)
    return start, samples_to_frames(file.frames, rate.fps, file.sample_rate)


def _named(file: MediaFile, rate: FrameRate, folder: Path) -> NamedMedia:
    start, length = _of_file(file, rate)
    return NamedMedia(
        path=file.path,
        url=relative_url(file.path, folder),
        start=start,
        length=length,
        sample_rate=file.sample_rate,
        frames=file.frames,
        channels=(),
        width=file.channels,
    )
