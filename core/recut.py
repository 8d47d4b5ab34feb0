"""Where the old record lies in the new one, and the new cut as stretches of the old record.

With it a stem or an editor's own track follows a change of the cut without its sources.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from core.cut import Cut, Event, Fade, MediaReference, Track
from core.match import clock_rate
from core.reconform import Change, ChangeList, Kind

CROSSFADE_S = Fraction(1, 100)
TRACK = "A1"


@dataclass(frozen=True)
class Segment:
    """A stretch of the old record that is heard in the new one.

    old_start: frames of the old cut from its start. new_start, length: frames of the new cut.
    joins_before, joins_after: whether another segment touches it there.
    """

    old_start: Fraction
    new_start: Fraction
    length: Fraction
    joins_before: bool = False
    joins_after: bool = False

    @property
    def new_end(self) -> Fraction:
        """Frames from the start of the new cut to just past the segment."""
        return self.new_start + self.length


@dataclass(frozen=True)
class _Stretch:
    """A stretch of the new record, and by how much it lies later than in the old one.

    All in frames of the new cut from its start; the old cut starts at `origin` (of `_Frames`).
    """

    start: Fraction
    end: Fraction
    shift: Fraction


@dataclass(frozen=True)
class _Frames:
    """Both records in frames of the new cut, counted from its start.

    ratio: new frames for an old one. origin: where the old cut starts. end: where it ends.
    """

    ratio: Fraction
    origin: Fraction
    end: Fraction
    new_end: Fraction


def record_map(found: ChangeList) -> tuple[Segment, ...]:
    """Which stretches of the old record are heard where in the new one, in order.

    At each place the move that most tracks made decides, picture among them; of moves that are
    as many, that of the stretch before. What is new is left out, and so is what was retimed. A
    stretch where neither version has an event goes along where both its sides moved alike, and
    at the ends of the cut where it did not move against them.
    """
    frames = _frames(found)
    voted = _votes(found.changes)
    old_busy, new_busy = _busy(found, frames)
    bridged: list[_Stretch] = []
    for stretch in _with_ends(voted, frames):
        last = bridged[-1] if bridged else None
        if last is not None and last.shift == stretch.shift:
            free = _free(new_busy, last.end, stretch.start) and _free(
                old_busy, last.end - last.shift, stretch.start - stretch.shift
            )
            if free:
                bridged[-1] = replace(last, end=stretch.end)
                continue
        bridged.append(stretch)
    return _joined([item for item in bridged if item.end > item.start], frames)


def recut(found: ChangeList, segments: Sequence[Segment], crossfade_s: Fraction) -> Cut:
    """The new cut as events that play the old record.

    Its one track's events have as source the old record's timecode and as reel the old cut's
    name. crossfade_s: seconds of the equal-power crossfade about each join, 0 for none; where a
    segment borders on silence it starts and ends as it is.
    """
    old, new = found.old, found.new
    frames = _frames(found)
    base = _timecode_base(found)
    media = MediaReference(
        name=old.name,
        reel=old.name,
        available_start=base,
        available_length=old.length * frames.ratio,
    )
    halves = [
        min(crossfade_s * new.rate.fps, one.length, two.length) / 2 if one.joins_after else 0
        for one, two in itertools.pairwise(segments)
    ]
    events = []
    for number, (segment, before, after) in enumerate(
        zip(segments, [0, *halves], [*halves, 0], strict=False), 1
    ):
        events.append(
            Event(
                id=f"{TRACK}/{number:03d}",
                record_start=segment.new_start - before,
                record_length=segment.length + before + after,
                source_start=base + segment.old_start * frames.ratio - before,
                media=media,
                fade_in=Fade(Fraction(2 * before)) if before else None,
                fade_out=Fade(Fraction(2 * after)) if after else None,
            )
        )
    return replace(new, tracks=(Track(TRACK, tuple(events)),), markers=(), warnings=())


def _timecode_base(found: ChangeList) -> Fraction:
    """The old cut's start as timecode in frames of the new one."""
    old, new = found.old, found.new
    if old.rate.fps == new.rate.fps:
        return Fraction(old.start)
    return Fraction(old.start) * new.rate.nominal / old.rate.nominal


def _frames(found: ChangeList) -> _Frames:
    old, new = found.old, found.new
    ratio = new.rate.fps / old.rate.fps
    seconds = old.start / clock_rate(old, new) - new.start / clock_rate(new, old)
    start = seconds * new.rate.fps
    return _Frames(ratio, start, start + old.length * ratio, new.length)


def _votes(changes: Iterable[Change]) -> list[_Stretch]:
    """Stretches of the new record with the move that most events there made."""
    opens: dict[Fraction, Counter[Fraction]] = defaultdict(Counter)
    closes: dict[Fraction, Counter[Fraction]] = defaultdict(Counter)
    for change in changes:
        if change.common is not None:
            start, end = change.common
            opens[start][change.shift] += _weight(change)
            closes[end][change.shift] += _weight(change)
    active: Counter[Fraction] = Counter()
    found: list[_Stretch] = []
    for start, end in itertools.pairwise(sorted({*opens, *closes})):
        active.update(opens[start])
        active.subtract(closes[start])
        active = +active
        if not active:
            continue
        before = found[-1] if found and found[-1].end == start else None
        most = max(active.values())
        best = [shift for shift, count in active.items() if count == most]
        shift = before.shift if before and before.shift in best else best[0]
        if before and before.shift == shift:
            found[-1] = replace(before, end=end)
        else:
            found.append(_Stretch(start, end, shift))
    return found


def _weight(change: Change) -> int:
    """An event's vote: split and joined ones count where nothing else does, picture breaks ties."""
    if change.kind in (Kind.ADDED, Kind.REMOVED):
        return 1
    return 3000 if change.medium == "video" else 2000


def _with_ends(voted: Sequence[_Stretch], frames: _Frames) -> Iterator[_Stretch]:
    """The stretches between the starts and the ends of both versions, as points of no length."""
    yield _Stretch(Fraction(0), Fraction(0), -frames.origin)
    yield from voted
    yield _Stretch(frames.new_end, frames.new_end, frames.new_end - frames.end)


_Spans = list[tuple[Fraction, Fraction]]


def _busy(found: ChangeList, frames: _Frames) -> tuple[_Spans, _Spans]:
    """Where either version has an event, in frames of the new cut from its start."""
    old = _events(found.old)
    return (
        _merged(
            (
                frames.origin + event.record_start * frames.ratio,
                frames.origin + event.record_end * frames.ratio,
            )
            for event in old
        ),
        _merged((event.record_start, event.record_end) for event in _events(found.new)),
    )


def _events(cut: Cut) -> Iterator[Event]:
    return (event for track in cut.tracks for event in track.events)


def _merged(spans: Iterable[tuple[Fraction, Fraction]]) -> _Spans:
    merged: _Spans = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _free(busy: _Spans, start: Fraction, end: Fraction) -> bool:
    """Whether no span has a part between two places."""
    at = bisect_left(busy, end, key=lambda span: span[0])
    return at == 0 or busy[at - 1][1] <= start


def _joined(stretches: Sequence[_Stretch], frames: _Frames) -> tuple[Segment, ...]:
    touching = [one.end == two.start for one, two in itertools.pairwise(stretches)]
    return tuple(
        Segment(
            (stretch.start - stretch.shift - frames.origin) / frames.ratio,
            stretch.start,
            stretch.end - stretch.start,
            before,
            after,
        )
        for stretch, before, after in zip(
            stretches, [False, *touching], [*touching, False], strict=False
        )
    )
