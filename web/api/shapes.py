"""What the JSON interface gives: positions in samples of the source, levels in dB."""

from __future__ import annotations

from pydantic import BaseModel, Field

from core.time import clock
from db.catalogue import Hit, TakeLine
from db.events import TakeEvent
from db.take_list import TakeSummary
from flows.take_view import Microphone, TakeView
from flows.takeline import timecode


class Fault(BaseModel):
    """What went wrong, in one sentence."""

    fault: str


class WordOut(BaseModel):
    """A word. start, end: samples. confidence: 0 to 1."""

    text: str
    start: int
    end: int
    confidence: float


class LineOut(BaseModel):
    """A line. overlap: share in which others speak as well. draft: made by a stand-in.

    number: names it until it is heard anew. speaker_id: of the speaker, or null. heard_text: what
    was heard, where a person corrected it; corrected_by, corrected_at: who did last and when
    (UTC), else empty.
    """

    number: int
    speaker: str
    speaker_id: int | None
    text: str
    start: int
    end: int
    timecode: str
    confidence: float
    draft: bool
    engine: str
    language: str
    heard_in: str
    overlap: float
    heard_text: str
    corrected_by: str
    corrected_at: str
    words: list[WordOut]


class TakeOut(BaseModel):
    """A take. id: sha256 of its sound. start_timecode: of its first sample. length: m:ss.mmm.

    fps: frames a second of its timecode, as a fraction, or null where it has none; drop: whether
    it drops frame numbers.
    time_reference: samples since midnight of its first sample. recorded: the day (ISO 8601), or
    empty. tags: that people put on it.
    """

    id: str = Field(pattern="^[0-9a-f]{64}$")
    name: str
    scene: str
    take: str
    tape: str
    project: str
    circled: bool
    sample_rate: int
    frames: int
    start_timecode: str
    fps: str | None
    drop: bool
    time_reference: int | None
    length: str
    lines: int
    recorded: str
    tags: list[str]


class GateOut(BaseModel):
    """A gate, as it judged the cleaned sound when that was made."""

    name: str
    value: float | None
    limit: float
    unit: str
    passed: bool


class MicrophoneOut(BaseModel):
    """A channel of a take, counted from 0, and how it was cleaned last (empty: not yet)."""

    channel: int
    name: str
    engine: str
    recipe: str
    gates: list[GateOut]


class EventOut(BaseModel):
    """Something that happens in a take. channel: from 0; null: all."""

    kind: str
    start: int
    end: int
    timecode: str
    channel: int | None
    confidence: float
    note: str


class TakeViewOut(TakeOut):
    """A take with its microphones. online: whether a file of it is there to be heard.

    listened: the channel that was transcribed.
    """

    online: bool
    listened: int
    microphones: list[MicrophoneOut]


class HitOut(BaseModel):
    """A line that a search found. marked: its text in runs, and whether a run was asked for.

    hit_start: sample of the first word that was asked for. found: how the line holds the query.
    likeness: 0 to 1.
    """

    take: TakeOut
    line: LineOut
    hit_start: int
    hit_timecode: str
    found: str
    likeness: float
    marked: list[tuple[str, bool]]


class SoundOut(BaseModel):
    """How a listening copy is to be played: original left, cleaned right, level-matched.

    ready: it is made; progress: how much of it is, 0 to 1, and while it is less the rest is empty.
    What was removed is the left channel times the gain, less the right. channels: 1 where the
    take is not cleaned. gain_db: that the cleaned sound has. note: what is to be said of it.
    """

    ready: bool = True
    progress: float = 1.0
    url: str = ""
    channels: int = 0
    sample_rate: int
    frames: int
    gain_db: float = 0.0
    note: str = ""
    engine: str = ""
    recipe: str = ""


class PeaksOut(BaseModel):
    """Lowest and highest value of equal stretches, -1 to 1, one after the other in each list."""

    kinds: list[str]
    peaks: list[list[float]]


def take_out(found: TakeSummary) -> TakeOut:
    """A take in a list, as JSON."""
    rate = None if found.time_reference is None else found.timecode_rate
    return TakeOut(
        id=found.essence,
        name=found.name,
        scene=found.scene,
        take=found.take,
        tape=found.tape,
        project=found.project,
        circled=found.circled,
        sample_rate=found.sample_rate,
        frames=found.frames,
        start_timecode=timecode(found, 0),
        fps=None if rate is None else f"{rate.fps.numerator}/{rate.fps.denominator}",
        drop=rate is not None and rate.drop,
        time_reference=found.time_reference,
        length=clock(found.frames, found.sample_rate),
        lines=found.lines,
        recorded=found.recorded,
        tags=list(found.tags),
    )


def take_view_out(view: TakeView) -> TakeViewOut:
    """A take with its microphones, as JSON."""
    return TakeViewOut(
        **take_out(view.summary).model_dump(),
        online=view.media is not None,
        listened=view.listened,
        microphones=[_microphone_out(item) for item in view.microphones],
    )


def line_out(found: TakeLine) -> LineOut:
    """A line, as JSON."""
    line = found.line
    return LineOut(
        number=found.number,
        speaker=line.speaker,
        speaker_id=found.speaker,
        text=line.text,
        start=line.start,
        end=line.end,
        timecode=timecode(found, line.start),
        confidence=line.confidence,
        draft=line.draft,
        engine=line.engine,
        language=line.language,
        heard_in=line.heard_in,
        overlap=line.overlap,
        heard_text=line.heard_text,
        corrected_by=line.corrected_by,
        corrected_at=line.corrected_at,
        words=[
            WordOut(text=w.text, start=w.start, end=w.end, confidence=w.confidence)
            for w in line.words
        ],
    )


def event_out(found: TakeEvent) -> EventOut:
    """An event, as JSON."""
    event = found.event
    return EventOut(
        kind=event.kind.value,
        start=event.start,
        end=event.end,
        timecode=timecode(found, event.start),
        channel=event.channel,
        confidence=event.confidence,
        note=event.note,
    )


def hit_out(hit: Hit, take: TakeOut, found: str) -> HitOut:
    """A hit, as JSON. found: how, in words."""
    return HitOut(
        take=take,
        line=line_out(hit.found),
        hit_start=hit.start,
        hit_timecode=timecode(hit.found, hit.start),
        found=found,
        likeness=round(hit.likeness, 3),
        marked=list(hit.marked),
    )


def _microphone_out(item: Microphone) -> MicrophoneOut:
    done = item.cleaned
    gates = () if done is None else done.gates[done.channels.index(item.channel)]
    return MicrophoneOut(
        channel=item.channel,
        name=item.name,
        engine="" if done is None else done.engine,
        recipe="" if done is None else done.recipe,
        gates=[
            GateOut(
                name=gate.name,
                value=gate.value if abs(gate.value) < float("inf") else None,
                limit=gate.limit,
                unit=gate.unit,
                passed=gate.passed,
            )
            for gate in gates
        ],
    )
