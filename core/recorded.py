"""Where the lines of takes lie in a cut that plays them.

An event is heard from the middle of its fade-in to the middle of its fade-out, where a dissolve
changes over. A word is in the cut where at least half of it is heard.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise

from core.conform import Placement, envelope
from core.speech import Word
from core.spotting import LINE, Spot, in_order, with_overlaps
from core.time import round_half_up

Span = tuple[int, int]

SAME_PLACE_S = Fraction(1, 50)
"""Microphones of a take are laid as one where they differ by less: an editor aligns them."""
SAME_WORDS_S = Fraction(1, 4)
"""Words alike that start and end within this are one utterance, heard by two recordings."""
LEAST_S = Fraction(1, 4)
"""A turn without words, or a long event, is in the cut where this much of it is."""


@dataclass(frozen=True)
class Playing:
    """An event of a cut and what the take that it plays holds.

    spots: in samples of the take's file, whose rate is file_rate. key: names the recording.
    absent: speakers who have a microphone of their own in this take that the event does not
    play: their lines are not taken from it.
    """

    placement: Placement
    key: str
    file_rate: int
    spots: tuple[Spot, ...]
    absent: frozenset[str] = frozenset()


@dataclass
class _Heard:
    """A spot of a take at one place of the record, with the stretches of it that are heard."""

    spot: Spot
    key: str
    offset: int
    speed: Fraction
    whole: list[Span] = field(default_factory=list)
    words: dict[int, list[Span]] = field(default_factory=lambda: defaultdict(list))
    lengths: dict[int, int] = field(default_factory=dict)
    length: int = 0
    events: list[str] = field(default_factory=list)
    tracks: list[str] = field(default_factory=list)


def recorded(playing: Iterable[Playing], sample_rate: int) -> tuple[Spot, ...]:
    """The spots of takes in samples of the record, in order, trimmed to what is heard.

    sample_rate: of the placements, in Hz. What a cut plays twice is there twice; what it plays
    on two tracks at one place is there once. A line that a cut goes on with after an edit stays
    one line; one with words missing in the middle is two.
    """
    heard: dict[tuple[str, int], list[_Heard]] = defaultdict(list)
    for item in playing:
        _listen(item, sample_rate, heard)
    least = round_half_up(LEAST_S * sample_rate)
    found = [spot for group in heard.values() for one in group for spot in _spots(one, least)]
    return with_overlaps(_once(found, round_half_up(SAME_WORDS_S * sample_rate)))


def audible(placement: Placement) -> Span:
    """First sample of the record at which an event is heard, and one past the last."""
    first = placement.record_start + max(0, placement.fade_in // 2 - placement.before)
    last = placement.record_end - max(0, placement.fade_out // 2 - placement.after)
    return first, max(first, last)


def record_sample(placement: Placement, sample: int, file_rate: int, sample_rate: int) -> int:
    """The record sample that plays a sample of the file (also beyond the event's ends)."""
    played = Fraction(sample * sample_rate, file_rate) / placement.speed
    return placement.record_start + round_half_up(played) - placement.source_start


def _listen(item: Playing, sample_rate: int, heard: dict[tuple[str, int], list[_Heard]]) -> None:
    """Enter what an event plays of its take."""
    laid = item.placement
    bounds = audible(laid)
    if laid.gain == 0.0 or bounds[0] >= bounds[1]:
        return

    def place(start: int, end: int) -> Span:
        return (
            record_sample(laid, start, item.file_rate, sample_rate),
            record_sample(laid, end, item.file_rate, sample_rate),
        )

    for number, spot in enumerate(item.spots):
        whole = place(spot.start, spot.end)
        part = _common(whole, bounds)
        other = spot.channel is not None and spot.channel not in laid.channels
        if part is None or other or spot.speaker in item.absent:
            continue
        one = _at(
            heard[item.key, number], item, spot, whole, round_half_up(SAME_PLACE_S * sample_rate)
        )
        one.whole.append(part)
        one.events.append(laid.event_id)
        one.tracks.append(laid.track)
        for index, word in enumerate(spot.words):
            span = place(word.start, word.end)
            one.lengths[index] = span[1] - span[0]
            inside = _common(span, bounds)
            if inside is not None and not _muted(laid, inside):
                one.words[index].append(inside)


def _at(group: list[_Heard], item: Playing, spot: Spot, whole: Span, near: int) -> _Heard:
    """The entry of a spot at a place of the record, made where there is none."""
    speed = item.placement.speed
    for one in group:
        if one.speed == speed and abs(one.offset - whole[0]) <= near:
            return one
    made = _Heard(spot, item.key, whole[0], speed, length=whole[1] - whole[0])
    group.append(made)
    return made


def _common(one: Span, two: Span) -> Span | None:
    """What two stretches share; a point inside the second shares itself."""
    start, end = max(one[0], two[0]), min(one[1], two[1])
    if one[0] == one[1]:
        return one if two[0] <= one[0] < two[1] else None
    return (start, end) if start < end else None


def _muted(placement: Placement, inside: Span) -> bool:
    """Whether gain silences a stretch of the record, by its middle."""
    if not placement.automation:
        return False
    middle = (inside[0] + inside[1]) // 2 - placement.record_start
    gains = envelope(placement, middle, 1)
    return gains is not None and float(gains[0]) == 0.0


def _spots(one: _Heard, least: int) -> Iterator[Spot]:
    """What is heard of a spot: whole, in runs of words, or not at all."""
    first, last = min(start for start, _ in one.whole), max(end for _, end in one.whole)
    total = _total(one.whole)
    if not one.spot.words:
        if 2 * total >= one.length or total >= least:
            yield _spot(one, (first, last), (one.spot.start, one.spot.end), (), total < one.length)
        return
    kept = [
        index
        for index in range(len(one.spot.words))
        if 2 * _total(one.words.get(index, [])) >= one.lengths[index] and one.words.get(index)
    ]
    for run in _runs(kept):
        words = tuple(_word(one, index) for index in run)
        whole = len(run) == len(one.spot.words)
        start = first if run[0] == 0 else words[0].start
        end = last if run[-1] == len(one.spot.words) - 1 else words[-1].end
        start = min([start, *(word.start for word in words)])
        end = max([end, *(word.end for word in words)])
        said = one.spot.words
        source = (
            one.spot.start if run[0] == 0 else said[run[0]].start,
            one.spot.end if run[-1] == len(said) - 1 else said[run[-1]].end,
        )
        yield _spot(one, (start, end), source, words, not whole)


def _word(one: _Heard, index: int) -> Word:
    spans = one.words[index]
    start, end = min(span[0] for span in spans), max(span[1] for span in spans)
    return replace(one.spot.words[index], start=start, end=end)


def _spot(one: _Heard, place: Span, source: Span, words: tuple[Word, ...], trimmed: bool) -> Spot:
    return replace(
        one.spot,
        start=place[0],
        end=place[1],
        words=words,
        source=source,
        trimmed=trimmed,
        events=tuple(dict.fromkeys(one.events)),
        tracks=tuple(dict.fromkeys(one.tracks)),
        key=one.key,
    )


def _total(spans: Sequence[Span]) -> int:
    """Samples that the stretches cover, none counted twice."""
    covered, until = 0, None
    for start, end in sorted(spans):
        first = start if until is None else max(start, until)
        covered += max(0, end - first)
        until = end if until is None else max(until, end)
    return covered


def _runs(indices: Sequence[int]) -> Iterator[list[int]]:
    """Stretches of indices that follow one another."""
    if not indices:
        return
    run = [indices[0]]
    for before, index in pairwise(indices):
        if index != before + 1:
            yield run
            run = []
        run.append(index)
    yield run


def _once(found: Sequence[Spot], near: int) -> list[Spot]:
    """The spots, each once where two recordings give the same words at one place."""
    kept: list[Spot] = []
    for spot in in_order(found):
        twin = _twin(kept, spot, near)
        if twin is None:
            kept.append(spot)
            continue
        other = kept[twin]
        best = max(other, spot, key=_trust)
        kept[twin] = replace(
            best,
            speaker=best.speaker or other.speaker or spot.speaker,
            tracks=tuple(dict.fromkeys((*other.tracks, *spot.tracks))),
            events=tuple(dict.fromkeys((*other.events, *spot.events))),
        )
    return kept


def _twin(kept: Sequence[Spot], spot: Spot, near: int) -> int | None:
    """Which of the spots so far, in order, says the same at the same place."""
    for number in range(len(kept) - 1, -1, -1):
        other = kept[number]
        # What was kept may start a little later than its twin that it took the place of.
        if spot.start - other.start > 2 * near:
            return None
        if abs(spot.start - other.start) <= near and _alike(spot, other, near):
            return number
    return None


def _alike(one: Spot, two: Spot, near: int) -> bool:
    if one.kind != LINE or two.kind != LINE or abs(one.end - two.end) > near:
        return False
    shared = min(one.end, two.end) - max(one.start, two.start)
    if 2 * shared < min(one.end - one.start, two.end - two.start):
        return False
    if one.speaker and two.speaker and one.speaker != two.speaker:
        return False
    words = _folded(one.text)
    return bool(words) and words == _folded(two.text)


def _folded(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _trust(spot: Spot) -> tuple[bool, bool, float]:
    return not spot.draft, bool(spot.speaker), spot.confidence
