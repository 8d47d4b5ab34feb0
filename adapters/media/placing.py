"""Where in a file an event lies, and which of its channels sound."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from core.cut import Event
from core.media import MediaFile
from core.time import FrameRate, frames_to_samples, frames_to_timecode

_BOOM = re.compile(r"\bboom", re.IGNORECASE)
_MIX = re.compile(r"\bmix", re.IGNORECASE)
_TOLERANCE = 1


class Trust(Enum):
    """How surely a file is the one a reference means, which decides what positions are believed.

    TIMECODE: found by reel; only the file's timecode places the event. SLATE: found by scene and
    take; the timecode first, then the reference's own count. NAMED: the very file by name; the
    reference's own count first. URL: as NAMED, and a position from the file's start is believed.
    """

    TIMECODE = "timecode"
    SLATE = "slate"
    NAMED = "named"
    URL = "url"


@dataclass(frozen=True)
class Placing:
    """An event placed in a file. start: sample that its first record frame plays.

    full: whether the file has every sample that the event plays. notes: sentences.
    """

    media: MediaFile
    start: int
    full: bool
    notes: tuple[str, ...] = ()


def place(event: Event, media: MediaFile, rate: FrameRate, trust: Trust) -> Placing | None:
    """The event in the file, or None where the file does not hold the range that it plays.

    A range may reach out of the file by less than a frame, or by the length of a fade: that part
    is silent, and a note says so.
    """
    for frame_zero, sample_zero, note in _origins(event, media, rate, trust):
        start = _samples(event.source_start - frame_zero, rate, media) - sample_zero
        played = event.source_start + event.record_length * event.speed
        end = _samples(played - frame_zero, rate, media) - sample_zero
        low, high = min(start, end), max(start, end)
        before, after = _allowance(event, rate, media)
        inside = low < media.frames and high > 0
        if inside and low >= -before and high <= media.frames + after:
            notes: tuple[str, ...] = (note,) if note else ()
            missing = max(-low, high - media.frames, 0)
            if missing > _TOLERANCE:
                notes += (f"{missing} samples lie outside {media.path.name} and are silent.",)
            return Placing(media, start, missing <= _TOLERANCE, notes)
    return None


def _origins(
    event: Event, media: MediaFile, rate: FrameRate, trust: Trust
) -> Iterator[tuple[Fraction, int, str]]:
    """Ways to count from the file's first sample, the most believable first.

    Each is (frames, samples, note): a source position in frames, less the frames, in samples,
    less the samples.
    """
    reference, available = media.notes.time_reference, event.media.available_start
    by_timecode: list[tuple[Fraction, int, str]] = []
    if reference is not None:
        midnight = _samples(Fraction(_frames_a_day(rate)), rate, media)
        by_timecode = [
            (Fraction(0), reference, ""),
            (Fraction(0), reference - midnight, ""),
        ]
    by_cut: list[tuple[Fraction, int, str]] = []
    if available is not None:
        by_cut = [(available, 0, _disagreement(available, media, rate))]
    elif reference is None and trust is not Trust.TIMECODE:
        by_cut = [(Fraction(0), 0, "")]
    elif trust is Trust.URL:
        by_cut = [
            (
                Fraction(0),
                0,
                f"The cut counts {media.path.name} from its first sample, not by its timecode.",
            )
        ]
    if trust is Trust.TIMECODE:
        yield from by_timecode
    elif trust is Trust.SLATE or available is None:
        yield from by_timecode
        yield from by_cut
    else:
        yield from by_cut
        yield from by_timecode


def _disagreement(available: Fraction, media: MediaFile, rate: FrameRate) -> str:
    reference = media.notes.time_reference
    if reference is None:
        return ""
    apart = abs(_samples(available, rate, media) - reference)
    if apart < Fraction(media.sample_rate) / rate.fps:
        return ""
    return (
        f"The cut starts {media.path.name} at {_timecode(available, rate)}, which is not its "
        "timecode; positions count from there."
    )


def _allowance(event: Event, rate: FrameRate, media: MediaFile) -> tuple[int, int]:
    """Samples that may be missing before and after: less than a frame, or a fade's length."""
    frame = -(-media.sample_rate * rate.fps.denominator // rate.fps.numerator) - 1
    head, tail = (
        frame if fade is None else max(frame, _samples(fade.length * abs(event.speed), rate, media))
        for fade in (event.fade_in, event.fade_out)
    )
    return (head, tail) if event.speed >= 0 else (tail, head)


def sounding_channels(event: Event, media: MediaFile) -> tuple[tuple[int, ...], str]:
    """Channels of the file that the event plays, and a note where they were chosen here.

    The event's own where it names them. Else all of a mono file or of a plain stereo file; of a
    poly file the boom, else the mix, else the first. Raises ValueError (a sentence) where the
    file does not have a channel that the event names.
    """
    name = media.path.name
    if event.channels:
        if max(event.channels) >= media.channels or min(event.channels) < 0:
            raise ValueError(
                f"The cut plays channel {max(event.channels) + 1} of {name}, which has only "
                f"{media.channels}: correct the channel in the cut or supply the poly file."
            )
        return event.channels, ""
    if media.channels == 1:
        return (0,), ""
    if media.channels == 2 and not media.notes.track_names:
        return (0, 1), ""
    for pattern in (_BOOM, _MIX):
        for channel, track in media.notes.track_names:
            if pattern.search(track) and channel < media.channels:
                return (channel,), f"The cut names no channel of {name}: {track} is used."
    return (0,), f"The cut names no channel of {name}: the first is used."


def played_range(event: Event, rate: FrameRate) -> str:
    """Source timecodes that an event plays, for people."""
    end = event.source_start + event.record_length * event.speed
    return f"{_timecode(event.source_start, rate)} to {_timecode(end, rate)}"


def _timecode(frames: Fraction, rate: FrameRate) -> str:
    return frames_to_timecode(int(frames), rate)


def _samples(frames: Fraction, rate: FrameRate, media: MediaFile) -> int:
    return frames_to_samples(frames, rate.fps, media.sample_rate)


def _frames_a_day(rate: FrameRate) -> int:
    """Frame numbers from midnight to midnight; drop-frame leaves numbers out 1,296 times a day."""
    return rate.nominal * 86400 - rate.dropped * 1296
