"""Exact time: frame rates as fractions, SMPTE timecode, frames to samples by one rule.

The rule: a *position* is rounded to the nearest sample, halves up; a *length* is the
difference of two rounded positions. So lengths always add up to the whole, and two clips
that touch in frames touch in samples. No float seconds anywhere.

Drop-frame arithmetic follows SMPTE ST 12-1: at 29.97 the first two (at 59.94 the first four)
frame numbers of every minute are skipped, except in minutes divisible by ten.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from core.errors import InputError

_TIMECODE = re.compile(r"^(\d{1,2}):(\d{1,2}):(\d{1,2})([:;.,])(\d{1,3})$")


@dataclass(frozen=True)
class FrameRate:
    """A frame rate and how its timecode counts.

    fps: frames a second, exact (24000/1001 for 23.976).
    drop: whether timecode skips frame numbers (29.97 and 59.94 only).
    """

    fps: Fraction
    drop: bool = False

    def __post_init__(self) -> None:
        if self.fps <= 0:
            raise InputError(f"A frame rate of {self.fps} is not possible.")
        if self.drop and self.fps not in (Fraction(30000, 1001), Fraction(60000, 1001)):
            raise InputError(f"Drop-frame timecode exists at 29.97 and 59.94 only, not at {self}.")

    @property
    def nominal(self) -> int:
        """Frame numbers counted in a second of timecode (24 for 23.976)."""
        return round(self.fps)

    @property
    def dropped(self) -> int:
        """Frame numbers skipped at the start of a minute."""
        return self.nominal // 15 if self.drop else 0

    def __str__(self) -> str:
        number = f"{float(self.fps):.3f}".rstrip("0").rstrip(".")
        return f"{number} DF" if self.drop else number


RATES: dict[str, FrameRate] = {
    "23.976": FrameRate(Fraction(24000, 1001)),
    "24": FrameRate(Fraction(24)),
    "25": FrameRate(Fraction(25)),
    "29.97": FrameRate(Fraction(30000, 1001)),
    "29.97 DF": FrameRate(Fraction(30000, 1001), drop=True),
    "30": FrameRate(Fraction(30)),
    "47.95": FrameRate(Fraction(48000, 1001)),
    "48": FrameRate(Fraction(48)),
    "50": FrameRate(Fraction(50)),
    "59.94": FrameRate(Fraction(60000, 1001)),
    "59.94 DF": FrameRate(Fraction(60000, 1001), drop=True),
    "60": FrameRate(Fraction(60)),
}


def exact_fps(value: float | int | str | Fraction) -> Fraction:
    """The exact rate that a number found in a file stands for.

    Rates within 0.01 of a multiple of 1000/1001 of a whole number (23.98, 23.976, 29.97,
    47.95, 59.94) become that fraction; everything else is taken as written.
    Raises InputError for what is no positive number.
    """
    if isinstance(value, str) and (len(value) > 40 or "e" in value.lower()):
        # Fraction would write out all the digits of 1e999999999.
        raise InputError(f"{value[:40]!r} is not a frame rate.")
    try:
        given = Fraction(value) if not isinstance(value, float) else Fraction(repr(value))
    except (ValueError, ZeroDivisionError, OverflowError) as fault:
        raise InputError(f"{value!r} is not a frame rate.") from fault
    if not Fraction(1, 1000) <= given <= 1_000_000:
        raise InputError(f"{value!r} is not a frame rate.")
    if given.denominator == 1:
        return given
    nearest = Fraction(round(given * 1001 / 1000) * 1000, 1001)
    whole = Fraction(round(given))
    if min(abs(given - nearest), abs(given - whole)) > Fraction(1, 100):
        return given
    return nearest if abs(given - nearest) <= abs(given - whole) else whole


def parse_rate(text: str) -> FrameRate:
    """A frame rate as a person writes it: `23.976`, `29.97 DF`, `24000/1001`, `25`."""
    words = text.strip().upper().replace("NDF", "").replace("DF", " DF").split()
    try:
        fps = exact_fps(words[0])
        if words[1:] not in ([], ["DF"]):
            raise ValueError(text)
    except (IndexError, ValueError, InputError) as fault:
        raise InputError(
            f"{text!r} is not a frame rate; write for example 23.976 or 29.97 DF."
        ) from fault
    return FrameRate(fps, drop="DF" in words)


def round_half_up(value: Fraction | int) -> int:
    """The nearest whole number, halves towards plus infinity."""
    return int((2 * value + 1) // 2)


def frames_to_samples(frames: Fraction | int, fps: Fraction, sample_rate: int) -> int:
    """The sample nearest to a position given in frames (halves up)."""
    return round_half_up(Fraction(frames) * sample_rate / fps)


def span_to_samples(
    start: Fraction | int, length: Fraction | int, fps: Fraction, sample_rate: int
) -> tuple[int, int]:
    """Start and length in samples of a range given in frames."""
    first = frames_to_samples(start, fps, sample_rate)
    return first, frames_to_samples(Fraction(start) + length, fps, sample_rate) - first


def samples_to_frames(samples: int, fps: Fraction, sample_rate: int) -> Fraction:
    """The exact position in frames of a sample (not rounded)."""
    return Fraction(samples) * fps / sample_rate


def sample_to_frame(sample: int, fps: Fraction, sample_rate: int) -> int:
    """The frame that a sample lies in: the last one that begins at it or before.

    Where a frame begins is rounded as `frames_to_samples` does, so that the sample at which a
    frame begins lies in that frame at every rate.
    """
    frame = int(samples_to_frames(sample, fps, sample_rate) // 1)
    return frame + 1 if frames_to_samples(frame + 1, fps, sample_rate) <= sample else frame


def timecode_to_frames(text: str, rate: FrameRate) -> int:
    """Frames since midnight of a SMPTE timecode, `HH:MM:SS:FF` (`;` before the frames: drop).

    The rate decides whether frames are dropped; the separator only has to be one of `: ; . ,`.
    Raises InputError where the text is no timecode or names a frame that does not exist.
    """
    match = _TIMECODE.match(text.strip())
    if match is None:
        raise InputError(f"{text!r} is not a timecode (HH:MM:SS:FF).")
    hours, minutes, seconds, frames = (int(match[i]) for i in (1, 2, 3, 5))
    if minutes > 59 or seconds > 59 or frames >= rate.nominal:
        raise InputError(f"Timecode {text!r} does not exist at {rate}.")
    if rate.drop and seconds == 0 and minutes % 10 and frames < rate.dropped:
        raise InputError(f"Timecode {text!r} is a dropped frame number at {rate}.")
    total_minutes = hours * 60 + minutes
    count = (total_minutes * 60 + seconds) * rate.nominal + frames
    return count - rate.dropped * (total_minutes - total_minutes // 10)


def frames_to_timecode(frames: int, rate: FrameRate) -> str:
    """SMPTE timecode of a frame count, wrapped at 24 hours; `;` before the frames in drop."""
    minute = rate.nominal * 60 - rate.dropped
    ten_minutes = minute * 10 + rate.dropped
    count = frames % (ten_minutes * 6 * 24)
    if rate.drop:
        tens, rest = divmod(count, ten_minutes)
        count += rate.dropped * 9 * tens
        if rest >= rate.dropped:
            count += rate.dropped * ((rest - rate.dropped) // minute)
    seconds, frame = divmod(count, rate.nominal)
    minutes, second = divmod(seconds, 60)
    hour, minute_of_hour = divmod(minutes, 60)
    separator = ";" if rate.drop else ":"
    return f"{hour:02d}:{minute_of_hour:02d}:{second:02d}{separator}{frame:02d}"


def samples_to_timecode(samples: int, rate: FrameRate, sample_rate: int) -> str:
    """Timecode of the frame that a sample lies in."""
    return frames_to_timecode(sample_to_frame(samples, rate.fps, sample_rate), rate)


def seconds_text(samples: int, sample_rate: int, digits: int = 6) -> str:
    """A length in seconds with so many decimals, for formats that count in them (not negative).

    Six decimals give every sample back, up to a rate of 500 kHz.
    """
    scaled = round_half_up(Fraction(samples * 10**digits, sample_rate))
    whole, part = divmod(scaled, 10**digits)
    return f"{whole}.{part:0{digits}d}"


def clock(samples: int, sample_rate: int) -> str:
    """Minutes, seconds and milliseconds of a length, for people: `1:02.345`."""
    milliseconds = round_half_up(Fraction(samples * 1000, sample_rate))
    return f"{milliseconds // 60000}:{milliseconds // 1000 % 60:02d}.{milliseconds % 1000:03d}"
