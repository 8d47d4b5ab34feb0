"""Where in a file an event lies, and which of its channels sound."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from adapters.media.recorder import Recorder
from core.cut import Event
from core.media import MediaFile
from core.time import FrameRate, frames_to_samples, frames_to_timecode, round_half_up

_BOOM = re.compile(r"\bboom", re.IGNORECASE)
_MIX = re.compile(r"\bmix", re.IGNORECASE)
_TOLERANCE = 1
_SECOND, _HALF_A_DAY, _DAY = 1.0, 43_200.0, 86_400.0
_SLACK = 2.0
"""Seconds past which a range is so far from a file that no exact arithmetic is due."""


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
    doubtful: whether the file's timecode speaks against it, so that a better file is looked for.
    """

    media: MediaFile
    start: int
    full: bool
    notes: tuple[str, ...] = ()
    doubtful: bool = False


@dataclass(frozen=True)
class Missed:
    """A file that does not hold the range of an event. away: samples that it lacks at the least."""

    media: MediaFile
    away: int


@dataclass(frozen=True)
class Reading:
    """A way to count from a file's first sample.

    A source position in frames less `frames`, in samples, less `samples`, is a sample of the file.
    seconds: where the first sample lies, to find what is near without exact arithmetic.
    """

    frames: Fraction
    samples: int
    seconds: float
    note: str = ""
    doubtful: bool = False


def readings_of(media: MediaFile, rate: FrameRate, recorder: Recorder) -> tuple[Reading, ...]:
    """The file's own timecode: as a clock face reads it, then as samples since midnight.

    rate: of the cut. The two part where the recorder counted at another rate than the cut (24
    against 23.976), or its time reference counts another sample rate than the file plays at
    (48048 against 48000). Empty for a file without timecode.
    """
    reference = media.notes.time_reference
    if reference is None:
        return ()
    label = _label(media, rate, recorder)
    if label is None:
        counted = recorder.timestamp_rate or media.sample_rate
        samples = round_half_up(Fraction(reference * media.sample_rate, counted))
        return (Reading(Fraction(0), samples, samples / media.sample_rate),)
    apart = abs(_samples(label, rate, media) - reference)
    note = (
        f"{media.path.name} is placed by its samples since midnight, for its timecode "
        f"({_timecode(label, rate)}) does not reach there: check its sync."
    )
    return (
        Reading(label, 0, float(label / rate.fps), _label_note(media, rate, apart)),
        Reading(Fraction(0), reference, reference / media.sample_rate, note, doubtful=True),
    )


def place(
    event: Event, media: MediaFile, rate: FrameRate, trust: Trust, readings: tuple[Reading, ...]
) -> Placing | Missed:
    """The event in the file, or by how much the file misses the range that it plays.

    rate: of the cut. readings: of the file's timecode, as `readings_of` gives them. Timecode
    counts on across midnight, whichever side the reference counts from. A range may reach out of
    the file by less than a frame, or by the length of a fade: that part is silent, and a note
    says so.
    """
    before, after = _allowance(event, rate, media)
    played = event.source_start + event.record_length * event.speed
    fps, sample_rate = float(rate.fps), media.sample_rate
    ends = float(event.source_start) / fps, float(played) / fps
    first, last = min(ends), max(ends)
    away = round(_DAY * sample_rate)
    for reading in _in_order(event, media, rate, trust, readings):
        off = _off(first - reading.seconds, last - reading.seconds, media)
        if off > max(before, after) / sample_rate + _SLACK:
            away = min(away, round(off * sample_rate))
            continue
        start = _samples(event.source_start - reading.frames, rate, media) - reading.samples
        end = _samples(played - reading.frames, rate, media) - reading.samples
        if not (min(start, end) < media.frames and max(start, end) > 0):
            day = _samples(Fraction(_frames_a_day(rate)), rate, media)
            shift = -day * round_half_up(Fraction(start, day))
            start, end = start + shift, end + shift
        low, high = min(start, end), max(start, end)
        missing = max(-low, high - media.frames, 0)
        inside = low < media.frames and high > 0
        if inside and low >= -before and high <= media.frames + after:
            notes: tuple[str, ...] = (reading.note,) if reading.note else ()
            if missing > _TOLERANCE:
                notes += (f"{missing} samples lie outside {media.path.name} and are silent.",)
            return Placing(media, start, missing <= _TOLERANCE, notes, reading.doubtful)
        away = min(away, missing)
    return Missed(media, away)


def _off(first: float, last: float, media: MediaFile) -> float:
    """Seconds by which a range, counted from the file's start, lies out of it at the least.

    Whole days don't count, of the clock or of a thousandth more (23.976).
    """
    length = media.frames / media.sample_rate
    off = max(-first, last - length, 0.0)
    if off < _HALF_A_DAY:
        return off
    return max(0.0, min(abs(off - _DAY), abs(off - _DAY * 1.001)) - length)


def _in_order(
    event: Event, media: MediaFile, rate: FrameRate, trust: Trust, readings: tuple[Reading, ...]
) -> Iterator[Reading]:
    """Ways to count from the file's first sample, the most believable first."""
    available = event.media.available_start
    by_cut: list[Reading] = []
    if available is not None:
        by_cut = [_by_reference(available, media, rate, readings)]
    elif not readings and trust is not Trust.TIMECODE:
        by_cut = [Reading(Fraction(0), 0, 0.0)]
    elif trust is Trust.URL:
        note = f"The cut counts {media.path.name} from its first sample, not by its timecode."
        by_cut = [Reading(Fraction(0), 0, 0.0, note)]
    if trust is Trust.TIMECODE:
        yield from readings
    elif trust is Trust.SLATE or available is None:
        yield from readings
        yield from by_cut
    else:
        yield from by_cut
        yield from readings


def _by_reference(
    available: Fraction, media: MediaFile, rate: FrameRate, readings: tuple[Reading, ...]
) -> Reading:
    seconds = float(available / rate.fps)
    if not readings or available == 0 or timecode_agrees(available, media, rate, readings):
        return Reading(available, 0, seconds)
    note = (
        f"The cut starts {media.path.name} at {_timecode(available, rate)}, which is not its "
        "timecode; positions count from there."
    )
    return Reading(available, 0, seconds, note, doubtful=True)


def timecode_agrees(
    available: Fraction, media: MediaFile, rate: FrameRate, readings: tuple[Reading, ...]
) -> bool:
    """Whether a reference's start, in frames of the cut, is the file's timecode to the frame."""
    seconds = float(available) / float(rate.fps)
    for reading in readings:
        if not _SECOND < abs(seconds - reading.seconds) < _HALF_A_DAY:
            start = reading.frames + Fraction(reading.samples) * rate.fps / media.sample_rate
            midnight = _frames_a_day(rate)
            gap = (available - start) % midnight
            if min(gap, midnight - gap) < 1:
                return True
    return False


def _label(media: MediaFile, rate: FrameRate, recorder: Recorder) -> Fraction | None:
    """The timecode of the first sample, in frames of the cut, where it is not simply its samples.

    Timecode that drops frames keeps to the clock, so there samples since midnight are right.
    """
    reference, counting = media.notes.time_reference, media.notes.timecode_rate
    counted = recorder.timestamp_rate or media.sample_rate
    if reference is None or (counting in (None, rate) and counted == media.sample_rate):
        return None
    theirs = rate if counting is None else counting
    if theirs.drop or rate.drop:
        return None
    seconds = Fraction(reference, counted) * theirs.fps / theirs.nominal
    frames = seconds * rate.nominal
    apart = abs(frames * media.sample_rate / rate.fps - reference)
    return None if apart <= _TOLERANCE and counted == media.sample_rate else frames


def _label_note(media: MediaFile, rate: FrameRate, apart: int) -> str:
    if apart < Fraction(media.sample_rate) / rate.fps:
        return ""
    counting = media.notes.timecode_rate
    own = f"at {counting}" if counting is not None and counting != rate else "at another speed"
    return (
        f"{media.path.name} was recorded with timecode {own}, the cut runs at {rate}: it is placed "
        "by what the timecode reads."
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

    The event's own where it names them; but an edit decision list, which knows nothing of its
    media, numbers the track there, so that all of a mono file sounds. Else all of a mono file or
    of a plain stereo file; of a poly file the boom, else the mix, else the first. Raises
    ValueError (a sentence) where the file does not have a channel that the event names.
    """
    name = media.path.name
    numbers_tracks = event.media.available_start is None and len(event.channels) == 1
    if media.channels == 1 and numbers_tracks and event.channels != (0,):
        return (0,), f"The cut plays channel {event.channels[0] + 1} of {name}, which is mono."
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
    channel, track = preferred_track(media.notes.track_names, media.channels)
    used = f"{track} is used" if track else "the first is used"
    return (channel,), f"The cut names no channel of {name}: {used}."


def preferred_track(names: tuple[tuple[int, str], ...], channels: int) -> tuple[int, str]:
    """The boom among named tracks, else the mix, else channel 0 with an empty name."""
    for pattern in (_BOOM, _MIX):
        for channel, track in names:
            if pattern.search(track) and channel < channels:
                return channel, track
    return 0, ""


def played_range(event: Event, rate: FrameRate) -> str:
    """Source timecodes that an event plays, for people."""
    end = event.source_start + event.record_length * event.speed
    return f"{_timecode(event.source_start, rate)} to {_timecode(end, rate)}"


def held_range(media: MediaFile, rate: FrameRate, readings: tuple[Reading, ...]) -> str:
    """Timecodes that a file holds, for people; its length where it has no timecode."""
    length = Fraction(media.frames) * rate.fps / media.sample_rate
    if not readings:
        return f"no timecode and {float(length / rate.fps):.1f} s of sound"
    start = readings[0].frames + Fraction(readings[0].samples) * rate.fps / media.sample_rate
    return f"{_timecode(start, rate)} to {_timecode(start + length, rate)}"


def _timecode(frames: Fraction, rate: FrameRate) -> str:
    return frames_to_timecode(int(frames), rate)


def _samples(frames: Fraction, rate: FrameRate, media: MediaFile) -> int:
    return frames_to_samples(frames, rate.fps, media.sample_rate)


def _frames_a_day(rate: FrameRate) -> int:
    """Frame numbers from midnight to midnight; drop-frame leaves numbers out 1,296 times a day."""
    return rate.nominal * 86400 - rate.dropped * 1296
