"""The ADR cue sheet: lines that neither cleaning nor another take can be said to save."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from adapters.media.whole import write_text
from core.plain_text import cell
from core.readings import Reading
from core.speech import Line
from core.spotting import Spot
from db.scripts import TakeFacts, take_facts
from flows.pages import filled
from flows.progress import Progress
from flows.script_coverage import Coverage, source_timecode
from flows.spotting import cut_sheets
from flows.workspace import Workspace

COLUMNS = ("Cue", "Reel", "In", "Out", "Character", "Line", "Reason", "Take")


@dataclass(frozen=True)
class Cue:
    """A line to be recorded again. start, end: timecode, of the record where a cut is given."""

    number: str
    reel: str
    start: str
    end: str
    character: str
    line: str
    reason: str
    take: str


@dataclass(frozen=True)
class CueSheet:
    """The cues of a cut or a script. clock: `record` or `source`. notes: a sentence each."""

    title: str
    clock: str
    cues: tuple[Cue, ...]
    lines: int
    notes: tuple[str, ...]


def cues_of_cut(
    work: Workspace,
    cut: Path,
    coverage: Coverage | None,
    least: float,
    progress: Progress,
) -> CueSheet:
    """The cues of a cut, in record time.

    coverage: of the script, whose words and names are used where the cut plays its readings.
    least: a line under this confidence can't be relied on.
    """
    sheets = cut_sheets(work, cut, work.settings.media, progress)
    found = sheets.sheet.found
    with work.database.read() as session:
        takes = {t.essence: t for t in take_facts(session, {s.key for s in found.spots})}
    cues: list[Cue] = []
    for spot in found.lines:
        take = takes.get(spot.key)
        reasons = _reasons(
            [word.confidence for word in spot.words],
            spot.draft,
            gate_faults(take) if take is not None else (),
            least,
        )
        if not reasons:
            continue
        written = _written(coverage, spot)
        cues.append(
            Cue(
                number=f"{len(cues) + 1:03d}",
                reel=found.name,
                start=found.timecode(spot.start),
                end=found.timecode(spot.end),
                character=written[0] or spot.speaker,
                line=written[1] or spot.text,
                reason="; ".join(reasons),
                take=spot.take,
            )
        )
    drafts = any(spot.draft for spot in found.lines)
    return CueSheet(
        found.name, "record", tuple(cues), len(found.lines), (*sheets.notes, *_notes(drafts))
    )


def cues_of_script(coverage: Coverage, least: float) -> CueSheet:
    """The cues of a script: lines that were shot, but of which no reading is sound.

    In and out are source timecode of the best reading: of a circled take, else the most alike.
    """
    cues: list[Cue] = []
    shot = 0
    for line in coverage.lines:
        readings = [r for r in coverage.said(line.number) if r.end > r.start]
        shot += bool(readings)
        faults = [(_faults(coverage, reading, least), reading) for reading in readings]
        if not faults or any(not reasons for reasons, _ in faults):
            continue
        reasons, best = max(
            faults, key=lambda pair: (coverage.take(pair[1].take).circled, pair[1].score)
        )
        take = coverage.take(best.take)
        cues.append(
            Cue(
                number=f"{len(cues) + 1:03d}",
                reel=take.tape,
                start=source_timecode(take, best.start),
                end=source_timecode(take, best.end),
                character=line.character,
                line=line.text,
                reason="; ".join(reasons),
                take=take.name,
            )
        )
    return CueSheet(coverage.script.title, "source", tuple(cues), shot, _notes(coverage.draft))


def gate_faults(take: TakeFacts) -> tuple[str, ...]:
    """What the gates held against the cleaned take, a clause each; a gate is said once."""
    told: dict[str, str] = {}
    for channel in take.gates:
        for gate in channel:
            if not gate.get("passed", True):
                told.setdefault(str(gate.get("name", "")), _gate(gate))
    return tuple(told.values())


def write_csv(sheet: CueSheet, path: Path) -> None:
    """Write the cues as CSV (RFC 4180). Text that a spreadsheet would run gets an apostrophe.

    Raises OutputError where the file can't be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for cue in sheet.cues:
        writer.writerow([cell(value) for value in astuple(cue)])
    write_text(path, text.getvalue())


def write_page(sheet: CueSheet, path: Path) -> None:
    """Write the cues as a page to print. Raises OutputError where it can't be written."""
    write_text(path, filled("adr.html", sheet=sheet))


def _reasons(
    confidences: Sequence[float], draft: bool, gates: Sequence[str], least: float
) -> list[str]:
    """Why a line can't be relied on; nothing where it can. A draft's confidence says nothing."""
    found = []
    if not confidences:
        found.append("no words were recognised" + (" (draft)" if draft else ""))
    elif not draft and (mean := sum(confidences) / len(confidences)) < least:
        found.append(f"recognised with {100 * mean:.0f} % confidence")
    return [*found, *gates]


def _faults(coverage: Coverage, reading: Reading, least: float) -> list[str]:
    take = coverage.take(reading.take)
    lines: list[Line] = [
        item.line
        for item in coverage.heard[reading.take]
        if item.line.start < reading.end and reading.start < item.line.end
    ]
    confidences = [
        word.confidence
        for line in lines
        for word in line.words
        if word.start < reading.end and reading.start < word.end
    ]
    return _reasons(confidences, any(line.draft for line in lines), gate_faults(take), least)


def _gate(gate: Mapping[str, Any]) -> str:
    value, limit = float(gate.get("value", 0)), float(gate.get("limit", 0))
    return (
        f"cleaning fails the gate {gate.get('name')} "
        f"({value:.2f} {gate.get('unit')}, limit {limit:g}, over the whole take)"
    )


def _written(coverage: Coverage | None, spot: Spot) -> tuple[str, str]:
    """Character and words of the script's line that a spot plays half of or more."""
    if coverage is None or spot.source is None:
        return "", ""
    best, most = None, 0
    for reading in coverage.readings:
        if reading.take == spot.key and reading.end > reading.start and reading.line > 0:
            shared = min(reading.end, spot.source[1]) - max(reading.start, spot.source[0])
            if shared > most and 2 * shared >= min(
                reading.end - reading.start, spot.source[1] - spot.source[0]
            ):
                best, most = reading, shared
    if best is None or best.state.value == "ad-lib":
        return "", ""
    line = coverage.lines[best.line - 1]
    return line.character, line.text


def _notes(drafts: bool) -> tuple[str, ...]:
    if not drafts:
        return ()
    return (
        "Takes were transcribed by a stand-in (draft), whose confidence says nothing: only lines "
        "without words and gates count until a real engine has heard them.",
    )
