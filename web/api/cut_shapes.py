"""What the JSON interface gives of cuts: positions in samples from the cut's first frame."""

from __future__ import annotations

from pydantic import BaseModel, Field

from core.time import clock, samples_to_timecode
from flows.change_list import Row, rows, summary
from flows.cut_changes import CutChanges
from flows.cut_events import STATES, CutEventView
from flows.cut_view import CutListed, CutTrackView, CutView
from flows.delivery import DeliveredFile


class CutOut(BaseModel):
    """A cut. id: sha256 of its timeline file; timeline: that file's name. title, version: of its
    name. fps: frames a second, as a fraction; drop: whether frame numbers are dropped.
    start_timecode: of its first frame. length: m:ss.mmm. cleaned_at: when it was last (UTC).
    events: those that sound; offline: without media. folder: of its latest delivery that is
    there, or empty; spec: what that was made for. state: `delivered`, `unfinished` or `gone`.
    """

    id: str = Field(pattern="^[0-9a-f]{64}$")
    name: str
    title: str
    version: str
    timeline: str
    fps: str
    rate: str
    drop: bool
    start_timecode: str
    length: str
    cleaned_at: str
    events: int
    offline: int
    folder: str
    spec: str
    state: str


class CutEventOut(BaseModel):
    """An event of a cut. start, end: samples of the record. take: id of what it plays, or null;
    source_start, source_end: samples of it; channels: from 0. state: what became of it; why.
    decided: what a person decided for it that is in force now. setup: its number in the review
    queue, or null.
    """

    id: str
    start: int
    end: int
    record_in: str
    record_out: str
    take: str | None
    take_name: str
    scene: str
    channels: list[int]
    source_start: int
    source_end: int
    speakers: list[str]
    state: str
    why: str
    decided: str
    setup: int | None


class CutTrackOut(BaseModel):
    """A track. dialogue: whether it is taken for that, and why. sound: whether it can be heard.

    cleaned: whether there is a cleaned stem of it.
    """

    name: str
    dialogue: bool
    why: str
    sound: bool
    cleaned: bool
    events: list[CutEventOut]


class StemOut(BaseModel):
    """A stem. number: from 0. lufs: integrated loudness where it is known, else null."""

    number: int
    name: str
    role: str
    track: str
    character: str
    start_timecode: str
    length: str
    sample_rate: int
    frames: int
    channels: int
    subtype: str
    gain_db: float
    bytes: int
    sha256: str
    lufs: float | None


class FileOut(BaseModel):
    """A file of a delivery. id: its sha256."""

    id: str
    name: str
    role: str
    event: str
    bytes: int


class CutViewOut(CutOut):
    """A cut with what is in it. sample_rate: of all its positions, in Hz. time_reference: samples
    since midnight of its first frame. frames: its length in samples. head: samples of the stems
    before it. counts: events by state. delivered_lufs, delivered_dbtp: of the dialogue.
    """

    sample_rate: int
    time_reference: int
    frames: int
    head: int
    counts: dict[str, int]
    recipe: str
    measured_lufs: float | None
    delivered_lufs: float | None
    delivered_dbtp: float | None
    gain_db: float
    notes: list[str]
    tracks: list[CutTrackOut]
    stems: list[StemOut]
    files: list[FileOut]


class ChangesOut(BaseModel):
    """What changed from one cut to another. summary: counts, in words."""

    old: str
    new: str
    old_name: str
    new_name: str
    summary: list[str]
    notes: list[str]
    changes: list[Row]


def cut_out(item: CutListed) -> CutOut:
    """A cut in a list, as JSON."""
    known = item.summary
    rate = known.rate
    made = item.delivery
    state = "gone" if made is None else "delivered" if item.complete else "unfinished"
    # A clock of samples at a rate in which frames are whole.
    length = round(known.length * rate.fps.denominator)
    return CutOut(
        id=known.digest,
        name=known.name,
        title=item.title,
        version=item.version,
        timeline=known.path.name,
        fps=f"{rate.fps.numerator}/{rate.fps.denominator}",
        rate=str(rate),
        drop=rate.drop,
        start_timecode=samples_to_timecode(
            known.start * rate.fps.denominator, rate, rate.fps.numerator
        ),
        length=clock(length, rate.fps.numerator),
        cleaned_at=known.read_at.isoformat(timespec="seconds"),
        events=known.events,
        offline=known.offline,
        folder="" if made is None else str(made.folder),
        spec="" if made is None else made.spec,
        state=state,
    )


def cut_view_out(view: CutView) -> CutViewOut:
    """A cut with what is in it, as JSON."""
    delivered = view.delivered
    loudness = delivered.loudness if delivered is not None else None
    events = [event for track in view.tracks for event in track.events]
    peak = None
    if loudness is not None and loudness.measured_dbtp is not None:
        peak = loudness.measured_dbtp + loudness.gain_db
    return CutViewOut(
        **cut_out(view.listed).model_dump(),
        sample_rate=view.sample_rate,
        time_reference=view.start,
        frames=view.length,
        head=view.head,
        counts={
            state: count
            for state in STATES
            if (count := sum(event.state == state for event in events))
        },
        recipe="" if delivered is None else delivered.recipe,
        measured_lufs=None if loudness is None else loudness.measured_lufs,
        delivered_lufs=None if loudness is None else loudness.delivered_lufs,
        delivered_dbtp=peak,
        gain_db=0.0 if loudness is None else loudness.gain_db,
        notes=[] if delivered is None else list(delivered.notes),
        tracks=[_track_out(view, track) for track in view.tracks],
        stems=[_stem_out(view, number, stem) for number, stem in enumerate(view.stems)],
        files=[
            FileOut(
                id=entry.sha256,
                name=entry.path.rpartition("/")[2],
                role=entry.role,
                event=entry.event,
                bytes=entry.bytes,
            )
            for entry in (delivered.files if delivered is not None else ())
        ],
    )


def changes_out(found: CutChanges) -> ChangesOut:
    """A change list, as JSON."""
    return ChangesOut(
        old=found.old.digest,
        new=found.new.digest,
        old_name=found.old.name,
        new_name=found.new.name,
        summary=list(summary(found.found)),
        notes=list(found.notes),
        changes=list(rows(found.found)),
    )


def _track_out(view: CutView, track: CutTrackView) -> CutTrackOut:
    return CutTrackOut(
        name=track.name,
        dialogue=track.dialogue,
        why=track.why,
        sound=track.heard,
        cleaned=track.cleaned,
        events=[_event_out(view, event) for event in track.events],
    )


def _event_out(view: CutView, event: CutEventView) -> CutEventOut:
    rate = view.listed.summary.rate
    take = event.take
    return CutEventOut(
        id=event.id,
        start=event.start,
        end=event.end,
        record_in=samples_to_timecode(view.start + event.start, rate, view.sample_rate),
        record_out=samples_to_timecode(view.start + event.end, rate, view.sample_rate),
        take=None if take is None else take.essence,
        take_name="" if take is None else take.name,
        scene="" if take is None else take.scene,
        channels=list(event.channels),
        source_start=event.source_start,
        source_end=event.source_end,
        speakers=list(event.speakers),
        state=event.state,
        why=event.why,
        decided=event.decided,
        setup=event.setup,
    )


def _stem_out(view: CutView, number: int, stem: DeliveredFile) -> StemOut:
    known = view.loudness[number]
    lufs = None if known is None else known.lufs
    if known is None and view.delivered is not None and (stem.role, stem.track) == ("DX", ""):
        lufs = view.delivered.loudness.delivered_lufs
    return StemOut(
        number=number,
        name=stem.path.rpartition("/")[2],
        role=stem.role,
        track=stem.track,
        character=stem.character,
        start_timecode=stem.start_timecode,
        length=clock(stem.frames, stem.sample_rate or 48_000),
        sample_rate=stem.sample_rate,
        frames=stem.frames,
        channels=stem.channels,
        subtype=stem.subtype,
        gain_db=stem.gain_db,
        bytes=stem.bytes,
        sha256=stem.sha256,
        lufs=lufs,
    )
