"""Selects: stretches of takes one after another, as a cut."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from core.cut import Cut, Event, Marker, MediaReference, Track
from core.media import MediaFile
from core.time import RATES, FrameRate, timecode_to_frames

TRACK = "DX"


@dataclass(frozen=True)
class Pick:
    """A stretch of a take that somebody wants. start, end: samples of the file; end past the last.

    channels: of the file, from 0, that are played. title: what is said there, for a marker.
    """

    media: MediaFile
    start: int
    end: int
    channels: tuple[int, ...]
    title: str


def rate_of(picks: Sequence[Pick]) -> FrameRate:
    """The timecode rate of most of the takes, on a tie the first; 24 where none has one."""
    known = (pick.media.notes.timecode_rate for pick in picks)
    rates = Counter(rate for rate in known if rate is not None)
    return max(rates, key=lambda rate: rates[rate]) if rates else RATES["24"]


def selects(name: str, picks: Sequence[Pick], rate: FrameRate, handles: int) -> Cut:
    """The picks one after another on one track from 01:00:00:00, each marked where it begins.

    handles: frames before and after, as far as a take reaches. Events begin and end on whole
    frames of the takes' timecode, and so hold up to a frame more than was picked.
    """
    events: list[Event] = []
    markers: list[Marker] = []
    at = Fraction(0)
    for number, pick in enumerate(picks, 1):
        first, last = span(pick, rate, handles)
        start = media_start(pick.media, rate)
        reference = MediaReference(
            name=pick.media.path.stem,
            url=pick.media.path.resolve().as_uri(),
            file_name=pick.media.path.name,
            reel=pick.media.notes.tape,
            available_start=start,
            available_length=_frames(pick.media.frames, pick.media, rate),
        )
        events.append(
            Event(
                id=f"{TRACK}/{number:03d}",
                record_start=at,
                record_length=Fraction(last - first),
                source_start=Fraction(first),
                media=reference,
                channels=pick.channels,
            )
        )
        heard = at + start + _frames(pick.start, pick.media, rate) - first
        markers.append(Marker(Fraction(max(0, int(heard))), pick.title))
        at += last - first
    hour = timecode_to_frames("01:00:00:00", rate)
    return Cut(name, rate, hour, at, (Track(TRACK, tuple(events), channels=1),), tuple(markers))


def span(pick: Pick, rate: FrameRate, handles: int) -> tuple[int, int]:
    """First frame of the take's timecode that is played, and the one past the last."""
    start = media_start(pick.media, rate)
    end = start + _frames(pick.media.frames, pick.media, rate)
    first = (start + _frames(pick.start, pick.media, rate)) // 1 - handles
    last = -(-(start + _frames(pick.end, pick.media, rate)) // 1) + handles
    lowest, highest = -(-start // 1), end // 1
    first = min(max(first, lowest), highest)
    return int(first), int(max(min(last, highest), first))


def media_start(media: MediaFile, rate: FrameRate) -> Fraction:
    """The timecode of a file's first sample in frames of a rate; 0 where it has none."""
    return _frames(media.notes.time_reference or 0, media, rate)


def _frames(samples: int, media: MediaFile, rate: FrameRate) -> Fraction:
    return Fraction(samples) * rate.fps / media.sample_rate
