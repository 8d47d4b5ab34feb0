"""Where a story element of FCPXML lies: its parent's view, what cuts it, what is anchored to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from xml.etree.ElementTree import Element

from adapters.timelines.fcpxml.resources import Asset, Slate
from adapters.timelines.fcpxml.sounds import Span, View, shaped
from adapters.timelines.fcpxml.timing import Timing
from adapters.timelines.fcpxml.values import channels, count, lane, seconds
from core.cut import Fade, FadeShape

STORY = (
    "asset-clip",
    "audio",
    "audition",
    "clip",
    "gap",
    "live-drawing",
    "mc-clip",
    "ref-clip",
    "spine",
    "sync-clip",
    "title",
    "video",
)


NO_SLATE = Slate()


@dataclass(frozen=True)
class Place:
    """Where an element lies.

    view: its parent's timeline. window: what of the record its contents may fill, or None.
    lane: of the timeline's element around it. fps: of the timeline it lies in. nested: whether
    inside a clip. primary: whether of the project's own storyline. inside: media entered so far.
    """

    view: View
    fps: Fraction
    window: Span | None = None
    lane: int = 0
    enabled: bool = True
    nested: bool = False
    primary: bool = False
    slate: Slate = NO_SLATE
    inside: tuple[str, ...] = ()
    depth: int = 0


@dataclass(frozen=True)
class Edges:
    """What transitions do to a clip: seconds it runs on at either end, and its fades."""

    early: Fraction = Fraction(0)
    late: Fraction = Fraction(0)
    rise: Fade | None = None
    fall: Fade | None = None


def sequence_origin(sequence: Element, items: Iterable[Element]) -> Fraction:
    """What the offsets in a timeline count from: its timecode, or 0 as some programs write."""
    start = seconds(sequence.get("tcStart")) or Fraction(0)
    offsets = (seconds(item.get("offset")) for item in items if item.get("offset"))
    first = next(offsets, None)
    return Fraction(0) if first is not None and first < start else start


def without_offset(element: Element) -> Element:
    """A copy of an element that does not say where it lies (a pick of an audition)."""
    plain = Element(element.tag, {k: v for k, v in element.attrib.items() if k != "offset"})
    plain.extend(list(element))
    return plain


def anchored(item: Element) -> Iterator[Element]:
    """What is anchored to an element: its clips and storylines of a lane other than 0."""
    for child in item:
        if child.tag in STORY and lane(child) != 0:
            yield child


def holds_lanes(item: Element) -> bool:
    """Whether lanes of a synchronised clip are what it synchronises, not clips connected to it.

    Final Cut itself writes the synchronised sound inside the primary clip; other programs write
    it beside it.
    """
    connected = any(source.get("sourceID") == "connected" for source in item.findall("sync-source"))
    return connected and not any(
        lane(inner) != 0
        for child in item
        if child.tag in STORY and lane(child) == 0
        for inner in child.iter()
        if inner.tag in STORY
    )


def edges_of(
    timing: Timing, before: tuple[Span, Element] | None, after: tuple[Span, Element] | None
) -> Edges:
    """What the transitions before and after a clip do to its sound."""
    early = late = Fraction(0)
    rise = fall = None
    if before is not None and _crossfades(before[1]):
        early = timing.sound.first - before[0].first
        rise = _transition_fade(before[0])
    if after is not None and _crossfades(after[1]):
        late = after[0].last - timing.sound.last
        fall = _transition_fade(after[0])
    return Edges(early, late, rise, fall)


def _transition_fade(span: Span) -> Fade | None:
    return shaped(span.last - span.first, FadeShape.EQUAL_POWER)


def _crossfades(transition: Element) -> bool:
    """Whether a transition is heard: it has an audio part, or does not say."""
    return transition.find("filter-audio") is not None or transition.find("filter-video") is None


def record_span(timing: Timing, edges: Edges, view: View, *, picture: bool = False) -> Span:
    """The stretch of the record that an element's sound (or picture) fills."""
    range_ = Span(timing.offset, timing.end) if picture else timing.sound
    one, other = view.record(range_.first - edges.early), view.record(range_.last + edges.late)
    return Span(min(one, other), max(one, other))


def leaf_channels(item: Element, asset: Asset) -> tuple[int, ...]:
    """Channels of the file that an element plays; none where neither it nor the asset says."""
    chosen = channels(item.get("srcCh"))
    source = count(item.get("srcID"))
    each = max(1, asset.channels // asset.sources) if asset.sources > 1 else 0
    if source > 1 and each:
        shift = (source - 1) * each
        return tuple(shift + channel for channel in chosen or range(each))
    return chosen or (tuple(range(asset.channels)) if item.tag == "asset-clip" else ())
