"""Where a cut plays two microphones of one recording at once, and what that does to their sum."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from adapters.media.decode import OpenSounds, sound_file
from core.cut import Cut, Event
from core.media import MediaFile
from core.speech import Turn
from core.time import frames_to_samples, samples_to_timecode
from flows.hearing import Read
from flows.listen import Heard
from flows.microphones import TakeMicrophones, take_microphones
from flows.progress import Progress
from flows.settle import wearers
from flows.takes import microphone_name
from flows.turnover import Turnover
from flows.turns import pauses_between, turns_of
from flows.workspace import Workspace
from models.alignment import Span, align
from models.mono_sum import MonoSum, mono_sum

STEP = "Comparing microphones"
_FURTHEST_S = 0.05
_SHORTEST_S = 0.25
_AUDIBLE_DB = -0.5
_AUDIBLE_BAND_DB = -3.0
_SURE = 0.5


@dataclass(frozen=True)
class Doubled:
    """Two events that play different microphones of one recording at the same time.

    record: timecodes from and to (the frame just past it). names: of the microphones. sum: what
    they lose together; None where neither is heard well enough in the other to say.
    """

    events: tuple[str, str]
    record: tuple[str, str]
    file: str
    names: tuple[str, str]
    sample_rate: int
    sum: MonoSum | None

    @property
    def audible(self) -> bool:
        """Whether the sum wants a person."""
        return self.sum is not None and (
            self.sum.level_db <= _AUDIBLE_DB or self.sum.worst_db <= _AUDIBLE_BAND_DB
        )

    @property
    def sentence(self) -> str:
        """What was found, for people."""
        first, second = self.events
        told = (
            f"{first} ({self.names[0]}) and {second} ({self.names[1]}) play {self.file} together "
            f"from {self.record[0]} to {self.record[1]}"
        )
        if self.sum is None:
            return f"{told}; they hear too little together to say what the sum loses."
        if not self.audible:
            return f"{told}; in mono they add up without loss."
        return f"{told}: {self._loss(self.sum)}."

    def _loss(self, found: MonoSum) -> str:
        late = 1000 * found.delay / self.sample_rate
        turned = f"{self.names[1]} has its polarity turned" if found.inverted else ""
        shift = f"{self.names[1]} comes {abs(late):.2f} ms {'later' if late > 0 else 'earlier'}"
        causes = " and ".join(text for text in (turned, shift if abs(late) >= 0.01 else "") if text)
        parts = [f"the sum loses {-found.level_db:.1f} dB"]
        if found.notch_hz:
            parts.append(f"has its first notch at {found.notch_hz:.0f} Hz")
        if found.worst_db <= _AUDIBLE_BAND_DB:
            parts.append(f"loses {-found.worst_db:.1f} dB around {found.worst_hz:.0f} Hz")
        return f"{causes}, so {', '.join(parts)}; move one, or keep only one"


@dataclass(frozen=True)
class CutMicrophones:
    """The microphones of a cut: its takes with more than one, and where two sound at once."""

    takes: tuple[TakeMicrophones, ...]
    doubled: tuple[Doubled, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know, a sentence each."""
        found = (note for take in self.takes for note in take.notes)
        return (*found, *(item.sentence for item in self.doubled if item.audible))


def cut_microphones(
    work: Workspace, turnover: Turnover, heard: Mapping[str, Heard], progress: Progress
) -> CutMicrophones:
    """The microphones of every dialogue file of a cut, and the mono sums of its events.

    heard: by essence; where a file was not listened to, its own microphones tell who speaks.
    Raises InputError where a file can't be read any more.
    """
    several = [media for media in turnover.dialogue if media.channels > 1]
    progress.step(STEP, len(several) + 1)
    takes = []
    for media in several:
        item = heard.get(media.essence)
        if item is None:
            takes.append(take_microphones(work, media, turns_of(work, media)))
        else:
            turns = [Turn(line.speaker, line.start, line.end) for line in item.lines]
            takes.append(take_microphones(work, media, turns, wearers(work, media)))
        progress.advance(STEP)
    doubled = tuple(_doubled(work, turnover, {take.essence: take for take in takes}))
    progress.advance(STEP)
    return CutMicrophones(tuple(takes), doubled)


def as_json(found: CutMicrophones) -> dict[str, Any]:
    """What `delivery.json` says of the microphones."""
    return {
        "takes": [take_json(take) for take in found.takes],
        "together": [
            {**asdict(item), "audible": item.audible, "sentence": item.sentence}
            for item in found.doubled
        ],
    }


def take_json(take: TakeMicrophones) -> dict[str, Any]:
    """A take's microphones as a program reads them; delays in samples and in milliseconds."""
    rows: list[dict[str, Any]] = []
    for one in take.microphones:
        found = one.alignment
        row = {**asdict(one.microphone), **asdict(one)}
        row.pop("microphone")
        if found is not None:
            row["alignment"]["delay_ms"] = 1000 * found.delay / take.sample_rate
        rows.append(row)
    lines = [
        {
            **asdict(line),
            "microphone": take.name_of(line.channel),
            "heard": [{"channel": channel, **asdict(quality)} for channel, quality in line.heard],
        }
        for line in take.lines
    ]
    return {
        "file": take.file,
        "essence": take.essence,
        "sample_rate": take.sample_rate,
        "reference": take.reference,
        "microphones": rows,
        "lines": lines,
        "notes": list(take.notes),
    }


@dataclass(frozen=True)
class _Laid:
    """An event on the grid of its media's rate. offset: source sample at record sample 0."""

    event: Event
    media: MediaFile
    channel: int
    start: int
    end: int
    offset: int


def _doubled(
    work: Workspace, turnover: Turnover, takes: Mapping[str, TakeMicrophones]
) -> Iterator[Doubled]:
    with OpenSounds() as sounds:
        for first, second in _together(turnover):
            start, end = max(first.start, second.start), min(first.end, second.end)
            media, cut = first.media, turnover.cut
            path = sound_file(media, work.cache)
            reads = [
                _at_gain(sounds, path, item.channel, item.event.gain_db) for item in (first, second)
            ]
            found = _sum(reads, first, second, (start, end), takes.get(media.essence))
            yield Doubled(
                events=(first.event.id, second.event.id),
                record=(_timecode(cut, start, media), _timecode(cut, end, media)),
                file=media.path.name,
                names=(
                    microphone_name(media, first.channel),
                    microphone_name(media, second.channel),
                ),
                sample_rate=media.sample_rate,
                sum=found,
            )


def _together(turnover: Turnover) -> Iterator[tuple[_Laid, _Laid]]:
    """Pairs of sounding events that play other channels of a file within 50 ms of each other."""
    by_file: dict[str, list[_Laid]] = {}
    for laid in _laid(turnover):
        by_file.setdefault(laid.media.essence, []).append(laid)
    for group in by_file.values():
        group.sort(key=lambda item: (item.start, item.event.id))
        for number, first in enumerate(group):
            rate = first.media.sample_rate
            for second in group[number + 1 :]:
                if second.start >= first.end:
                    break
                shared = min(first.end, second.end) - second.start
                apart = abs(first.offset - second.offset)
                near = apart <= _FURTHEST_S * rate and shared >= _SHORTEST_S * rate
                if near and first.channel != second.channel:
                    yield first, second


def _laid(turnover: Turnover) -> Iterable[_Laid]:
    cut = turnover.cut
    for _, event in cut.sounding():
        if event.id not in turnover.links or event.id in turnover.through or event.speed != 1:
            continue
        link = turnover.links[event.id]
        rate = link.media.sample_rate
        start, end = (
            frames_to_samples(cut.start + at, cut.rate.fps, rate)
            for at in (event.record_start, event.record_end)
        )
        if link.channels:
            yield _Laid(event, link.media, link.channels[0], start, end, link.source_start - start)


def _at_gain(sounds: OpenSounds, path: Any, channel: int, gain_db: float) -> Read:
    gain = 10 ** (gain_db / 20)
    return lambda start, frames: gain * sounds.read(path, start, frames, [channel])[:, 0]


def _sum(
    reads: Sequence[Read],
    first: _Laid,
    second: _Laid,
    record: Span,
    take: TakeMicrophones | None,
) -> MonoSum | None:
    """What the two lose together over a stretch of the record; None where that can't be said."""
    rate = first.media.sample_rate
    # In the time of the first event the second plays what lies `apart` samples further on.
    apart = second.offset - first.offset

    def shifted(start: int, frames: int) -> Any:
        return reads[1](start + apart, frames)

    start, end = record[0] + first.offset, record[1] + first.offset
    known = _known(take, first.channel, second.channel)
    if known is not None:
        delay, inverted = known[0] - apart, known[1]
    else:
        turns = () if take is None else take.turns
        spoken = [
            (max(start, turn.start), min(end, turn.end))
            for turn in turns
            if turn.start < end and turn.end > start
        ]
        pauses = pauses_between(turns, first.media.frames, rate)
        found = align(reads[0], shifted, spoken or [(start, end)], pauses, rate)
        if found is None or found.confidence < _SURE:
            return None
        delay, inverted = found.delay, found.inverted
    return mono_sum(reads[0], shifted, start, end - start, rate, delay, inverted=inverted)


def _known(take: TakeMicrophones | None, first: int, second: int) -> tuple[float, bool] | None:
    """By how much one channel of a take comes later than another, and whether it is turned."""
    if take is None:
        return None
    delays = []
    for channel in (first, second):
        found = take.alignment_of(channel)
        if found is None and channel != take.reference:
            return None
        delays.append((found.delay, found.inverted) if found is not None else (0.0, False))
    return delays[1][0] - delays[0][0], delays[1][1] != delays[0][1]


def _timecode(cut: Cut, sample: int, media: MediaFile) -> str:
    return samples_to_timecode(sample, cut.rate, media.sample_rate)
