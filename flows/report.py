"""The report of a delivery: one page that an editor and a post supervisor read after a run.

A file on its own: no script, nothing fetched, pictures inside. The same inputs give the same
bytes.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

from adapters.media.relink import Link, Offline
from adapters.media.whole import write_text
from config.deliveries import DeliverySpec
from config.recipes import Recipe
from core.cut import Cut, Event
from core.media import MediaFile
from core.speech import Line
from core.time import (
    clock,
    frames_to_samples,
    frames_to_timecode,
    samples_to_frames,
    samples_to_timecode,
)
from flows.listen import Heard
from flows.pictures import (
    CutPicture,
    Pair,
    Stretch,
    Tick,
    colours,
    cut_picture,
    draw,
    frequency_ticks,
    record_range,
    second_ticks,
    timecode,
)
from flows.progress import Progress
from flows.stems import Rendered
from flows.takes import CleanedTake
from flows.turnover import Turnover
from flows.workspace import code_version
from models.quality import Gate

REPORT = "report.html"
MOST_PICTURED = 400
MOST_CHANNELS = 2
FLOOR_DB, CEIL_DB = -110.0, -20.0
STEP = "Writing the report"
_HOW = {
    "url": "its URL",
    "reel": "reel and timecode",
    "scene": "scene and take",
    "name": "its name",
}


@dataclass(frozen=True)
class Said:
    """A line as far as a clip plays it. record, source: where it starts, for people."""

    record: str
    source: str
    speaker: str
    text: str
    engine: str
    draft: bool


@dataclass(frozen=True)
class ClipView:
    """What the page says of a clip. facts: label and text. gates, figures: by microphone."""

    anchor: str
    event_id: str
    flagged: bool
    record: tuple[str, str]
    length: str
    name: str
    facts: tuple[tuple[str, str], ...]
    gates: tuple[tuple[str, tuple[Gate, ...]], ...]
    figures: tuple[tuple[str, Pair], ...]
    hz: tuple[Tick, ...]
    seconds: tuple[Tick, ...]
    lines: tuple[Said, ...]

    @property
    def failed(self) -> tuple[tuple[str, Gate], ...]:
        """Microphone and gate, for each that a person has to look at."""
        return tuple((name, gate) for name, row in self.gates for gate in row if not gate.passed)


@dataclass(frozen=True)
class _Played:
    """A linked event with what there is about it. stretch: first sample and length, of the file."""

    event: Event
    anchor: str
    link: Link
    take: CleanedTake
    heard: Heard | None
    stretch: tuple[int, int]

    @property
    def pictured_channels(self) -> tuple[int, ...]:
        """Places in the take's group: those that failed a gate first."""
        places = range(len(self.link.channels))
        failed = [k for k in places if not all(gate.passed for gate in self.take.gates[k])]
        rest = [k for k in places if k not in failed]
        return tuple([*failed, *rest][:MOST_CHANNELS])


@dataclass(frozen=True)
class Brief:
    """What the run was asked for. notes: what a person should know of it, a sentence each.

    cache: where sound that libsndfile can't read was extracted to.
    """

    recipe: Recipe
    spec: DeliverySpec
    cache: Path
    notes: tuple[str, ...]


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
    played = _played(turnover, cleaned, heard)
    chosen = _pictured(played)
    stretches = {item.event.id: _stretches(item) for item in chosen}
    unlike = dict.fromkeys(one for row in stretches.values() for one in row)
    progress.step(STEP, len(unlike) + 1)
    drawn: dict[Stretch, Pair] = {}
    for stretch, pair in draw(unlike, brief.cache, FLOOR_DB, CEIL_DB):
        drawn[stretch] = pair
        progress.advance(STEP)
    clips = tuple(
        _clip(turnover, item, [(one, drawn[one]) for one in stretches.get(item.event.id, ())])
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
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        clock=clock,
        db=_db,
        limit=_limit,
        measured=_measured,
        signed=_signed,
        timecode=lambda frames, rate: timecode(Fraction(frames), rate),
    )
    source = files("flows").joinpath("templates/report.html").read_text(encoding="utf-8")
    text = environment.from_string(source).render(page)
    return text.encode("utf-8", "replace").decode("utf-8")


def _played(
    turnover: Turnover, cleaned: Mapping[str, CleanedTake], heard: Mapping[str, Heard]
) -> tuple[_Played, ...]:
    """Every linked event in record order."""
    events = sorted(
        (event.record_start, place, event.id, event)
        for place, track in enumerate(turnover.cut.audio_tracks)
        for event in track.events
        if event.id in turnover.links
    )
    found = []
    for number, (*_, event) in enumerate(events, 1):
        link = turnover.links[event.id]
        found.append(
            _Played(
                event=event,
                anchor=f"clip-{number}",
                link=link,
                take=cleaned[turnover.take_of(event.id).id],
                heard=heard.get(link.media.essence),
                stretch=(link.source_start, _length(turnover.cut, event, link.media.sample_rate)),
            )
        )
    return tuple(found)


def _length(cut: Cut, event: Event, sample_rate: int) -> int:
    """Samples that an event sounds for: the difference of two rounded positions."""
    first, last = (
        frames_to_samples(cut.start + frames, cut.rate.fps, sample_rate)
        for frames in (event.record_start, event.record_end)
    )
    return last - first


def _pictured(played: Sequence[_Played]) -> tuple[_Played, ...]:
    """Which events get pictures: all of a scene or reel, the first flagged ones of a feature."""
    if len(played) > MOST_PICTURED:
        played = [item for item in played if not item.take.passed]
    return tuple(item for item in played if item.stretch[1] > 0)[:MOST_PICTURED]


def _stretches(item: _Played) -> tuple[Stretch, ...]:
    start, frames = item.stretch
    return tuple(
        Stretch(item.link.media, item.take.path, item.link.channels[place], place, start, frames)
        for place in item.pictured_channels
    )


def _clip(turnover: Turnover, item: _Played, pairs: Sequence[tuple[Stretch, Pair]]) -> ClipView:
    cut, event, media = turnover.cut, item.event, item.link.media
    return ClipView(
        anchor=item.anchor,
        event_id=event.id,
        flagged=not item.take.passed,
        record=record_range(cut, event),
        length=clock(item.stretch[1], media.sample_rate),
        name=event.media.name,
        facts=_facts(cut, item),
        gates=tuple(
            (_microphone(media, channel), gates)
            for channel, gates in zip(item.link.channels, item.take.gates, strict=True)
        ),
        figures=tuple((_microphone(media, one.channel), pair) for one, pair in pairs),
        hz=frequency_ticks(media.sample_rate),
        seconds=second_ticks(item.stretch[1], media.sample_rate),
        lines=_lines(cut, item),
    )


def _facts(cut: Cut, item: _Played) -> tuple[tuple[str, str], ...]:
    """What a person may look up about a clip; facts that nobody wrote down are left out."""
    event, media, notes = item.event, item.link.media, item.link.media.notes
    start, length = item.stretch
    source = f"{_source(cut, media, start)} – {_source(cut, media, start + length)}"
    take = f"{notes.take} (circled)" if notes.take and notes.circled else notes.take
    facts = (
        ("Source file", media.path.name),
        ("Scene", notes.scene),
        ("Take", take),
        ("Tape", notes.tape),
        ("Microphone", ", ".join(_microphone(media, channel) for channel in item.link.channels)),
        ("Source", source),
        ("Found by", _HOW.get(item.link.how, item.link.how)),
        ("Clip gain", f"{_signed(event.gain_db)} dB" if event.gain_db else ""),
        ("Speed", f"{float(event.speed):g}×, not conformed" if event.speed != 1 else ""),
        ("Note", " ".join(item.link.notes)),
    )
    return tuple((label, text) for label, text in facts if text)


def _lines(cut: Cut, item: _Played) -> tuple[Said, ...]:
    """The lines that a clip plays, cut to the words inside it."""
    if item.heard is None:
        return ()
    first, end = item.stretch[0], sum(item.stretch)
    media = item.link.media
    said = []
    for line in sorted(item.heard.lines, key=lambda line: (line.start, line.end)):
        text = _words_inside(line, first, end)
        if line.start >= end or line.end <= first or (line.words and not text):
            continue
        start = max(line.start, first)
        offset = samples_to_frames(start - first, cut.rate.fps, media.sample_rate)
        said.append(
            Said(
                record=frames_to_timecode(
                    int(cut.start + item.event.record_start + offset), cut.rate
                ),
                source=_source(cut, media, start),
                speaker=line.speaker,
                text=text,
                engine=line.engine,
                draft=line.draft,
            )
        )
    return tuple(said)


def _words_inside(line: Line, first: int, end: int) -> str:
    """The words that sound between two samples; dots stand for the others."""
    inside = [k for k, word in enumerate(line.words) if word.start < end and word.end > first]
    if not inside:
        return ""
    before = "… " if inside[0] > 0 else ""
    after = " …" if inside[-1] + 1 < len(line.words) else ""
    return before + " ".join(line.words[k].text for k in inside) + after


def _source(cut: Cut, media: MediaFile, sample: int) -> str:
    """A sample's source timecode, or its time in the file where the file has no timecode."""
    reference = media.notes.time_reference
    if reference is None:
        return f"{clock(max(0, sample), media.sample_rate)} in the file"
    rate = media.notes.timecode_rate or cut.rate
    return samples_to_timecode(max(0, reference + sample), rate, media.sample_rate)


def _microphone(media: MediaFile, channel: int) -> str:
    return media.notes.track_name(channel) or f"channel {channel + 1}"


def _counts(
    turnover: Turnover,
    cleaned: Mapping[str, CleanedTake],
    heard: Mapping[str, Heard],
    clips: Sequence[ClipView],
) -> dict[str, int]:
    events = [event for track in turnover.cut.audio_tracks for event in track.events]
    return {
        "events": len(events),
        "passed": sum(not clip.flagged for clip in clips),
        "flagged": sum(clip.flagged for clip in clips),
        "offline": len(turnover.offline),
        "off": len(events) - len(clips) - len(turnover.offline),
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


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−")


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
