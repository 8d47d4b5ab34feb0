"""What came of a cut at a glance, for places that show tables and pictures but not our report."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from adapters.media.essence import file_sha256
from adapters.timelines.read import timeline_file
from db.memory import recall_cut
from db.provenance import finished_works
from flows.cut_events import STATES
from flows.cut_view import CutTrackView, CutView, cut_view
from flows.workspace import Workspace
from models.quality import Gate, regraded

COLOURS = {
    "cleaned": "#2f855a",
    "gentler": "#68a357",
    "bypassed": "#718096",
    "locked": "#4a5568",
    "flagged": "#c05621",
    "approved": "#b7791f",
    "untouched": "#a0aec0",
    "offline": "#c53030",
}
MOST_EVENTS = 4000
"""In the picture; a longer cut shows as many from its start."""

_GATES = TypeAdapter(tuple[tuple[Gate, ...], ...])
_WIDTH, _NAMES, _LANE, _GAP, _LEGEND = 1080, 130, 26, 6, 26


@dataclass(frozen=True)
class CutShown:
    """A cut at a glance. gates: a row a gate. picture: its tracks, a `data:` URI of an SVG."""

    gates: tuple[Mapping[str, str | int | float], ...]
    picture: str


def cut_shown(work: Workspace, cut: Path) -> CutShown:
    """A cut that was cleaned just now. Raises InputError where it is not known."""
    digest = file_sha256(timeline_file(cut))
    view = cut_view(work, digest)
    return CutShown(_gate_rows(work, digest, view), svg_uri(picture(view)))


def _gate_rows(
    work: Workspace, digest: str, view: CutView
) -> tuple[Mapping[str, str | int | float], ...]:
    """For each gate how many takes it held back, and its largest value."""
    with work.database.read() as session:
        known = recall_cut(session, digest)
        keys = {} if known is None else {item.take_key: item.event for item in known.events}
        keys.pop("", None)
        works = finished_works(session, "clean", list(keys))
    names = {event.id: event.take.name for track in view.tracks for event in track.events
             if event.take is not None}  # fmt: skip
    limits = None if view.delivered is None else view.delivered.limits
    judged: dict[str, list[tuple[Gate, str]]] = {}
    for key, done in works.items():
        try:
            channels = _GATES.validate_python(done.parameters.get("gates", ()))
        except ValidationError:
            continue
        for channel in channels:
            for gate in regraded(channel, limits) if limits is not None else channel:
                judged.setdefault(gate.name, []).append((gate, names.get(keys[key], "")))
    return tuple(_gate_row(name, found) for name, found in sorted(judged.items()))


def _gate_row(name: str, found: Sequence[tuple[Gate, str]]) -> Mapping[str, str | int | float]:
    """A gate over all microphones that it judged."""
    worst, take = max(found, key=lambda pair: (not pair[0].passed, abs(pair[0].value)))
    return {
        "gate": name,
        "microphones": len(found),
        "held back": sum(not gate.passed for gate, _ in found),
        "largest": f"{worst.value:.2f} {worst.unit}",
        "limit": f"{worst.limit:g} {worst.unit}",
        "take": take,
        "meaning": worst.meaning,
    }


def picture(view: CutView) -> str:
    """The tracks of a cut as an SVG that needs nothing beside it: an event a bar, by its state."""
    states = list(dict.fromkeys(event.state for track in view.tracks for event in track.events))
    legend = _LEGEND if states else 0
    height = legend + len(view.tracks) * (_LANE + _GAP) + _GAP
    lanes = (
        _lane(view, track, legend + _GAP + number * (_LANE + _GAP))
        for number, track in enumerate(view.tracks)
    )
    keys = (
        f'<rect x="{at}" y="8" width="12" height="12" fill="{COLOURS[state]}"/>'
        f'<text x="{at + 17}" y="18">{escape(STATES[state])}</text>'
        for at, state in zip(range(_NAMES, _WIDTH, 215), states, strict=False)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" font-family="sans-serif" font-size="12" '
        f'fill="#1a202c"><rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>'
        f"{''.join(keys)}{''.join(lanes)}</svg>"
    )


def svg_uri(svg: str) -> str:
    """An SVG as a `data:` URI."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def _lane(view: CutView, track: CutTrackView, top: int) -> str:
    across = (_WIDTH - _NAMES - _GAP) / max(1, view.length)
    bars = (
        f'<rect x="{_NAMES + event.start * across:.1f}" y="{top}" '
        f'width="{max(1.0, (event.end - event.start) * across - 0.5):.1f}" height="{_LANE}" '
        f'fill="{COLOURS[event.state]}"><title>{escape(_told(event.id, event.why))}</title></rect>'
        for event in track.events[: MOST_EVENTS // max(1, len(view.tracks))]
    )
    return (
        f'<rect x="{_NAMES}" y="{top}" width="{_WIDTH - _NAMES - _GAP}" height="{_LANE}" '
        f'fill="#edf2f7"/><text x="8" y="{top + 17}">{escape(track.name[:16])}</text>'
        + "".join(bars)
    )


def _told(name: str, why: str) -> str:
    return f"{name}: {why}" if why else name
