"""Reads FCPXML, what Final Cut Pro (and Resolve, and others) exchange: `.fcpxml`, `.fcpxmld`.

A timeline of FCPXML is a tree: clips follow one another on storylines, are connected to others,
and contain clips in turn. The reader walks it once into stretches of sound in exact seconds
(`fcpxml_walk`) and lays those into tracks by role and lane (`fcpxml_tracks`).

Quirks handled here:
- The longest project is read, the others are named in a warning. A file that holds only clips
  of events is read as if they followed one another.
- Positions count from the sequence's `tcStart`; some programs count from 0 nevertheless.
- A rate is that of the sequence's format, else what the format's name says (`1080p2398`).
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree.ElementTree import Element

from adapters.timelines.fcpxml.ledger import Ledger, TooMuchError
from adapters.timelines.fcpxml.place import STORY, Place, sequence_origin
from adapters.timelines.fcpxml.resources import Resources, read_resources
from adapters.timelines.fcpxml.sounds import Sound, View
from adapters.timelines.fcpxml.tracks import audio_tracks, picture_track
from adapters.timelines.fcpxml.values import seconds
from adapters.timelines.fcpxml.walk import Walker
from adapters.timelines.xml_safe import parse
from core.cut import Cut
from core.errors import InputError
from core.time import FrameRate, round_half_up

INSIDE_BUNDLE = "Info.fcpxml"
_DROPPING = (Fraction(30000, 1001), Fraction(60000, 1001))
_CLIPS = ("asset-clip", "clip", "mc-clip", "ref-clip", "sync-clip")
_NAMED = 5


def read(path: Path) -> Cut:
    """Read an `.fcpxml` file or an `.fcpxmld` bundle into a cut.

    What can't be read of it is a warning. Raises InputError in one sentence where the file can't
    be read, is no FCPXML, has no timeline or clip, names no frame rate, or unfolds into more than
    a film could hold.
    """
    bundle = path if path.is_dir() else None
    file = path / INSIDE_BUNDLE if bundle is not None else path
    if bundle is not None and not file.is_file():
        raise InputError(f"{path} holds no {INSIDE_BUNDLE}; export the bundle again.")
    root = parse(file, "fcpxml", "FCPXML")
    try:
        return _cut(root, path, read_resources(root, bundle))
    except TooMuchError as fault:
        raise InputError(
            f"{path} unfolds into too many clips, as compound clips within compound clips do; "
            "export a single reel, or with fewer of them."
        ) from fault


def _cut(root: Element, path: Path, resources: Resources) -> Cut:
    ledger = Ledger()
    if not root.get("version", "1").startswith("1"):
        ledger.warn(f"Version {root.get('version')!r:.20} of FCPXML is newer than what is known.")
    name, sequence = _sequence(root, path, ledger)
    spine = sequence.find("spine")
    spine = Element("spine") if spine is None else spine
    rate = _rate(sequence, spine, resources, path, ledger)
    origin = sequence_origin(sequence, spine)
    place = Place(View(Fraction(0), origin), rate.fps, primary=True)
    sounds = Walker(resources, ledger).storyline(spine, place, origin)
    tracks = audio_tracks(sounds, rate.fps)
    pictures = picture_track(ledger.picture, rate.fps)
    if not tracks and not pictures.events:
        raise InputError(f"{path} is an empty cut: its timeline has no clip that can be read.")
    _tell_of_effects(sounds, ledger)
    shown = (*((pictures,) if pictures.events else ()), *tracks)
    ends = [event.record_end for track in shown for event in track.events]
    says = (seconds(sequence.get("duration")) or Fraction(0)) * rate.fps
    return Cut(
        name=name or path.stem,
        rate=rate,
        start=_start(sequence, rate, ledger),
        length=max(says, *ends, Fraction(0)),
        tracks=shown,
        markers=tuple(
            replace(marker, at=marker.at * rate.fps, length=marker.length * rate.fps)
            for marker in sorted(ledger.markers, key=lambda marker: marker.at)
        ),
        warnings=ledger.warnings,
    )


def _sequence(root: Element, path: Path, ledger: Ledger) -> tuple[str, Element]:
    """The name and sequence of the longest project, or one made of the file's event clips."""
    projects = [
        (project.get("name", ""), sequence)
        for project in root.iter("project")
        if (sequence := project.find("sequence")) is not None
    ]
    if projects:
        chosen = max(projects, key=lambda item: seconds(item[1].get("duration")) or Fraction(0))
        others = [name for name, sequence in projects if sequence is not chosen[1]]
        if others:
            more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
            listed = ", ".join(repr(name[:80]) for name in others[:_NAMED])
            ledger.warn(
                f"Of {len(projects)} projects the longest is read, {chosen[0][:80]!r}; "
                f"{listed}{more} can be exported alone."
            )
        return chosen
    events = [root, *root.iter("event")]
    clips = [item for event in events for item in event if item.tag in _CLIPS]
    if not clips:
        raise InputError(f"{path} holds no project; export one from Final Cut Pro.")
    ledger.warn(f"The file holds no project: its {len(clips)} clips are read one after another.")
    made = Element("sequence")
    spine = Element("spine")
    for clip in clips:
        bare = Element(
            clip.tag, {k: v for k, v in clip.attrib.items() if k not in ("offset", "lane")}
        )
        bare.extend(list(clip))
        spine.append(bare)
    made.append(spine)
    return path.stem, made


def _rate(
    sequence: Element, spine: Element, resources: Resources, path: Path, ledger: Ledger
) -> FrameRate:
    """The sequence's rate, else that of the first clip whose format or asset has one."""
    fps = resources.rates.get(sequence.get("format", ""))
    if fps is None:
        found = (_clip_rate(item, resources) for item in spine if item.tag in STORY)
        fps = next((rate for rate in found if rate is not None), None)
        if fps is None:
            raise InputError(
                f"{path} names no frame rate: the format of its sequence has no frameDuration."
            )
        ledger.warn(
            f"The sequence has no frame rate; its first clip's, {FrameRate(fps)}, is taken."
        )
    return FrameRate(fps, drop=sequence.get("tcFormat") == "DF" and fps in _DROPPING)


def _clip_rate(item: Element, resources: Resources) -> Fraction | None:
    reference = item.get("ref", "")
    asset, media = resources.asset(reference), resources.media.get(reference)
    inner = next(iter(media), None) if media is not None else None
    return (
        resources.rates.get(item.get("format", ""))
        or (asset.fps if asset is not None else None)
        or (resources.rates.get(inner.get("format", "")) if inner is not None else None)
    )


def _start(sequence: Element, rate: FrameRate, ledger: Ledger) -> int:
    """The timecode of the first frame, in frames since midnight."""
    start = (seconds(sequence.get("tcStart")) or Fraction(0)) * rate.fps
    if start.denominator != 1:
        ledger.warn(
            f"The sequence starts between two frames of {rate} "
            f"(tcStart {sequence.get('tcStart', '')[:40]}): the nearest is taken."
        )
    return max(0, round_half_up(start))


def _tell_of_effects(sounds: list[Sound], ledger: Ledger) -> None:
    kinds = sorted({effect[:60] for sound in sounds for effect in sound.effects})
    if kinds:
        number = sum(1 for sound in sounds if sound.effects)
        shown = ", ".join(kinds[:_NAMED]) + (", …" if len(kinds) > _NAMED else "")
        ledger.warn(f"{number} clips carry audio effects, which are not applied: {shown}.")
