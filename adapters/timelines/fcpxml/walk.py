"""Walks the story of an FCPXML timeline: storylines, clips in clips, what is anchored to them.

An element's contents are cut to its range; what is anchored to it (a lane other than 0) is not,
and stays at its own speed. Inside a compound, synchronised or multicam clip everything is cut to
what the clip shows. A transition lets the clips on both sides run on under it, each with a fade.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from xml.etree.ElementTree import Element

from adapters.timelines.fcpxml.layout import Layouts
from adapters.timelines.fcpxml.ledger import Ledger, Picture
from adapters.timelines.fcpxml.mix import NEUTRAL, by_role, components, read_mix
from adapters.timelines.fcpxml.place import (
    STORY,
    Edges,
    Place,
    anchored,
    holds_lanes,
    leaf_channels,
    record_span,
    sequence_origin,
)
from adapters.timelines.fcpxml.resources import Asset, Resources, Slate, slate_of
from adapters.timelines.fcpxml.sounds import Mix, Sound, Span, View, mixed, trimmed
from adapters.timelines.fcpxml.timing import Timing, named
from adapters.timelines.fcpxml.values import enabled, lane, seconds, tame
from core.cut import Marker, MediaReference

MAX_DEPTH = 60
_SILENT = ("gap", "live-drawing", "title", "video")
_MARKERS = ("marker", "chapter-marker")
_NO_EDGES = Edges()
_VISIT = 8
"""Visiting an element costs about as much as passing over eight."""


class Walker:
    """Reads the sounds of a timeline. resources: what clips refer to. ledger: what is noted."""

    def __init__(self, resources: Resources, ledger: Ledger) -> None:
        self._resources = resources
        self._ledger = ledger
        self._layouts = Layouts(resources, ledger)
        self._slates: dict[Element, Slate] = {}
        self._lanes: dict[Element, bool] = {}

    def storyline(self, owner: Element, place: Place, begin: Fraction) -> list[Sound]:
        """The sounds of a spine's or angle's elements, which follow one another from `begin` on.

        What can't sound in the place's window is passed over.
        """
        shown = None if place.window is None else place.view.local(place.window)
        sounds: list[Sound] = []
        for laid in self._layouts.storyline(owner, begin, place.fps).within(shown):
            self._ledger.step()
            sounds += self._element(laid.item, laid.timing, laid.edges, place)
        return sounds

    def _element(self, item: Element, timing: Timing, edges: Edges, place: Place) -> list[Sound]:
        """What sounds of an element: its own sound, and what is anchored to it."""
        self._ledger.step(_VISIT + len(item) // _VISIT)
        if place.depth >= MAX_DEPTH:
            self._ledger.warn(f"{named(item)} is nested more than {MAX_DEPTH} deep and left out.")
            return []
        if item.tag == "audition":
            chosen = next((child for child in item if child.tag in STORY), None)
            deeper = replace(place, depth=place.depth + 1)
            return [] if chosen is None else self._element(chosen, timing, edges, deeper)
        if not place.nested:
            self._note(item, timing, place)
        sounds = [] if item.tag in _SILENT else self._own(item, timing, edges, place)
        if not self._holds_lanes(item):
            for child in anchored(item):
                sounds += self._anchor(child, timing.local_view(place.view), place)
        return sounds

    def _anchor(self, child: Element, local: View, place: Place) -> list[Sound]:
        """The sounds of a connected clip or storyline. It keeps its own speed.

        local: the timeline of what it is connected to.
        """
        storyline = child.tag == "spine"
        offset = seconds(child.get("offset")) or Fraction(0)
        view = View(local.record(offset), Fraction(0) if storyline else offset, place.view.speed)
        there = replace(
            place,
            view=view,
            lane=place.lane if place.nested else lane(child),
            primary=False,
            depth=place.depth + 1,
        )
        if storyline:
            sounds = self.storyline(child, there, Fraction(0))
        else:
            timing = self._layouts.timing(child, offset, place.fps)
            sounds = self._element(child, timing, _NO_EDGES, there)
        return _marked(sounds, True)

    def _own(self, item: Element, timing: Timing, edges: Edges, place: Place) -> list[Sound]:
        """The sound of the element itself: of its asset, or of what it contains."""
        if item.get("srcEnable", "all") not in ("all", "audio"):
            return []
        span = record_span(timing, edges, place.view)
        window = span.within(place.window)
        if window.last <= window.first:
            return []
        media = timing.media_view(place.view)
        if item.tag in ("asset-clip", "audio"):
            sounds = self._leaf(item, timing, span, place)
        elif media is None:
            self._ledger.warn(f"{named(item)} is a freeze of what it contains, which is silent.")
            return []
        else:
            inside = replace(
                place,
                view=media,
                window=window,
                enabled=place.enabled and enabled(item),
                nested=True,
                primary=False,
                slate=self._slate_inside(item, place.slate),
                depth=place.depth + 1,
            )
            sounds = self._contents(item, inside)
            if timing.variable or timing.keeps_pitch:
                sounds = [
                    replace(
                        sound,
                        variable=sound.variable or timing.variable,
                        keeps_pitch=sound.keeps_pitch or timing.keeps_pitch,
                    )
                    for sound in sounds
                ]
        mix = NEUTRAL
        if sounds and len(item):
            local = timing.local_view(place.view)
            if item.tag in ("asset-clip", "clip"):
                sounds = components(sounds, item, local, media, self._ledger)
            mix = read_mix(item, local, media, timing.duration * timing.conform, self._ledger)
        if edges.rise is not None or edges.fall is not None:
            mix = replace(mix, rise=edges.rise or mix.rise, fall=edges.fall or mix.fall)
        return list(self._shaped(item, sounds, mix, span, place.window))

    def _shaped(
        self, item: Element, sounds: list[Sound], mix: Mix, span: Span, window: Span | None
    ) -> Iterator[Sound]:
        """The sounds of an element cut to its range and to the window, under its mix."""
        split = item.find("audio-channel-source") is not None
        for sound in sounds:
            self._ledger.step(1 if mix is NEUTRAL else _VISIT + len(mix.curve))
            kept = sound if split else trimmed(sound, span)
            if kept is not None and mix is not NEUTRAL:
                kept = mixed(kept, mix, span)
            kept = None if kept is None else trimmed(kept, window)
            if kept is None:
                continue
            late = mix.rise is not None and 0 < kept.start - span.first < mix.rise.length
            soon = mix.fall is not None and 0 < span.last - kept.end < mix.fall.length
            if late or soon:
                self._ledger.warn(
                    f"A fade of {named(item)} is not heard on {kept.name!r:.80}, which begins or "
                    "ends within it."
                )
            yield kept

    def _leaf(self, item: Element, timing: Timing, span: Span, place: Place) -> list[Sound]:
        asset = self._resources.asset(item.get("ref", ""))
        if asset is None:
            self._ledger.warn(f"{named(item)} refers to an asset that is not in the file.")
            return []
        if not asset.has_audio:
            return []
        first = timing.sound.last if place.view.speed < 0 else timing.sound.first
        head = span.first - place.view.record(first)
        speed = place.view.speed * timing.slope
        return [
            Sound(
                start=span.first,
                length=span.last - span.first,
                source=tame(timing.media(first) + head * speed),
                speed=speed,
                asset=asset,
                name=item.get("name", ""),
                role=item.get("audioRole") or item.get("role", "") or "",
                lane=place.lane,
                slate=self._slate_inside(item, place.slate),
                channels=leaf_channels(item, asset),
                enabled=place.enabled and enabled(item),
                keeps_pitch=timing.keeps_pitch,
                variable=timing.variable,
            )
        ]

    def _contents(self, item: Element, place: Place) -> list[Sound]:
        """The sounds in a clip, without its own mix."""
        if item.tag in ("ref-clip", "mc-clip"):
            return self._referred(item, place)
        sounds: list[Sound] = []
        for child in item:
            if child.tag not in STORY or lane(child) != 0:
                continue
            if child.tag == "spine":
                offset = seconds(child.get("offset")) or Fraction(0)
                inner = replace(place, view=place.view.shifted(offset), depth=place.depth + 1)
                sounds += self.storyline(child, inner, Fraction(0))
            else:
                timing = self._layouts.timing(child, Fraction(0), place.fps)
                sounds += self._element(child, timing, _NO_EDGES, place)
        if item.tag == "sync-clip":
            return self._synced(item, sounds, place)
        return _marked(sounds, False)

    def _synced(self, item: Element, sounds: list[Sound], place: Place) -> list[Sound]:
        """The sounds in a synchronised clip, under its role components."""
        if self._holds_lanes(item):
            for child in anchored(item):
                sounds = sounds + self._anchor(child, place.view, place)
        heard: list[Sound] = []
        for name, connected in (("storyline", False), ("connected", True)):
            sources = item.iterfind("sync-source")
            roles = _roles(source for source in sources if source.get("sourceID") == name)
            own = [sound for sound in sounds if sound.connected is connected]
            heard += by_role(own, roles, place.view, self._ledger)
        return _marked(heard, False)

    def _referred(self, item: Element, place: Place) -> list[Sound]:
        """The sounds of a compound clip's timeline or of a multicam clip's angles."""
        name, timeline = item.get("ref", ""), self._layouts.timeline(item)
        if timeline is None:
            self._ledger.warn(f"{named(item)} refers to a clip that is not in the file.")
            return []
        if name in place.inside:
            self._ledger.warn(f"{named(item)} contains itself and is left out.")
            return []
        fps = self._resources.rates.get(timeline.get("format", ""), place.fps)
        inner = replace(place, fps=fps, inside=(*place.inside, name))
        if item.tag == "mc-clip":
            return self._angles(item, timeline, inner)
        spine = timeline.find("spine")
        if spine is None:
            return []
        sounds = self._timeline(spine, timeline, inner)
        return by_role(sounds, item.findall("audio-role-source"), place.view, self._ledger)

    def _angles(self, item: Element, multicam: Element, place: Place) -> list[Sound]:
        """The sounds of the angles whose audio is on."""
        sources = item.findall("mc-source")
        if not sources:
            self._ledger.warn(f"{named(item)} names no angle: its first is heard.")
        on: dict[str, list[Element]] = {}
        for source in sources:
            if source.get("srcEnable", "all") in ("all", "audio"):
                on.setdefault(source.get("angleID", ""), []).append(source)
        sounds: list[Sound] = []
        for number, angle in enumerate(multicam.iterfind("mc-angle")):
            self._ledger.step()
            chosen = on.get(angle.get("angleID", ""), [])
            if chosen or (not sources and number == 0):
                heard = self._timeline(angle, multicam, place)
                sounds += by_role(heard, _roles(chosen), place.view, self._ledger)
        return sounds

    def _timeline(self, owner: Element, timeline: Element, place: Place) -> list[Sound]:
        """The sounds of a spine or angle of a timeline that a clip refers to."""
        start = seconds(timeline.get("tcStart")) or Fraction(0)
        origin = sequence_origin(timeline, owner)
        inner = replace(place, view=place.view.shifted(start - origin))
        return _marked(self.storyline(owner, inner, origin), False)

    def _holds_lanes(self, item: Element) -> bool:
        """Whether the lanes of an element are in it, as those of a synchronised clip may be."""
        if item.tag != "sync-clip":
            return False
        if item not in self._lanes:
            self._lanes[item] = holds_lanes(item)
        return self._lanes[item]

    def _slate_inside(self, item: Element, outer: Slate) -> Slate:
        """The slate of what is in a clip.

        A clip is one recording. Picture and sound of a synchronised or multicam clip share scene
        and take, not the reel. A compound clip is no take.
        """
        if item.find("metadata") is None or item.tag == "ref-clip":
            return outer
        if item not in self._slates:
            self._slates[item] = slate_of(item)
        own = self._slates[item]
        if item.tag in ("sync-clip", "mc-clip"):
            own = Slate(scene=own.scene, take=own.take)
        return own.over(outer)

    def _note(self, item: Element, timing: Timing, place: Place) -> None:
        """Note the markers of an element of the timeline, and its picture."""
        span = record_span(timing, _NO_EDGES, place.view, picture=True)
        for marker in item:
            if marker.tag in _MARKERS:
                self._ledger.step()
                start = seconds(marker.get("start"))
                at = None if start is None else timing.local_view(place.view).record(start)
                if at is None:
                    self._ledger.warn(f"A marker of {named(item)} has no place and is left out.")
                elif span.first <= at < span.last:
                    length = max(seconds(marker.get("duration")) or Fraction(0), Fraction(0))
                    name = marker.get("value", "")
                    self._ledger.markers.append(Marker(at, name, _remark(marker), length))
        asset = self._resources.asset(item.get("ref", ""))
        seen = item.get("srcEnable", "all") != "audio" and item.tag not in ("gap", "audio", "spine")
        if place.primary and seen and (asset is None or asset.has_video):
            self._ledger.picture.append(_picture(item, timing, asset, span, place.fps))


def _picture(
    item: Element, timing: Timing, asset: Asset | None, span: Span, fps: Fraction
) -> Picture:
    slate, name = slate_of(item), item.get("name", "")
    media = (
        MediaReference(name=name, reel=slate.reel, scene=slate.scene, take=slate.take)
        if asset is None
        else asset.reference(name, slate, fps)
    )
    length = span.last - span.first
    return Picture(span.first, length, timing.media_start, media, enabled(item), timing.slope)


def _remark(marker: Element) -> str:
    done = {"0": "to do", "1": "done"}.get(marker.get("completed", ""), "")
    return " ".join(part for part in (done, marker.get("note", "")) if part)


def _roles(sources: Iterable[Element]) -> list[Element]:
    return [role for source in sources for role in source.iterfind("audio-role-source")]


def _marked(sounds: list[Sound], connected: bool) -> list[Sound]:
    """The sounds, marked as connected to the primary storyline around them, or as part of it."""
    return [
        sound if sound.connected is connected else replace(sound, connected=connected)
        for sound in sounds
    ]
