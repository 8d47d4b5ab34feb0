"""Media as written timelines point at it: the same for every format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path


@dataclass(frozen=True)
class NamedMedia:
    """A file that a clip of a written timeline points at.

    path: absolute. url: relative to the timeline's folder where it can be, percent-encoded.
    start, length: of the whole file, in frames of the cut's rate; start counts in the source's
    timecode as the event's source_start does. sample_rate: Hz, frames: samples, of the file.
    channels: those of the file that the clip plays, from 0. width: how many channels it has.
    """

    path: Path
    url: str
    start: Fraction
    length: Fraction
    sample_rate: int
    frames: int
    channels: tuple[int, ...]
    width: int


MediaByName = Mapping[str, NamedMedia]
"""An event's media by name: `original`, `cleaned`, `removed`."""

MediaOfEvents = Mapping[str, MediaByName]
"""By event id."""
