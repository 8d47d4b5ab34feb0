"""What changed between two versions of a cut.

Edges are cut points: the middle of a dissolve, so that one that came or went trims nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from core.cut import Cut, Event, Fade
from core.match import (
    BASES,
    UNKNOWN,
    Item,
    KnownMedia,
    Pair,
    assignment,
    candidates,
    clock_rate,
    counted_alike,
    expected_moves,
    items_of,
    overlaps,
    reordered,
    tracks_of,
)

HALF = Fraction(1, 2)
_ROUNDING = Fraction(1, 400)
"""Frames that two roundings to a sample come to, at the most."""


class Kind(StrEnum):
    """The main thing that became of an event."""

    KEPT = "kept"
    MOVED = "moved"
    TRIMMED = "trimmed"
    EXTENDED = "extended"
    RETIMED = "retimed"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True)
class Change:
    """What became of one event.

    old, new: the event in both versions. Of an added event `old` is set where its sound was part
    of an old event that is matched with another (a split, a repeat); of a removed one `new` is
    set likewise (a join). medium: `audio` or `video`.
    at: frames of the new record, from its start, where the event starts; of a removed one, where
    it would, had it moved like its neighbours.
    shift: by how far the sound moved in the record. head, tail: what was added (positive) or
    taken at either end. All in frames of the new cut; exact, but whole frames where only one
    version counts parts of frames, or their rates differ.
    retimed: the speed changed. reordered: it passed other events on its way.
    changed: what else differs: `gain`, `automation`, `pan`, `fade in`, `fade out`, `channels`,
    `track`, `on or off`, `pitch`, `role`.
    common: where in the new record, from its start, both versions play the same sound; None
    where they don't or its speed changed.
    """

    kind: Kind
    old: Event | None
    old_track: str
    new: Event | None
    new_track: str
    medium: str
    at: Fraction
    shift: Fraction = Fraction(0)
    head: Fraction = Fraction(0)
    tail: Fraction = Fraction(0)
    retimed: bool = False
    reordered: bool = False
    changed: tuple[str, ...] = ()
    common: tuple[Fraction, Fraction] | None = None

    @property
    def moved(self) -> bool:
        """Whether the sound is elsewhere in the record."""
        return self.shift != 0

    @property
    def trimmed(self) -> bool:
        """Whether something was taken at either end."""
        return self.head < 0 or self.tail < 0

    @property
    def extended(self) -> bool:
        """Whether something was added at either end."""
        return self.head > 0 or self.tail > 0

    @property
    def slipped(self) -> bool:
        """Whether it lies where it lay and plays another stretch of its media."""
        return self.head != 0 and self.head == -self.tail == self.shift


@dataclass(frozen=True)
class ChangeList:
    """Every event of both versions once, in order of the new record."""

    old: Cut
    new: Cut
    changes: tuple[Change, ...]

    def of(self, kind: Kind) -> tuple[Change, ...]:
        """The changes of one kind."""
        return tuple(change for change in self.changes if change.kind is kind)

    @property
    def ripples(self) -> tuple[tuple[Fraction, int], ...]:
        """How many events were only moved by how many frames, the most first."""
        counted = Counter(change.shift for change in self.of(Kind.MOVED) if not change.slipped)
        return tuple(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def changes(
    old: Cut, new: Cut, old_media: KnownMedia = UNKNOWN, new_media: KnownMedia = UNKNOWN
) -> ChangeList:
    """What changed from one version of a cut to another.

    old_media, new_media: what events are known to play, where their media were found. Positions
    are compared by record timecode, in exact seconds where the frame rates differ. Picture is left
    out where one version has none, and sound likewise. Tracks of one version differ in name
    (`with_distinct_tracks`).
    """
    before, after = items_of(old, new, old_media), items_of(new, old, new_media)
    in_both = {item.track.kind for item in before} & {item.track.kind for item in after}
    if in_both:
        before, after = ([i for i in side if i.track.kind in in_both] for side in (before, after))
    pairs = candidates(before, after)
    matched = assignment(before, after, pairs)
    tracks = tracks_of(before, after, matched.items())
    passed = reordered(before, after, matched)
    describe = _Describer(old, new, tracks)
    found = [
        replace(describe.pair(before[i], after[j]), reordered=i in passed)
        for i, j in matched.items()
    ]
    found += _lone(before, after, pairs, matched, describe)
    ordered = sorted(found, key=lambda item: (item.at, item.new_track or item.old_track))
    return ChangeList(old, new, tuple(ordered))


class _Describer:
    """Says what differs between two events that are one.

    near: below how many frames a difference is one of counting only.
    """

    def __init__(self, old: Cut, new: Cut, tracks: Mapping[str, str]) -> None:
        self.fps = new.rate.fps
        self.start = Fraction(new.start) / clock_rate(new, old) * self.fps
        self.ratio = new.rate.fps / old.rate.fps
        self.tracks = tracks
        counts_parts = [_counts_parts(cut) for cut in (old, new)]
        self.near = HALF if self.ratio != 1 or counts_parts[0] != counts_parts[1] else Fraction(0)

    def pair(self, one: Item, other: Item) -> Change:
        """The change from an old event to the new one that it became."""
        old, new = one.event, other.event
        retimed = old.speed != new.speed or old.variable_speed != new.variable_speed
        head, tail = self._ends(one, other)
        shift = (other.first - one.first) * self.fps + head
        head, tail, shift = (self._counted(value) for value in (head, tail, shift))
        head = Fraction(0) if self._explained(old.fade_in, new.fade_in, head) else head
        tail = Fraction(0) if self._explained(old.fade_out, new.fade_out, tail) else tail
        net = head + tail
        kind = Kind.KEPT
        if retimed:
            kind = Kind.RETIMED
        elif net or ((head or tail) and head != shift):
            kind = Kind.EXTENDED if net > 0 else Kind.TRIMMED
        elif shift:
            kind = Kind.MOVED
        return Change(
            kind=kind,
            old=old,
            old_track=one.track.name,
            new=new,
            new_track=other.track.name,
            medium=other.track.kind,
            at=self.place(other.first),
            shift=shift,
            head=head,
            tail=tail,
            retimed=retimed,
            common=None if retimed else self._common(one, other, shift),
            changed=tuple(self._else(one, other)),
        )

    def place(self, seconds: Fraction) -> Fraction:
        """Frames of the new record, from its start, of a second of timecode."""
        return seconds * self.fps - self.start

    def _ends(self, one: Item, other: Item) -> tuple[Fraction, Fraction]:
        """Frames added at the start and at the end, by what is played there."""
        basis = next(b for b in BASES if overlaps(one, other, b))
        speed = other.event.speed
        if speed * one.event.speed <= 0:
            tail = (other.last - other.first) - (one.last - one.first)
            return Fraction(0), tail * self.fps
        head = one.plays(one.first, basis) - other.plays(other.first, basis)
        tail = other.plays(other.last, basis) - one.plays(one.last, basis)
        ends = head / speed * self.fps, tail / speed * self.fps
        # Known positions are whole samples, each rounded on its own.
        return (_unrounded(ends[0]), _unrounded(ends[1])) if basis == "known" else ends

    def _common(self, one: Item, other: Item, shift: Fraction) -> tuple[Fraction, Fraction] | None:
        start = max(self.place(one.first) + shift, self.place(other.first))
        end = min(self.place(one.last) + shift, self.place(other.last))
        return (start, end) if start < end else None

    def _counted(self, frames: Fraction) -> Fraction:
        return Fraction(round(frames)) if self.near else frames

    def _explained(self, old: Fade | None, new: Fade | None, frames: Fraction) -> bool:
        """Whether a dissolve that came or went, and its place about the cut, is all there is."""
        lengths = self._lengths(old, new)
        return lengths[0] != lengths[1] and abs(frames) <= max(lengths) / 2

    def _lengths(self, old: Fade | None, new: Fade | None) -> tuple[Fraction, Fraction]:
        before = old.length * self.ratio if old else Fraction(0)
        return before, new.length if new else Fraction(0)

    def _else(self, one: Item, other: Item) -> Iterator[str]:
        """What differs beside places."""
        old, new = one.event, other.event
        for name, fades in (
            ("fade in", (old.fade_in, new.fade_in)),
            ("fade out", (old.fade_out, new.fade_out)),
        ):
            lengths = self._lengths(*fades)
            shapes = {fade.shape for fade in fades if fade}
            if abs(lengths[0] - lengths[1]) > self.near or len(shapes) > 1:
                yield name
        points = [
            tuple((self._counted(p.at * scale), p.gain_db) for p in event.automation)
            for event, scale in ((old, self.ratio), (new, Fraction(1)))
        ]
        heard = [item.event.sounds and item.track.sounds for item in (one, other)]
        expected_track = self.tracks.get(one.track.name, one.track.name)
        yield from (
            name
            for name, differs in (
                ("gain", abs(old.gain_db - new.gain_db) > 0.01),
                ("automation", points[0] != points[1]),
                ("pan", (old.pan or 0.0) != (new.pan or 0.0)),
                (
                    "channels",
                    bool(old.channels and new.channels)
                    and counted_alike(one, other)
                    and old.channels != new.channels,
                ),
                ("track", other.track.name != expected_track),
                ("on or off", heard[0] != heard[1]),
                ("pitch", old.keeps_pitch != new.keeps_pitch),
                ("role", bool(old.role and new.role) and old.role != new.role),
            )
            if differs
        )


def _unrounded(frames: Fraction) -> Fraction:
    whole = Fraction(round(frames))
    return whole if abs(frames - whole) <= _ROUNDING else frames


def _counts_parts(cut: Cut) -> bool:
    """Whether a cut has events that start or end between two frames."""
    places = (p for t in cut.tracks for e in t.events for p in (e.record_start, e.record_end))
    return any(place.denominator != 1 for place in places)


def _lone(
    before: Sequence[Item],
    after: Sequence[Item],
    pairs: Sequence[Pair],
    matched: Mapping[int, int],
    describe: _Describer,
) -> Iterator[Change]:
    """Events of one version only."""
    taken = set(matched.values())
    heaviest = sorted(pairs, key=lambda pair: pair.weight)
    sources = {pair.j: pair.i for pair in heaviest}
    targets = {pair.i: pair.j for pair in heaviest}
    expected = expected_moves(before, after, matched)
    for i, item in enumerate(before):
        if i in matched:
            continue
        moved = Fraction(round(expected(float(item.first)) * float(describe.fps)))
        at, track = describe.place(item.first) + moved, item.track
        change = Change(Kind.REMOVED, item.event, track.name, None, "", track.kind, at)
        if i in targets:
            change = replace(describe.pair(item, after[targets[i]]), kind=Kind.REMOVED, at=at)
        yield change
    for j, item in enumerate(after):
        if j in taken:
            continue
        at, track = describe.place(item.first), item.track
        change = Change(Kind.ADDED, None, "", item.event, track.name, track.kind, at)
        if j in sources:
            change = replace(describe.pair(before[sources[j]], item), kind=Kind.ADDED)
        yield change
