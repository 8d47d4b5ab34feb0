"""Which event of one version of a cut is which of the other, whatever format each came in.

The same media is what is known to be, else what is named alike: file, clip, slate, reel or
material id, as far as both versions say. Candidates share a stretch of source. Among several the
assignment of the greatest total weight is taken: overlap weighs most, then an equal range, the
track, and how well the move agrees with that of unmistakable events around it.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from core.cut import Cut, Event, MediaReference, Track

_SLATE = re.compile(r"([a-z]{0,2}\d{1,4}[a-z]{0,3})\s*[-_/ ]\s*t?(\d{1,3})(?:\..*)?")
_SUFFIX = re.compile(r"(\.(new|sub|copy|dub)\.\d+|\.[a-z0-9]{2,4})+$")
_NO_REEL = ("", "ax", "bl", "black", "unknown")
_EDL_REEL = 8
_CANDIDATES = 40
_EXACT_ASSIGNMENT = 400
_LEAST_S = 1e-6
BASES = ("known", "timecode", "start")
"""Ways to compare places in a medium, the surest first. Timecode goes before the place in the
file, for a consolidated file starts elsewhere."""


@dataclass(frozen=True)
class Known:
    """What an event is known to play. essence: names the media, alike in both versions.

    start: seconds from the first sample of the media to what the first record frame plays.
    """

    essence: str
    start: Fraction


KnownMedia = Mapping[str, Known]
"""By event id."""

UNKNOWN: KnownMedia = MappingProxyType({})


@dataclass(frozen=True)
class _Identity:
    """What names the media of an event."""

    essence: str
    material: str
    stems: frozenset[str]
    name: str
    slate: tuple[str, str] | None
    reel: str
    length: Fraction | None

    @property
    def tokens(self) -> Iterator[tuple[str, object]]:
        """What it is looked up by."""
        named = {*self.stems, self.name} - {""}
        yield from (("name", name) for name in named)
        single = ("essence", "material", "slate", "reel")
        yield from ((field, value) for field in single if (value := getattr(self, field)))


@dataclass(frozen=True)
class Item:
    """An event in seconds of its version.

    first, last: cut points in the record. source: where its first frame lies in its media, by
    `known` media, by `timecode`, and from the file's `start`, as far as that is known.
    """

    event: Event
    track: Track
    first: Fraction
    last: Fraction
    record: Fraction
    length: Fraction
    source: Mapping[str, Fraction]
    identity: _Identity

    def plays(self, at: Fraction, basis: str) -> Fraction:
        """Second of the media that is heard at a second of the record."""
        return self.source[basis] + (at - self.record) * self.event.speed


def items_of(cut: Cut, other: Cut, known: KnownMedia) -> list[Item]:
    """The events of a version, its record in seconds by its timecode."""
    counted = clock_rate(cut, other)
    fps, start = cut.rate.fps, cut.start / counted
    items = []
    for track in cut.tracks:
        for event, (first, last) in _cut_points(track):
            source = {"timecode": event.source_start / counted}
            if event.media.available_start is not None:
                source["start"] = (event.source_start - event.media.available_start) / fps
            if event.id in known:
                source["known"] = known[event.id].start
            items.append(
                Item(
                    event,
                    track,
                    start + first / fps,
                    start + last / fps,
                    start + event.record_start / fps,
                    event.record_length / fps,
                    source,
                    _identity(event.media, known.get(event.id), fps),
                )
            )
    return items


def clock_rate(cut: Cut, other: Cut) -> Fraction:
    """Frames that a second of a version's timecode is counted with, to compare it with another's.

    Of equal rates the true one; of others the nominal one, for the same timecode means the same
    place.
    """
    same = cut.rate.fps == other.rate.fps
    return cut.rate.fps if same or cut.rate.drop else Fraction(cut.rate.nominal)


def _cut_points(track: Track) -> Iterator[tuple[Event, tuple[Fraction, Fraction]]]:
    """Each event with its ends; those of a dissolve are its middle."""
    events = sorted(track.events, key=lambda event: (event.record_start, event.record_end))
    ends = [[event.record_start, event.record_end] for event in events]
    for i, (left, right) in enumerate(itertools.pairwise(events)):
        if left.fade_out and right.fade_in and right.record_start < left.record_end:
            ends[i][1] = ends[i + 1][0] = (right.record_start + left.record_end) / 2
    return ((event, (first, last)) for event, (first, last) in zip(events, ends, strict=True))


def _identity(media: MediaReference, known: Known | None, fps: Fraction) -> _Identity:
    file_names = (re.split(r"[\\/]", text)[-1] for text in (media.file_name, unquote(media.url)))
    stems = frozenset(stem for name in file_names if (stem := _stem(name)))
    slate = _slate(f"{media.scene}/{media.take}") if media.scene and media.take else None
    name = _stem(media.name)
    reel = _plain(media.reel)[:_EDL_REEL]
    return _Identity(
        essence=known.essence if known else "",
        material=_plain(media.material_id),
        stems=stems,
        name=name,
        slate=slate or next(filter(None, map(_slate, (name, *sorted(stems)))), None),
        reel="" if reel in _NO_REEL else reel,
        length=None if media.available_length is None else media.available_length / fps,
    )


def _stem(name: str) -> str:
    folded = unicodedata.normalize("NFC", name).casefold().strip()
    return _SUFFIX.sub("", folded) or folded


def _plain(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _slate(text: str) -> tuple[str, str] | None:
    match = _SLATE.fullmatch(text.casefold().strip())
    return (match[1].lstrip("0"), match[2].lstrip("0") or "0") if match else None


def _same_media(one: _Identity, other: _Identity) -> bool:
    """Whether two references mean the same recording, as far as both say."""
    if one.essence and other.essence:
        return one.essence == other.essence
    if one.material and one.material == other.material:
        return True
    if one.stems & other.stems:
        return True
    if one.slate and other.slate:
        return one.slate == other.slate
    if {one.name, *one.stems} & {other.name, *other.stems} - {""}:
        # Clips are named alike by chance, or their files were made anew: the length tells.
        unlike = bool(one.stems and other.stems and one.length and other.length)
        return not unlike or one.length == other.length
    return bool(one.reel) and one.reel == other.reel and not (one.stems and other.stems)


def counted_alike(one: Item, other: Item) -> bool:
    """Whether the channels of two events count in the same file.

    They do not where each names a file of its own: a mono made from a poly file has its only
    channel first, whichever microphone it is.
    """
    mine, theirs = one.identity.stems, other.identity.stems
    return bool(mine & theirs) or not (mine and theirs)


@dataclass(frozen=True)
class Pair:
    """Two events that may be one. weight: how surely. basis: how their sources are compared."""

    i: int
    j: int
    weight: float
    basis: str
    exact: bool


def candidates(before: Sequence[Item], after: Sequence[Item]) -> list[Pair]:
    """Pairs that play some of the same sound of the same channels; the best few of each."""
    by_token: dict[tuple[str, object], set[_Identity]] = defaultdict(set)
    of_identity: dict[_Identity, list[int]] = defaultdict(list)
    for j, item in enumerate(after):
        of_identity[item.identity].append(j)
        for token in item.identity.tokens:
            by_token[token].add(item.identity)
    groups: dict[tuple[_Identity, str], _Group] = {}
    pairs: list[Pair] = []
    for i, item in enumerate(before):
        key = (item.identity, item.track.kind)
        if key not in groups:
            near = {one for token in item.identity.tokens for one in by_token[token]}
            like = [one for one in near if _same_media(item.identity, one)]
            members = sorted(j for one in like for j in of_identity[one])
            groups[key] = _Group([j for j in members if after[j].track.kind == key[1]], after)
        pairs += groups[key].pairs(i, item, after)
    return pairs


class _Group:
    """Events of the new version that play one medium, as arrays for comparison (seconds)."""

    def __init__(self, members: Sequence[int], items: Sequence[Item]) -> None:
        self.members = np.array(members, dtype=np.int64)
        self.spans = {
            basis: np.array([_span(items[j], basis) for j in members]).reshape(-1, 2)
            for basis in BASES
        }
        self.records = np.array([float(items[j].first) for j in members])

    def pairs(self, i: int, item: Item, items: Sequence[Item]) -> Iterator[Pair]:
        """Those that share a stretch of source with an event of the old version."""
        shares, bases = self._shares(item)
        near = np.flatnonzero(shares > 0)
        if len(near) > _CANDIDATES:
            close = np.abs(self.records[near] - float(item.first))
            near = near[np.lexsort((close, -shares[near].round(3)))[:_CANDIDATES]]
        for at in near:
            other = items[self.members[at]]
            mine, theirs = item.event.channels, other.event.channels
            if counted_alike(item, other) and mine and theirs and not set(mine) & set(theirs):
                continue
            exact = bool(shares[at] > 1 - 1e-9)
            weight = 10 * float(shares[at]) + 4 * exact + (bool(mine) and mine == theirs)
            yield Pair(i, int(self.members[at]), weight, str(bases[at]), exact)

    def _shares(self, item: Item) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
        """How much of the longer of two ranges is common, and how they were compared."""
        shares = np.zeros(len(self.members))
        bases = np.full(len(self.members), "timecode")
        open_still = np.ones(len(self.members), dtype=bool)
        # Timecode goes before the place in the file: a consolidated file starts elsewhere.
        for basis, spans in self.spans.items():
            low, high = _span(item, basis)
            common = np.minimum(spans[:, 1], high) - np.maximum(spans[:, 0], low)
            longer = np.maximum(spans[:, 1] - spans[:, 0], high - low)
            better = open_still & (np.nan_to_num(common) > _LEAST_S)
            shares[better] = common[better] / longer[better]
            bases[better] = basis
            open_still &= ~better & (np.isnan(common) if basis == "known" else True)
        return shares, bases


def _span(item: Item, basis: str) -> tuple[float, float]:
    """The stretch of media between the cut points, for a freeze frame a tenth of a second."""
    if basis not in item.source:
        return float("nan"), float("nan")
    ends = [float(item.plays(at, basis)) for at in (item.first, item.last)]
    return min(ends), max(*ends, min(ends) + (0.0 if item.event.speed else 0.1))


def assignment(
    before: Sequence[Item], after: Sequence[Item], pairs: Sequence[Pair]
) -> dict[int, int]:
    """Which old event is which new one: each at most once, of the greatest total weight."""
    sure = _unmistakable(pairs)
    tracks = tracks_of(before, after, sure.items())
    expected = expected_moves(before, after, sure)
    weights: dict[tuple[int, int], float] = {}
    for pair in pairs:
        one, other = before[pair.i], after[pair.j]
        apart = abs(float(other.first - one.first) - expected(float(one.first)))
        same_track = tracks.get(one.track.name, one.track.name) == other.track.name
        weights[pair.i, pair.j] = pair.weight + 2 * same_track + 3 / (1 + apart)
    matched: dict[int, int] = {}
    for edges in _components(weights):
        matched |= _heaviest(edges, weights)
    return matched


def _unmistakable(pairs: Sequence[Pair]) -> dict[int, int]:
    """Events of equal ranges that nothing else could be."""
    olds, news = Counter(p.i for p in pairs), Counter(p.j for p in pairs)
    return {p.i: p.j for p in pairs if p.exact and olds[p.i] == news[p.j] == 1}


def expected_moves(
    before: Sequence[Item], after: Sequence[Item], sure: Mapping[int, int]
) -> Callable[[float], float]:
    """By how many seconds the record moved, at a second of the old one."""
    anchors = sorted((float(before[i].first), float(after[j].first)) for i, j in sure.items())
    places = [place for place, _ in anchors]

    def expected(at: float) -> float:
        k = bisect_left(places, at)
        near = min(anchors[max(k - 1, 0) : k + 1], key=lambda a: abs(a[0] - at), default=None)
        return near[1] - near[0] if near else 0.0

    return expected


def tracks_of(
    before: Sequence[Item], after: Sequence[Item], matched: Iterable[tuple[int, int]]
) -> dict[str, str]:
    """What most events of each old track are on in the new version."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for i, j in matched:
        counted[before[i].track.name][after[j].track.name] += 1
    return {name: counts.most_common(1)[0][0] for name, counts in counted.items()}


def _components(weights: Mapping[tuple[int, int], float]) -> Iterator[list[tuple[int, int]]]:
    """Pairs sorted into groups that share no event."""
    parents: dict[tuple[str, int], tuple[str, int]] = {}

    def root(node: tuple[str, int]) -> tuple[str, int]:
        while (parent := parents.setdefault(node, node)) != node:
            parents[node] = node = parents.setdefault(parent, parent)
        return node

    for i, j in weights:
        parents[root(("old", i))] = root(("new", j))
    groups: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for i, j in weights:
        groups[root(("old", i))].append((i, j))
    yield from groups.values()


def _heaviest(
    edges: Sequence[tuple[int, int]], weights: Mapping[tuple[int, int], float]
) -> dict[int, int]:
    """The assignment of the greatest total weight; of very many, the heaviest pairs in turn."""
    olds, news = (sorted(set(side)) for side in zip(*edges, strict=True))
    if max(len(olds), len(news)) > _EXACT_ASSIGNMENT:
        chosen: dict[int, int] = {}
        taken: set[int] = set()
        for i, j in sorted(edges, key=lambda edge: (-weights[edge], edge)):
            if i not in chosen and j not in taken:
                chosen[i] = j
                taken.add(j)
        return chosen
    if len(edges) == 1:
        return {edges[0][0]: edges[0][1]}

    from scipy.optimize import linear_sum_assignment

    rows, columns = ({name: k for k, name in enumerate(side)} for side in (olds, news))
    table = np.zeros((len(olds), len(news)))
    for i, j in edges:
        table[rows[i], columns[j]] = weights[i, j]
    chosen_rows, chosen_columns = linear_sum_assignment(table, maximize=True)
    found = zip(chosen_rows.tolist(), chosen_columns.tolist(), strict=True)
    return {olds[row]: news[column] for row, column in found if table[row, column] > 0}


def reordered(
    before: Sequence[Item], after: Sequence[Item], matched: Mapping[int, int]
) -> set[int]:
    """The fewest events without which all others keep their order."""
    ordered = sorted(matched, key=lambda i: (before[i].first, after[matched[i]].first))
    tails: list[Fraction] = []
    ending: list[int] = []
    previous: dict[int, int | None] = {}
    for i in ordered:
        place = after[matched[i]].first
        k = bisect_right(tails, place)
        previous[i] = ending[k - 1] if k else None
        tails[k : k + 1], ending[k : k + 1] = [place], [i]
    kept: set[int] = set()
    at = ending[-1] if ending else None
    while at is not None:
        kept.add(at)
        at = previous[at]
    return set(matched) - kept


def overlaps(one: Item, other: Item, basis: str) -> bool:
    """Whether two events share a stretch of source, compared in one of BASES."""
    ours, theirs = _span(one, basis), _span(other, basis)
    return min(ours[1], theirs[1]) - max(ours[0], theirs[0]) > _LEAST_S
