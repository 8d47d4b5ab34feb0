"""The lined script: the screenplay's page with a vertical line for every take beside it.

As script supervisors draw it, a line runs from where a take begins to where it ends: straight
where the words are said as written, wavy where they are said otherwise, broken where they are
left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.media.whole import write_text
from core.readings import Reading, State
from core.script import PartKind, Prose, SceneHeading, ScriptLine, Speech
from db.scripts import TakeFacts
from flows.pages import filled
from flows.script_coverage import BEST, Coverage, source_timecode

_STROKES = {
    State.AS_WRITTEN: "straight",
    State.REPEATED: "straight",
    State.CHANGED: "wavy",
    State.PARTIAL: "dashed",
    State.OMITTED: "broken",
}


@dataclass(frozen=True)
class Stroke:
    """A take's line beside a row. kind: how it is drawn, or empty; ends: `top`, `bottom`, both."""

    kind: str
    ends: str
    title: str


@dataclass(frozen=True)
class Said:
    """A reading in words. unsure: its state is an estimate from a draft."""

    take: str
    circled: bool
    state: str
    start: str
    end: str
    text: str
    score: int
    unsure: bool
    by: str
    note: str


@dataclass(frozen=True)
class Row:
    """A paragraph of the page.

    kind: `action`, `speech`, `ad-lib` or another kind of prose. state: of a line, the best that
    a take has. parts: of a speech, pairs of kind and text.
    """

    kind: str
    text: str
    strokes: tuple[Stroke, ...]
    number: int = 0
    character: str = ""
    dual: bool = False
    state: str = ""
    parts: tuple[tuple[str, str], ...] = ()
    said: tuple[Said, ...] = ()

    @property
    def times(self) -> int:
        """How often takes say it."""
        return sum(said.state != State.OMITTED.value for said in self.said)


@dataclass(frozen=True)
class SceneView:
    """A scene with the takes that play any of it. covered: how many of its lines have a take."""

    heading: str
    number: str
    takes: tuple[TakeFacts, ...]
    rows: tuple[Row, ...]
    lines: int
    covered: int


def write_page(coverage: Coverage, path: Path) -> None:
    """Write the lined script as one HTML file that needs nothing beside it. Raises OutputError."""
    scenes = scene_views(coverage)
    page = filled(
        "coverage.html",
        title=coverage.script.title,
        scenes=scenes,
        summary=told_summary(coverage),
        warnings=coverage.script.warnings,
        lost=coverage.lost,
        draft=coverage.draft,
        takes=len(coverage.takes),
    )
    write_text(path, page)


def summary(coverage: Coverage) -> tuple[tuple[str, int], ...]:
    """How many lines are in each state by their best take, and how many ad-libs there are."""
    counts = Counter(coverage.state(line.number) for line in coverage.lines)
    ad_libs = sum(reading.state is State.AD_LIB for reading in coverage.readings)
    states = [(state.value, counts[state]) for state in BEST]
    return (*states, ("no take", counts[State.OMITTED]), ("ad-libs", ad_libs))


def told_summary(coverage: Coverage) -> tuple[tuple[str, int], ...]:
    """The same as people read it: one is an ad-lib."""
    return tuple(
        ("ad-lib" if (name, count) == ("ad-libs", 1) else name, count)
        for name, count in summary(coverage)
    )


def scene_views(coverage: Coverage) -> tuple[SceneView, ...]:
    """The script scene by scene, as the page shows it."""
    by_line: dict[int, list[Reading]] = {}
    for reading in coverage.readings:
        by_line.setdefault(reading.line, []).append(reading)
    numbers = {line.element: line for line in coverage.lines}
    takes = {take.essence: take for take in coverage.takes}
    views: list[SceneView] = []
    heading, elements = SceneHeading(""), []
    for index, element in enumerate([*coverage.script.elements, SceneHeading("")]):
        if not isinstance(element, SceneHeading):
            elements.append(index)
            continue
        if elements or heading.text:
            views.append(_scene(coverage, heading, elements, numbers, by_line, takes))
        heading, elements = element, []
    return tuple(views)


def _scene(
    coverage: Coverage,
    heading: SceneHeading,
    elements: Sequence[int],
    numbers: dict[int, ScriptLine],
    by_line: dict[int, list[Reading]],
    takes: dict[str, TakeFacts],
) -> SceneView:
    lines = [numbers[index] for index in elements if index in numbers]
    readings = {line.number: by_line.get(line.number, []) for line in lines}
    if lines and lines[0].number == 1:
        readings[0] = by_line.get(0, [])
    playing = {r.take for found in readings.values() for r in found if r.state in BEST}
    ours = tuple(take for essence, take in takes.items() if essence in playing)
    places = {line.number: place for place, line in enumerate(lines)}
    reach = {take.essence: _reach(take.essence, lines, readings) for take in ours}
    rows: list[Row] = []
    if readings.get(0):
        rows.extend(_ad_libs(readings[0], ours, takes))
    place = -0.5
    for index in elements:
        element = coverage.script.elements[index]
        line = numbers.get(index)
        if line is not None and isinstance(element, Speech):
            place = places[line.number]
            found = readings[line.number]
            strokes = tuple(
                _stroke(coverage, take, place, reach[take.essence], found) for take in ours
            )
            rows.append(_line_row(coverage, line, element, strokes, found, takes))
            rows.extend(_ad_libs(found, ours, takes))
            place += 0.5
        elif isinstance(element, Prose | Speech):
            through = tuple(_through(place, reach[take.essence]) for take in ours)
            kind = element.kind.value if isinstance(element, Prose) else "action"
            rows.append(Row(kind, element.text, through))
    covered = sum(coverage.state(line.number) is not State.OMITTED for line in lines)
    return SceneView(heading.text, heading.number, ours, tuple(rows), len(lines), covered)


def _reach(
    essence: str, lines: Sequence[ScriptLine], readings: dict[int, list[Reading]]
) -> tuple[int, int]:
    """The first and the last of a scene's lines that a take says."""
    said = [
        place
        for place, line in enumerate(lines)
        if any(r.take == essence and r.state in BEST for r in readings[line.number])
    ]
    return said[0], said[-1]


def _stroke(
    coverage: Coverage,
    take: TakeFacts,
    place: int,
    reach: tuple[int, int],
    found: Sequence[Reading],
) -> Stroke:
    if not reach[0] <= place <= reach[1]:
        return Stroke("", "", "")
    ours = [reading for reading in found if reading.take == take.essence]
    said = [reading.state for reading in ours if reading.state in BEST]
    state = next((state for state in BEST if state in said), State.OMITTED)
    ends = " ".join(name for name, at in (("top", reach[0]), ("bottom", reach[1])) if place == at)
    many = f", {len(said)} times" if len(said) > 1 else ""
    marked = "".join(f", marked by {reading.by}" for reading in ours[:1] if reading.by)
    draft = " (draft)" if any(map(coverage.unsure, ours)) else ""
    return Stroke(_STROKES[state], ends, f"{take.name}: {state.value}{draft}{many}{marked}")


def _through(place: float, reach: tuple[int, int]) -> Stroke:
    return Stroke("faint" if reach[0] <= place <= reach[1] else "", "", "")


def _line_row(
    coverage: Coverage,
    line: ScriptLine,
    speech: Speech,
    strokes: tuple[Stroke, ...],
    found: Sequence[Reading],
    takes: dict[str, TakeFacts],
) -> Row:
    extension = f" ({line.extension})" if line.extension else ""
    state = coverage.state(line.number)
    return Row(
        kind="speech",
        text=line.text,
        strokes=strokes,
        number=line.number,
        character=line.character + extension,
        dual=line.dual,
        state="no take" if state is State.OMITTED else state.value,
        parts=tuple(
            ("parenthetical" if part.kind is PartKind.PARENTHETICAL else "words", part.text)
            for part in speech.parts
        ),
        said=tuple(
            _said(r, takes[r.take], coverage.unsure(r))
            for r in found
            if r.state is not State.AD_LIB
        ),
    )


def _ad_libs(
    found: Sequence[Reading], ours: Sequence[TakeFacts], takes: dict[str, TakeFacts]
) -> list[Row]:
    playing = {take.essence for take in ours}
    return [
        Row(
            kind="ad-lib",
            text=reading.text,
            strokes=tuple(
                Stroke("wavy" if take.essence == reading.take else "", "", "") for take in ours
            ),
            character=reading.speaker,
            said=(_said(reading, takes[reading.take], unsure=False),),
        )
        for reading in found
        if reading.state is State.AD_LIB and reading.take in playing
    ]


def _said(reading: Reading, take: TakeFacts, unsure: bool) -> Said:
    placed = reading.end > reading.start
    return Said(
        take=take.name,
        circled=take.circled,
        state=reading.state.value,
        start=source_timecode(take, reading.start) if placed else "",
        end=source_timecode(take, reading.end) if placed else "",
        text=reading.text,
        score=round(100 * reading.score),
        unsure=unsure,
        by=reading.by,
        note=reading.note,
    )
