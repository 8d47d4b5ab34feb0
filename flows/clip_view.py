"""What the report says of each clip: its facts, gates, pictures and lines, ready for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from adapters.media.relink import Link
from core.conform import conformable
from core.cut import Cut, Event
from core.events import SoundEvent
from core.media import MediaFile
from core.speech import Line
from core.time import (
    clock,
    frames_to_samples,
    frames_to_timecode,
    samples_to_frames,
    samples_to_timecode,
)
from flows.events import told_within
from flows.listen import Heard
from flows.pictures import (
    Stretch,
    Tick,
    Views,
    frequency_ticks,
    record_range,
    second_ticks,
)
from flows.takes import CleanedTake, microphone_name
from flows.turnover import Turnover
from models.quality import Gate

MOST_PICTURED = 400
MOST_CHANNELS = 2
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
    from_cleaned: bool


@dataclass(frozen=True)
class ClipView:
    """What the page says of a clip. facts: label and text. gates, figures: by microphone."""

    anchor: str
    event_id: str
    flagged: bool
    approved: bool
    record: tuple[str, str]
    length: str
    name: str
    facts: tuple[tuple[str, str], ...]
    gates: tuple[tuple[str, tuple[Gate, ...]], ...]
    figures: tuple[tuple[str, Views], ...]
    hz: tuple[Tick, ...]
    seconds: tuple[Tick, ...]
    lines: tuple[Said, ...]

    @property
    def failed(self) -> tuple[tuple[str, Gate], ...]:
        """Microphone and gate, for each that a person has to look at."""
        return tuple((name, gate) for name, row in self.gates for gate in row if not gate.passed)


@dataclass(frozen=True)
class Played:
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


def played_events(
    turnover: Turnover, cleaned: Mapping[str, CleanedTake], heard: Mapping[str, Heard]
) -> tuple[Played, ...]:
    """Every linked event of dialogue in record order."""
    events = sorted(
        (event.record_start, place, event.id, event)
        for place, track in enumerate(turnover.cut.audio_tracks)
        for event in track.events
        if event.id in turnover.links and event.id not in turnover.through
    )
    found = []
    for number, (*_, event) in enumerate(events, 1):
        link = turnover.links[event.id]
        found.append(
            Played(
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


def pictured(played: Sequence[Played]) -> tuple[Played, ...]:
    """Which events get pictures: all of a scene or reel, the first flagged ones of a feature."""
    if len(played) > MOST_PICTURED:
        played = [item for item in played if item.take.waits]
    return tuple(item for item in played if item.stretch[1] > 0)[:MOST_PICTURED]


def stretches_of(item: Played) -> tuple[Stretch, ...]:
    """The stretches of media, a channel each, that are pictured for an event."""
    start, frames = item.stretch
    sound = item.take.sound
    return tuple(
        Stretch(item.link.media, sound, item.link.channels[place], place, start, frames)
        for place in item.pictured_channels
    )


def clip_view(
    turnover: Turnover,
    item: Played,
    views: Sequence[tuple[Stretch, Views]],
    events: Sequence[SoundEvent] = (),
) -> ClipView:
    """Everything the page says of an event. views: its pictures, by stretch. events: its take's."""
    cut, event, media = turnover.cut, item.event, item.link.media
    return ClipView(
        anchor=item.anchor,
        event_id=event.id,
        flagged=item.take.waits,
        approved=bool(item.take.approved),
        record=record_range(cut, event),
        length=clock(item.stretch[1], media.sample_rate),
        name=event.media.name,
        facts=_facts(turnover, item, events),
        gates=tuple(
            (microphone_name(media, channel), gates)
            for channel, gates in zip(item.link.channels, item.take.gates, strict=True)
        ),
        figures=tuple((microphone_name(media, one.channel), three) for one, three in views),
        hz=frequency_ticks(media.sample_rate),
        seconds=second_ticks(item.stretch[1], media.sample_rate),
        lines=_lines(cut, item),
    )


def _facts(
    turnover: Turnover, item: Played, events: Sequence[SoundEvent]
) -> tuple[tuple[str, str], ...]:
    """What a person may look up about a clip; facts that nobody wrote down are left out."""
    cut, override = turnover.cut, turnover.overrides.get(item.event.id)
    event, media, notes = item.event, item.link.media, item.link.media.notes
    start, length = item.stretch
    source = f"{_source(cut, media, start)} – {_source(cut, media, start + length)}"
    take = f"{notes.take} (circled)" if notes.take and notes.circled else notes.take
    facts = (
        ("Source file", media.path.name),
        ("Scene", notes.scene),
        ("Take", take),
        ("Tape", notes.tape),
        (
            "Microphone",
            ", ".join(microphone_name(media, channel) for channel in item.link.channels),
        ),
        ("Source", source),
        ("Found by", _HOW.get(item.link.how, item.link.how)),
        ("Clip gain", f"{signed(event.gain_db)} dB" if event.gain_db else ""),
        ("Speed", _speed(event)),
        ("Decided", "" if override is None else f"{override.words} (by {override.by})"),
        ("Accepted", item.take.approved),
        ("Mended", "; ".join(text.partition(" ")[2] for text in item.take.repairs)),
        ("Events", told_within(events, start, start + length, partial(_source, cut, media))),
        ("Note", " ".join(item.link.notes)),
    )
    return tuple((label, text) for label, text in facts if text)


def _lines(cut: Cut, item: Played) -> tuple[Said, ...]:
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
                from_cleaned=line.heard_in == "cleaned",
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


def _speed(event: Event) -> str:
    if event.speed == 1:
        return ""
    pitch = ", pitch kept" if event.keeps_pitch else ""
    return f"{float(event.speed):g}×{pitch}" + ("" if conformable(event) else ", not conformed")


def signed(value: float) -> str:
    """A figure in dB with its sign, as on the page."""
    return f"{value:+.1f}".replace("-", "−")
