"""When the elements of a storyline play, and how far what is anchored to them reaches.

A storyline inside a compound or multicam clip may be visited for every cut of it, so its layout
is worked out once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from xml.etree.ElementTree import Element

from adapters.timelines.fcpxml.ledger import Ledger
from adapters.timelines.fcpxml.place import STORY, Edges, anchored, edges_of, without_offset
from adapters.timelines.fcpxml.resources import Resources
from adapters.timelines.fcpxml.sounds import Span
from adapters.timelines.fcpxml.timing import Timing, read_timing
from adapters.timelines.fcpxml.values import MAX_SECONDS, seconds, tame

_LAYING = 4
"""Laying out an element costs about as much as passing over four."""


@dataclass(frozen=True)
class Laid:
    """An element of a storyline in its time. reach: of all that it may sound, None for any."""

    item: Element
    timing: Timing
    edges: Edges
    reach: Span | None


@dataclass(frozen=True)
class Storyline:
    """Elements that follow one another, with what tells soon which of them a window shows.

    latest: the end of all that is heard up to an element, earliest: the start of all that is
    heard from it on; both only ever grow along the line.
    """

    laid: tuple[Laid, ...]
    latest: tuple[Fraction, ...]
    earliest: tuple[Fraction, ...]

    def within(self, shown: Span | None) -> tuple[Laid, ...]:
        """The elements that may sound in a stretch of the storyline's time."""
        if shown is None:
            return self.laid
        first = bisect_right(self.latest, shown.first)
        return self.laid[first : bisect_left(self.earliest, shown.last)]


def _storyline(laid: tuple[Laid, ...]) -> Storyline:
    never, ever = Fraction(-MAX_SECONDS * 1000), Fraction(MAX_SECONDS * 1000)
    lasts = (ever if item.reach is None else item.reach.last for item in laid)
    firsts = (never if item.reach is None else item.reach.first for item in reversed(laid))
    earliest = tuple(accumulate(firsts, min))
    return Storyline(laid, tuple(accumulate(lasts, max)), earliest[::-1])


class Layouts:
    """Layouts and timings of a file's elements, each worked out once."""

    def __init__(self, resources: Resources, ledger: Ledger) -> None:
        self._resources = resources
        self._ledger = ledger
        self._timings: dict[tuple[Element, Fraction], Timing] = {}
        self._storylines: dict[tuple[Element, Fraction], Storyline] = {}

    def timing(self, item: Element, at: Fraction, fps: Fraction) -> Timing:
        """The timing of an element in a timeline of a rate. at: where it lies if it does not say.

        The timing of an audition is that of its first pick.
        """
        settled = item.get("offset") is not None and item.tag != "audition"
        if settled and (item, fps) in self._timings:
            return self._timings[item, fps]
        real = item
        if item.tag == "audition":
            offset = seconds(item.get("offset"))
            at = at if offset is None else offset
            real = without_offset(next((child for child in item if child.tag in STORY), item))
        found = read_timing(real, at, self._held(real), fps, self._resources, self._ledger)
        if settled:
            self._timings[item, fps] = found
        return found

    def storyline(self, owner: Element, begin: Fraction, fps: Fraction) -> Storyline:
        """The elements of a spine or angle, which follow one another from a time on."""
        key = (owner, fps)
        if key not in self._storylines:
            self._storylines[key] = _storyline(self._lay(list(owner), begin, fps))
        return self._storylines[key]

    def _lay(self, items: Sequence[Element], begin: Fraction, fps: Fraction) -> tuple[Laid, ...]:
        laid: list[tuple[Element, Timing]] = []
        transitions: dict[int, tuple[Span, Element]] = {}
        at = begin
        for item in items:
            self._ledger.step(_LAYING)
            if item.tag == "transition":
                length = max(seconds(item.get("duration")) or Fraction(0), Fraction(0))
                offset = seconds(item.get("offset"))
                if offset is None:
                    at -= length
                    offset = at
                transitions[len(laid)] = (Span(offset, offset + length), item)
            elif item.tag in STORY:
                timing = self.timing(item, at, fps)
                laid.append((item, timing))
                at = tame(timing.end)
        found = []
        for index, (item, timing) in enumerate(laid):
            edges = edges_of(timing, transitions.get(index), transitions.get(index + 1))
            found.append(Laid(item, timing, edges, self._reach(item, timing, edges, fps)))
        return tuple(found)

    def _reach(self, item: Element, timing: Timing, edges: Edges, fps: Fraction) -> Span | None:
        """The stretch of its parent's timeline that an element and what is anchored to it fill."""
        if item.tag == "audition":
            return None
        first = min(timing.offset, timing.sound.first - edges.early)
        last = max(timing.end, timing.sound.last + edges.late)
        for child in anchored(item):
            if child.tag in ("spine", "audition") or next(anchored(child), None) is not None:
                return None
            inner = self.timing(child, Fraction(0), fps)
            at = timing.offset + (inner.offset - timing.start) / timing.conform
            ahead = at + min(Fraction(0), inner.sound.first - inner.offset)
            behind = at + max(inner.duration, inner.sound.last - inner.offset)
            first, last = min(first, ahead), max(last, behind)
        return Span(first, last)

    def timeline(self, item: Element) -> Element | None:
        """The sequence or multicam that a compound or multicam clip refers to."""
        media = self._resources.media.get(item.get("ref", ""))
        if item.tag not in ("ref-clip", "mc-clip") or media is None:
            return None
        return media.find("sequence" if item.tag == "ref-clip" else "multicam")

    def _held(self, item: Element) -> Span | None:
        """The range of the asset or timeline that a clip refers to, in its own time."""
        asset = self._resources.asset(item.get("ref", ""))
        if item.tag in ("asset-clip", "audio", "video") and asset is not None:
            return Span(asset.start, asset.start + (asset.duration or Fraction(0)))
        timeline = self.timeline(item)
        if timeline is None:
            return None
        start = seconds(timeline.get("tcStart")) or Fraction(0)
        return Span(start, start + (seconds(timeline.get("duration")) or Fraction(0)))
