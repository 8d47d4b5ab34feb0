"""Whether a conformed cut agrees with the picture department's mixdown, event by event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adapters.media.decode import OpenSounds, Sound, at_rate, sound_file
from adapters.media.probe import probe
from core.conform import Placement, cut_length, placements, render, start_sample
from core.cut import Cut, Event
from core.media import MediaFile
from flows.pictures import record_range
from flows.progress import Progress
from flows.turnover import Turnover, hash_media, read_turnover
from flows.workspace import Workspace
from models.sync import (
    ENVELOPE_HZ,
    Match,
    SyncOptions,
    envelope,
    find,
    rms_dbfs,
    rough_offset,
    without,
)

Samples = NDArray[np.float64]
STEP = "Comparing"
SURE_ROUGHLY = 8.0
LEAST_MIXED = 0.15
"""Confidence below which what others cover is not judged: it may be their sound that was found."""
"""Sharpness from which a rough offset by level is believed at first."""


class Verdict(StrEnum):
    """What came of an event."""

    IN_SYNC = "in sync"
    OUT = "out"
    ABSENT = "absent"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True)
class EventSync:
    """How an event agrees with the guide.

    samples: by how many samples of the session's rate the guide has it later than the cut, the
    global offset taken off; 0 where it was not found. confidence: 0 to 1, the correlation. why:
    a phrase, of what was not judged or judged under difficulties. record: timecodes in and out.
    """

    event_id: str
    record: tuple[str, str]
    verdict: Verdict
    samples: float
    confidence: float
    why: str = ""


@dataclass(frozen=True)
class SyncReport:
    """What came of a comparison.

    offset: samples by which the guide as a whole lies later than its place. placed: `time
    reference` or `start of the cut`. inverted: events that the guide has in turned polarity.
    """

    sample_rate: int
    offset: float
    placed: str
    events: tuple[EventSync, ...]
    inverted: int
    notes: tuple[str, ...]

    def of(self, verdict: Verdict) -> tuple[EventSync, ...]:
        """The events of one verdict."""
        return tuple(event for event in self.events if event.verdict is verdict)

    def agrees(self, options: SyncOptions) -> bool:
        """Whether nothing is out or absent, nor a guide with a time reference displaced."""
        displaced = abs(self.offset) > options.tolerance_s * self.sample_rate
        wrong = self.of(Verdict.OUT) or self.of(Verdict.ABSENT)
        return not wrong and not (displaced and self.placed == BY_REFERENCE)


BY_REFERENCE, BY_START = "time reference", "start of the cut"


def compare_with_guide(
    work: Workspace,
    cut: Path,
    guide: Path,
    roots: Sequence[Path],
    options: SyncOptions,
    progress: Progress,
) -> SyncReport:
    """Conform the originals of a cut and hold each production event against a guide.

    roots: folders that hold the media. Nothing is written but to the cache. Raises InputError
    where the cut or the guide can't be read, OfflineError where no media were found.
    """
    turnover = read_turnover(work, cut, roots, progress)
    file = hash_media(work, probe(guide))
    with ExitStack() as stack:
        sounds = stack.enter_context(OpenSounds())
        rate = work.settings.sample_rate
        heard = stack.enter_context(
            Sound(at_rate(sound_file(file, work.cache), rate, work.cache, file.essence))
        )
        first, placed = _guide_place(turnover.cut, file, rate, heard.frames)
        record = _Record(work, turnover, sounds)
        listener = _Guide(heard, first)
        progress.step(STEP, len(record.judged))
        rough = _rough(record, listener)
        found = {
            item.event_id: _measured(record, listener.moved(rough), item, options, progress)
            for item in record.judged
        }
        offset = rough + _common(found, options, rate)
    events = tuple(
        _judged(turnover.cut, event, found.get(event.id), offset - rough, record, options)
        for _, event in turnover.cut.sounding()
        if event.id not in turnover.through
    )
    turned = [f for f in found.values() if isinstance(f, _Found) and f.sure(options)]
    inverted = sum(item.match.inverted for item in turned)
    return SyncReport(rate, offset, placed, events, inverted, turnover.notes)


def _guide_place(cut: Cut, file: MediaFile, rate: int, frames: int) -> tuple[int, str]:
    """Sample of the guide where the cut starts, by its time reference where that fits the cut."""
    reference = file.notes.time_reference
    if reference is not None:
        first = start_sample(cut, rate) - round(reference * rate / file.sample_rate)
        if first < frames and first + cut_length(cut, rate) > 0:
            return first, BY_REFERENCE
    return 0, BY_START


class _Guide:
    """A guide's sound by samples of the record, mono."""

    def __init__(self, sound: Sound, first: int) -> None:
        self._sound = sound
        self._first = first

    def moved(self, samples: int) -> _Guide:
        """The guide, lying earlier by so many samples."""
        return _Guide(self._sound, self._first + samples)

    def read(self, start: int, count: int) -> Samples:
        """Samples start … start + count of the record; silence outside the guide."""
        every = range(self._sound.channels)
        mono: Samples = self._sound.read(self._first + start, count, every).mean(axis=1)
        return mono


class _Record:
    """The conformed originals of a cut, mono, an event or a track at a time."""

    def __init__(self, work: Workspace, turnover: Turnover, sounds: OpenSounds) -> None:
        self.rate = work.settings.sample_rate
        cut = turnover.cut
        self.total = cut_length(cut, self.rate)
        # A changed speed sounds otherwise in every editor, so such events are no measure.
        plain = {event.id for _, event in cut.sounding() if event.speed == 1}
        sources = {k: v for k, v in turnover.sources.items() if k in plain}
        self.laid = placements(cut, sources, self.rate)
        self.judged = [item for item in self.laid if item.event_id not in turnover.through]
        self._sounds = sounds
        self._paths: dict[str, Path] = {}
        for link in turnover.links.values():
            take = turnover.take_of(link.event_id).id
            if take not in self._paths and link.event_id in plain:
                source = sound_file(link.media, work.cache)
                self._paths[take] = at_rate(source, self.rate, work.cache, link.media.essence)

    def event(self, item: Placement, start: int, count: int) -> Samples:
        """An event's sound from a sample of the record on, silence outside the event."""
        sound: Samples = render([item], start, count, len(item.channels), self._read).mean(axis=1)
        return sound

    def sum(self, start: int, count: int) -> Samples:
        """All events together."""
        near = [i for i in self.laid if i.record_start < start + count and i.record_end > start]
        return sum((self.event(item, start, count) for item in near), np.zeros(count))

    def beside(self, item: Placement, start: int, end: int) -> list[Placement]:
        """Other events that sound between two samples."""
        return [
            other
            for other in self.laid
            if other is not item and other.record_start < end and other.record_end > start
        ]

    def _read(self, item: Placement, start: int, count: int) -> Samples:
        return self._sounds.read(self._paths[item.take], start, count, item.channels)


@dataclass(frozen=True)
class _Found:
    """A measured event. mixed: it never sounds alone, so others were taken out."""

    match: Match
    samples: int
    mixed: bool

    def sure(self, options: SyncOptions) -> bool:
        """Whether it was found at all."""
        return self.match.sharpness >= options.least_sharpness


def _rough(record: _Record, guide: _Guide) -> int:
    """By how many samples the guide seems to lie later, by its level alone; 0 where unclear."""
    block = record.rate * 10
    parts: tuple[list[Samples], list[Samples]] = ([], [])
    for start in range(0, record.total, block):
        count = min(block, record.total - start)
        parts[0].append(envelope(record.sum(start, count), record.rate))
        parts[1].append(envelope(guide.read(start, count), record.rate))
    steps, sharpness = rough_offset(np.concatenate(parts[0]), np.concatenate(parts[1]))
    return steps * (record.rate // ENVELOPE_HZ) if sharpness >= SURE_ROUGHLY else 0


def _measured(
    record: _Record, guide: _Guide, item: Placement, options: SyncOptions, progress: Progress
) -> _Found | str:
    """Where the guide has an event, or why that can't be said."""
    progress.advance(STEP)
    rate, reach = record.rate, round(options.window_s * record.rate)
    start = item.record_start + item.fade_in
    end = item.record_end - item.fade_out
    shortest = round(options.shortest_s * rate)
    if end - start < shortest:
        return f"shorter than {options.shortest_s:g} s"
    alone = [span for span in _alone(record, item, start, end) if span[1] - span[0] >= shortest]
    spans = [_loudest(record, item, span, options) for span in alone or [(start, end)]]
    levels = [rms_dbfs(record.event(item, first, last - first)) for first, last in spans]
    best = int(
        np.argmax(
            [level + 5 * np.log10(b - a) for level, (a, b) in zip(levels, spans, strict=True)]
        )
    )
    first, last = spans[best]
    if levels[best] < options.quiet_dbfs:
        return f"quieter than {options.quiet_dbfs:g} dBFS"
    sound = record.event(item, first - reach, last - first + 2 * reach)
    heard = guide.read(first - reach, last - first + 2 * reach)
    if not alone:
        for other in record.beside(item, first - reach, last + reach):
            beside = record.event(other, first - reach, last - first + 2 * reach)
            sound, heard = without(sound, beside), without(heard, beside)
    inside = sound[reach : len(sound) - reach]
    if rms_dbfs(inside) < options.quiet_dbfs:
        return "not told from what sounds with it"
    return _Found(find(inside, heard, rate, options), last - first, not alone)


def _alone(record: _Record, item: Placement, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of a stretch in which no other event sounds."""
    at = start
    for other in sorted(record.beside(item, start, end), key=lambda other: other.record_start):
        if other.record_start > at:
            yield at, min(other.record_start, end)
        at = max(at, other.record_end)
    if at < end:
        yield at, end


def _loudest(
    record: _Record, item: Placement, span: tuple[int, int], options: SyncOptions
) -> tuple[int, int]:
    """The loudest part of a stretch, of at most the longest length that is compared."""
    start, end = span
    longest = round(options.longest_s * record.rate)
    if end - start <= longest:
        return span
    starts = list(range(start, end, record.rate))
    energy = [
        float(np.sum(np.square(record.event(item, at, min(record.rate, end - at)))))
        for at in starts
    ]
    whole = longest // record.rate
    sums = np.convolve(energy, np.ones(whole), "valid")
    first = starts[int(np.argmax(sums))]
    return first, min(first + longest, end)


def _common(found: Mapping[str, _Found | str], options: SyncOptions, rate: int) -> float:
    """The lag that most of the sound has, in samples; 0 where nothing was found."""
    sure = [item for item in found.values() if isinstance(item, _Found) and item.sure(options)]
    near = options.tolerance_s * rate

    def support(lag: float) -> tuple[int, float]:
        return sum(f.samples for f in sure if abs(f.match.lag - lag) <= near), -abs(lag)

    if not sure:
        return 0.0
    most = max((item.match.lag for item in sure), key=support)
    if abs(most) <= near and support(0.0)[0] >= support(most)[0]:
        return 0.0
    return float(np.median([f.match.lag for f in sure if abs(f.match.lag - most) <= near]))


def _judged(
    cut: Cut,
    event: Event,
    found: _Found | str | None,
    common: float,
    record: _Record,
    options: SyncOptions,
) -> EventSync:
    record_in_out = record_range(cut, event)
    if found is None:
        changed = event.speed != 1 or event.variable_speed
        why = "its speed is changed" if changed else "its media are offline"
        return EventSync(event.id, record_in_out, Verdict.NOT_JUDGED, 0.0, 0.0, why)
    if isinstance(found, str):
        return EventSync(event.id, record_in_out, Verdict.NOT_JUDGED, 0.0, 0.0, found)
    why = "sounds together with others throughout" if found.mixed else ""
    confidence = round(found.match.confidence, 3)
    if not found.sure(options) or (found.mixed and confidence < LEAST_MIXED):
        # What others cover may be there and not be heard.
        verdict = Verdict.NOT_JUDGED if found.mixed else Verdict.ABSENT
        return EventSync(event.id, record_in_out, verdict, 0.0, confidence, why)
    lag = found.match.lag - common
    out = abs(lag) > options.tolerance_s * record.rate
    verdict = Verdict.OUT if out else Verdict.IN_SYNC
    return EventSync(event.id, record_in_out, verdict, round(lag, 2), confidence, why)
