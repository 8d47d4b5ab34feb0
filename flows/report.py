"""The report of a delivery: one page that an editor and a post supervisor read after a run.

A file on its own: no script, nothing fetched, pictures inside. The same inputs give the same
bytes.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import quote

from adapters.media.relink import Offline
from adapters.media.whole import write_text
from config.deliveries import DeliverySpec
from config.recipes import Recipe
from core.cut import Event
from core.events import SoundEvent
from core.time import (
    FrameRate,
    clock,
)
from flows.clip_view import (
    MOST_PICTURED,
    ClipView,
    clip_view,
    pictured,
    played_events,
    signed,
    stretches_of,
)
from flows.listen import Heard
from flows.microphone_view import microphones_view
from flows.mono_sum import CutMicrophones
from flows.pages import filled
from flows.pictures import (
    CutPicture,
    Stretch,
    Views,
    colours,
    cut_picture,
    draw,
    record_range,
    timecode,
)
from flows.progress import Progress
from flows.stems import Rendered
from flows.takes import CleanedTake
from flows.turnover import Turnover
from flows.workspace import code_version
from models.quality import Gate

REPORT = "report.html"
REPORT_VERSION = "3"
FLOOR_DB, CEIL_DB = -110.0, -20.0
STEP = "Writing the report"


@dataclass(frozen=True)
class Brief:
    """What the run was asked for. notes: what a person should know of it, a sentence each.

    cache: where sound that libsndfile can't read was extracted to. microphones: of the cut's
    takes, or None where they were not compared. events: what happens in them, by essence.
    """

    recipe: Recipe
    spec: DeliverySpec
    cache: Path
    notes: tuple[str, ...]
    microphones: CutMicrophones | None = None
    events: Mapping[str, tuple[SoundEvent, ...]] = field(default_factory=dict)


def write_report(
    out: Path,
    turnover: Turnover,
    cleaned: Mapping[str, CleanedTake],
    heard: Mapping[str, Heard],
    rendered: Rendered,
    brief: Brief,
    progress: Progress,
) -> Path:
    """Write `report.html` into the delivery folder `out`, whole or not at all; gives its path.

    cleaned: by take id, for every take of the cut. heard: by essence. rendered: its stems lie
    below `out`, and are linked from there. Raises InputError where a take's media can't be
    read any more, OutputError where `out` can't be written.
    """
    played = played_events(turnover, cleaned, heard)
    chosen = pictured(played)
    stretches = {item.event.id: stretches_of(item) for item in chosen}
    unlike = dict.fromkeys(one for row in stretches.values() for one in row)
    progress.step(STEP, len(unlike) + 1)
    drawn: dict[Stretch, Views] = {}
    for stretch, views in draw(unlike, brief.cache, FLOOR_DB, CEIL_DB):
        drawn[stretch] = views
        progress.advance(STEP)
    clips = tuple(
        clip_view(
            turnover,
            item,
            [(one, drawn[one]) for one in stretches.get(item.event.id, ())],
            brief.events.get(item.link.media.essence, ()),
        )
        for item in played
    )
    page = {
        "cut": turnover.cut,
        "file": turnover.path.name,
        "digest": turnover.digest,
        "rendered": rendered,
        "recipe": brief.recipe,
        "spec": brief.spec,
        "silence": float("-inf"),
        "counts": _counts(turnover, cleaned, heard, clips),
        "engines": sorted(Counter(take.card for take in cleaned.values()).items(), key=str),
        "recognisers": sorted(
            Counter((item.engine, item.draft) for item in heard.values()).items()
        ),
        "notes": tuple(dict.fromkeys(brief.notes)),
        "picture": _picture(turnover, clips),
        "anchors": {item.event_id: "offline" for item in turnover.offline}
        | {clip.event_id: clip.anchor for clip in clips},
        "offline": _offline(turnover),
        "clips": clips,
        "microphones": microphones_view(brief.microphones, turnover.media),
        "pictured": len(chosen),
        "most_pictured": MOST_PICTURED,
        "scale": {"floor": f"−{-FLOOR_DB:g}", "ceil": f"−{-CEIL_DB:g}", "colours": colours(9)},
        "links": {
            stem.path: quote(os.fsencode(stem.path.relative_to(out).as_posix()))
            for stem in rendered.stems
        },
        "version": code_version(),
    }
    path = out / REPORT
    write_text(path, _filled(page))
    progress.advance(STEP)
    return path


def _filled(page: Mapping[str, Any]) -> str:
    """The template with everything escaped; what UTF-8 can't hold becomes a question mark."""
    text = filled("report.html", _FILTERS, **page)
    return text.encode("utf-8", "replace").decode("utf-8")


def _counts(
    turnover: Turnover,
    cleaned: Mapping[str, CleanedTake],
    heard: Mapping[str, Heard],
    clips: Sequence[ClipView],
) -> dict[str, int]:
    events = [event for track in turnover.cut.audio_tracks for event in track.events]
    through = turnover.through & turnover.links.keys()
    return {
        "events": len(events),
        "passed": sum(not clip.flagged and not clip.approved for clip in clips),
        "approved": sum(clip.approved for clip in clips),
        "flagged": sum(clip.flagged for clip in clips),
        "offline": len(turnover.offline),
        "through": len(through),
        "off": len(events) - len(clips) - len(turnover.offline) - len(through),
        "takes": len(cleaned),
        "cleaned_now": sum(take.cleaned_now for take in cleaned.values()),
        "stand_ins": sum(take.card.stand_in for take in cleaned.values()),
        "heard": len(heard),
        "heard_now": sum(item.heard_now for item in heard.values()),
        "drafts": sum(item.draft for item in heard.values()),
        "unheard": sum(not item.engine for item in heard.values()),
    }


def _picture(turnover: Turnover, clips: Sequence[ClipView]) -> CutPicture:
    states = {event.id: "off" for track in turnover.cut.audio_tracks for event in track.events}
    states |= dict.fromkeys(turnover.through & turnover.links.keys(), "untouched")
    states |= {item.event_id: "offline" for item in turnover.offline}
    states |= {clip.event_id: "flagged" if clip.flagged else "passed" for clip in clips}
    reasons = {item.event_id: item.reason for item in turnover.offline}
    return cut_picture(turnover.cut, states, reasons)


def _offline(turnover: Turnover) -> list[tuple[Offline, Event, tuple[str, str]]]:
    """What stays silent, in record order, with its place in the record."""
    cut = turnover.cut
    events = {event.id: event for track in cut.audio_tracks for event in track.events}
    found = [(item, events[item.event_id]) for item in turnover.offline]
    return [
        (item, event, record_range(cut, event))
        for item, event in sorted(found, key=lambda pair: pair[1].record_start)
    ]


def _db(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")


def _measured(gate: Gate) -> str:
    """A gate's value as people write it: whole samples, per cent, else two decimals."""
    match gate.unit:
        case "samples":
            return f"{gate.value:.0f}".replace("-", "−")
        case "share":
            return f"{100 * gate.value:.1f} %"
        case _:
            # Adding zero turns a rounded -0.00 into 0.00.
            return f"{round(gate.value, 2) + 0.0:.2f}".replace("-", "−")


def _limit(gate: Gate) -> str:
    if gate.unit == "share":
        return f"{100 * gate.limit:g} %"
    return f"{gate.limit:g} {gate.unit}"


def _timecode(frames: int, rate: FrameRate) -> str:
    return timecode(Fraction(frames), rate)


_FILTERS = (
    ("clock", clock),
    ("db", _db),
    ("limit", _limit),
    ("measured", _measured),
    ("signed", signed),
    ("timecode", _timecode),
)
"""How the template has things written."""
