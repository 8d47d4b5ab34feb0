"""The resources of an FCPXML file: assets, frame rates, and the media that clips refer to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from adapters.timelines.fcpxml.values import count, seconds
from core.cut import MediaReference
from core.time import exact_fps

_FORMAT_NAME = re.compile(r"(?P<scan>[ip])(?P<rate>2398|24|25|2997|30|4795|48|50|5994|60)$")
_RATE = re.compile(r"[1-9]\d{0,2}(\.\d{1,4})?", re.ASCII)
_FRACTIONAL = {"2398": "23.976", "2997": "29.97", "4795": "47.952", "5994": "59.94"}
_SLATE = {
    "com.apple.proapps.studio.reel": "reel",
    "com.apple.proapps.studio.scene": "scene",
    "com.apple.proapps.studio.shot": "take",
}
_FASTEST = 1000


@dataclass(frozen=True)
class Slate:
    """Reel, scene and take as a clip's or an asset's metadata give them."""

    reel: str = ""
    scene: str = ""
    take: str = ""

    def over(self, other: Slate) -> Slate:
        """This slate, with what it leaves open from another."""
        return Slate(self.reel or other.reel, self.scene or other.scene, self.take or other.take)


@dataclass(frozen=True)
class Asset:
    """A media file. start, duration: in seconds of its timecode; fps: of its picture, or None."""

    name: str
    url: str
    file_name: str
    uid: str
    start: Fraction
    duration: Fraction | None
    has_audio: bool
    has_video: bool
    channels: int
    sources: int
    fps: Fraction | None
    slate: Slate

    def reference(self, name: str, slate: Slate, fps: Fraction) -> MediaReference:
        """What a cut at a rate says about this asset under a clip's name and slate."""
        known = slate.over(self.slate)
        return MediaReference(
            name=name or self.name,
            url=self.url,
            file_name=self.file_name,
            reel=known.reel,
            scene=known.scene,
            take=known.take,
            available_start=self.start * fps,
            available_length=None if self.duration is None else self.duration * fps,
            material_id=self.uid,
        )


class Resources:
    """What clips refer to, by id; an asset is read when a clip first asks for it.

    rates: of formats. media: the elements that hold a sequence or a multicam.
    """

    def __init__(
        self,
        rates: Mapping[str, Fraction],
        media: Mapping[str, Element],
        assets: Mapping[str, Element],
        bundle: Path | None,
    ) -> None:
        self.rates = rates
        self.media = media
        self._elements = assets
        self._bundle = bundle
        self._assets: dict[str, Asset] = {}

    def asset(self, name: str) -> Asset | None:
        """The asset of an id, or None where the file has none."""
        if name not in self._assets and name in self._elements:
            self._assets[name] = _asset(self._elements[name], self.rates, self._bundle)
        return self._assets.get(name)


def read_resources(root: Element, bundle: Path | None) -> Resources:
    """The resources under the root; the first of an id counts.

    bundle: the folder that relative `src` start from, for a bundle.
    """
    listed = [item for part in root.findall("resources") for item in part]
    rates: dict[str, Fraction] = {}
    for item in listed:
        rate = _frame_rate(item) if item.tag == "format" else None
        if rate is not None:
            rates.setdefault(item.get("id", ""), rate)
    assets: dict[str, Element] = {}
    media: dict[str, Element] = {}
    for item in listed:
        if item.tag == "asset":
            assets.setdefault(item.get("id", ""), item)
        elif item.tag == "media":
            media.setdefault(item.get("id", ""), item)
    return Resources(rates, media, assets, bundle)


def slate_of(element: Element) -> Slate:
    """Reel, scene and take in the `metadata` of an element."""
    found: dict[str, str] = {}
    for item in element.findall("metadata/md"):
        name = _SLATE.get(item.get("key", ""))
        if name is not None:
            found.setdefault(name, item.get("value", "").strip())
    return Slate(**found)


def _frame_rate(element: Element) -> Fraction | None:
    """The rate of a `format`: one over its frame's length, else as its name ends (`1080p2398`)."""
    length = seconds(element.get("frameDuration"))
    if length is not None and length > 0:
        fps = 1 / length
        return fps if 1 <= fps <= _FASTEST and fps.denominator <= 1_000_000 else None
    match = _FORMAT_NAME.search(element.get("name", ""))
    if match is None:
        return None
    fps = exact_fps(_FRACTIONAL.get(match["rate"], match["rate"]))
    return fps / 2 if match["scan"] == "i" and fps > 30 else fps


def source_rate(text: str | None) -> Fraction | None:
    """The rate that `srcFrameRate` names (`23.98`), or None."""
    plain = (text or "").strip()
    if _RATE.fullmatch(plain) is None:
        return None
    fps = exact_fps(plain)
    return fps if fps <= _FASTEST else None


def _asset(element: Element, rates: Mapping[str, Fraction], bundle: Path | None) -> Asset:
    held = element.findall("media-rep")
    original = next((rep for rep in held if rep.get("kind") != "proxy-media"), None)
    file = original if original is not None else next(iter(held), element)
    url = file.get("src", "")
    says_video = element.get("hasVideo") == "1" or element.get("videoSources") is not None
    says_audio = element.get("hasAudio") == "1" or element.get("audioSources") is not None
    return Asset(
        name=element.get("name", ""),
        url=_absolute(url, bundle) if bundle is not None else url,
        file_name=file.get("suggestedFilename", ""),
        uid=element.get("uid", ""),
        start=seconds(element.get("start")) or Fraction(0),
        duration=_positive(element.get("duration")),
        has_audio=element.get("hasAudio") != "0" and (says_audio or not says_video),
        has_video=says_video,
        channels=min(count(element.get("audioChannels")), 128),
        sources=count(element.get("audioSources")),
        fps=rates.get(element.get("format", "")),
        slate=slate_of(element),
    )


def _positive(text: str | None) -> Fraction | None:
    """A duration; none where it is missing or nothing (Resolve writes 0/1s for a still)."""
    value = seconds(text)
    return value if value is not None and value > 0 else None


def _absolute(url: str, bundle: Path) -> str:
    if not url or "://" in url[:20] or url.startswith(("/", "\\", "file:")) or url[1:2] == ":":
        return url
    return (bundle.absolute() / unquote(url)).as_uri()
