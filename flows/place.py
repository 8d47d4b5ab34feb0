"""Places in a take as people name them: timecode, seconds, a channel's name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from core.errors import InputError, UsageError
from core.media import MediaFile
from core.time import (
    FrameRate,
    clock,
    frames_to_samples,
    round_half_up,
    samples_to_timecode,
    timecode_to_frames,
)
from flows.channels import listening_channel
from flows.takes import microphone_name

_CLOCK = re.compile(r"^(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:\.\d*)?|\.\d+)s?$")
_DAY_HOURS = 24


@dataclass(frozen=True)
class Timed:
    """A sound that has places. rate, reference: its timecode, None where it has none."""

    name: str
    sample_rate: int
    frames: int
    rate: FrameRate | None
    reference: int | None


def position(media: MediaFile, text: str) -> int:
    """The sample of a file that a person names: timecode, seconds or m:ss from its start.

    Raises UsageError for what is neither, InputError for timecode in a file that has none.
    """
    notes = media.notes
    return place_in(
        Timed(
            media.path.name,
            media.sample_rate,
            media.frames,
            notes.timecode_rate,
            notes.time_reference,
        ),
        text,
    )


def place_in(sound: Timed, text: str) -> int:
    """As `position`, of any sound."""
    words = text.strip()
    found = _CLOCK.match(words)
    if found is not None:
        hours, minutes, seconds = (Fraction(part or 0) for part in found.groups())
        return round_half_up(((hours * 60 + minutes) * 60 + seconds) * sound.sample_rate)
    if len(re.split("[:;.,]", words)) != 4:
        raise UsageError(
            f"{text!r} is no place in {sound.name}; give timecode (10:12:08:00), seconds "
            "(12.5) or minutes and seconds (1:02.5)."
        )
    rate, reference = sound.rate, sound.reference
    if rate is None or reference is None:
        raise InputError(
            f"{sound.name} has no timecode; give places in it in seconds from its start."
        )
    frames = timecode_to_frames(words, rate)
    sample = frames_to_samples(frames, rate.fps, sound.sample_rate) - reference
    day = frames_to_samples(_DAY_HOURS * 3600 * rate.nominal, rate.fps, sound.sample_rate)
    # A take that runs over midnight counts on from nought.
    return sample + day if sample < 0 and reference + sound.frames > day else sample


def position_text(media: MediaFile, sample: int) -> str:
    """A sample's timecode, or its time in a file that has none."""
    rate, reference = media.notes.timecode_rate, media.notes.time_reference
    if rate is None or reference is None:
        return clock(sample, media.sample_rate)
    return samples_to_timecode(reference + sample, rate, media.sample_rate)


def stretch_of(media: MediaFile, start: str, end: str) -> tuple[int, int]:
    """First sample and one past the last between two places; empty is the start, or the end.

    Raises UsageError where that is no stretch of the file.
    """
    first = position(media, start) if start else 0
    last = position(media, end) if end else media.frames
    if not 0 <= first < last <= media.frames:
        raise UsageError(
            f"{media.path.name} runs from {position_text(media, 0)} to "
            f"{position_text(media, media.frames)} ({clock(media.frames, media.sample_rate)}); "
            f"{start or 'its start'} to {end or 'its end'} is no stretch of it."
        )
    return first, last


def channel_of(media: MediaFile, asked: str) -> int:
    """The channel that a number from 1 or a name stands for; empty: what is transcribed.

    Raises UsageError for one that the file does not have.
    """
    if not asked:
        return listening_channel(media)
    names = {name.strip().casefold(): number for number, name in media.notes.track_names}
    number = names.get(asked.strip().casefold())
    if number is None and asked.strip().isdecimal():
        number = int(asked) - 1
    if number is None or not 0 <= number < media.channels:
        known = ", ".join(microphone_name(media, k) for k in range(media.channels))
        raise UsageError(
            f"{media.path.name} has no channel {asked!r}; it has 1 to {media.channels}: {known}."
        )
    return number
