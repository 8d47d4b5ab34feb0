"""The timecodes of an EDL as frame counts, with what is absurd derived or refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from adapters.timelines.edl.lines import EditLine, Remark, Statement
from core.errors import InputError
from core.time import FrameRate, frames_to_timecode, round_half_up, timecode_to_frames

DROPPING = (Fraction(30000, 1001), Fraction(60000, 1001))
_TIMECODE = re.compile(r"([0-9]{1,3})[:;.,]([0-9]{1,3})[:;.,]([0-9]{1,3})([:;.,])([0-9]{1,3})")
_PLACES = ("source in", "source out", "record in", "record out")


@dataclass(frozen=True, slots=True)
class Times:
    """An edit's times in frames since midnight; an out may lie past midnight.

    Where a source runs down (out before in), it plays backwards.
    """

    source_in: int
    source_out: int
    record_in: int
    record_out: int

    @property
    def length(self) -> int:
        """Record frames."""
        return self.record_out - self.record_in


def counting(found: Sequence[Statement], rate: FrameRate) -> tuple[FrameRate, list[str]]:
    """How the list's timecode counts at `rate`, and warnings.

    The first `FCM` decides; without one the separator of the first record timecode (`;` and `,`
    stand for drop frame), and with neither the rate as given.
    """
    said = next((item for item in found if isinstance(item, Remark) and item.kind == "fcm"), None)
    if said is not None:
        drop = says_drop(said)
        if drop and rate.fps not in DROPPING:
            return rate, [
                f"Line {said.line}: drop frame does not exist at {rate}, so no frame numbers are "
                "dropped."
            ]
        return FrameRate(rate.fps, drop), []
    first = next((item for item in found if isinstance(item, EditLine)), None)
    if first is not None and _separator(first.times[2]) in ";,":
        return FrameRate(rate.fps, rate.fps in DROPPING), []
    return rate, []


def says_drop(remark: Remark) -> bool:
    """Whether an `FCM` line asks for drop frame."""
    return "NON" not in remark.text.upper() and "DROP" in remark.text.upper()


@dataclass(frozen=True, slots=True)
class Clock:
    """What a list's timecode is counted by, worked out once.

    rate: the cut's. nominal: frame numbers a second. drops: whether drop frame exists at this
    rate. day: frames from midnight to midnight.
    """

    rate: FrameRate
    nominal: int
    drops: bool
    day: int


def clock(rate: FrameRate) -> Clock:
    """The clock of a rate."""
    last = timecode_to_frames(f"23:59:59:{rate.nominal - 1}", rate)
    return Clock(rate, rate.nominal, rate.fps in DROPPING, last + 1)


def frames(text: str, by: Clock, drop: bool) -> int:
    """Frames since midnight of a timecode as an EDL writes it.

    drop: whether the `FCM` in force drops frames; `;` and `,` before the frames say so by
    themselves. Rates without drop frame ignore both. Raises InputError for a time that does not
    exist.
    """
    match = _TIMECODE.fullmatch(text)
    if match is None:
        raise InputError(f"{text!r} is not a timecode (HH:MM:SS:FF).")
    hour, minute, second, frame = int(match[1]), int(match[2]), int(match[3]), int(match[5])
    drops = by.drops and (drop or match[4] in ";,")
    if minute < 60 and second < 60 and frame < by.nominal and hour < 100 and not drops:
        count = ((hour * 60 + minute) * 60 + second) * by.nominal + frame
    else:
        count = timecode_to_frames(
            f"{hour}:{minute}:{second}:{frame}", FrameRate(by.rate.fps, drops)
        )
    if count > by.day:
        raise InputError(f"Timecode {text!r} is past midnight.")
    return count


def times_of(
    edit: EditLine, by: Clock, drop: bool, speed: Fraction
) -> tuple[Times | None, list[str]]:
    """The times of an edit, None where they can't be known; and warnings.

    One absurd time of the four is derived from the others, at the speed the edit plays.
    """
    counts: list[int] = []
    faults: list[tuple[int, str]] = []
    for place, text in enumerate(edit.times):
        try:
            counts.append(frames(text, by, drop))
        except InputError as fault:
            counts.append(0)
            faults.append((place, str(fault)))
    warnings = []
    if faults:
        place, fault_text = faults[0]
        derived = _derived(counts, place, speed) if len(faults) == 1 else None
        if derived is None or derived < 0:
            return None, [f"Line {edit.line}: {fault_text} The event is left out."]
        counts[place] = derived
        warnings.append(
            f"Line {edit.line}: {fault_text} As {_PLACES[place]}, "
            f"{frames_to_timecode(derived, by.rate)} is derived from the other three times."
        )
    source_in, source_out, record_in, record_out = counts
    whole = by.day
    if record_out < record_in:
        record_out += whole
    if record_out - record_in > whole // 2:
        return None, [
            *warnings,
            f"Line {edit.line}: the record runs from {edit.times[2]} to {edit.times[3]}, which is "
            "backwards or over twelve hours. The event is left out.",
        ]
    if source_out < source_in and speed >= 0 and source_out + whole - source_in <= whole // 2:
        source_out += whole
    times = Times(source_in, source_out, record_in, record_out)
    return times, warnings


def _separator(text: str) -> str:
    return next((c for c in reversed(text) if c in ":;.,"), ":")


def _derived(counts: list[int], place: int, speed: Fraction) -> int | None:
    source_in, source_out, record_in, record_out = counts
    if place < 2:
        length = round_half_up(abs(speed) * (record_out - record_in))
        return source_in + length if place else source_out - length
    if not speed or source_out <= source_in:
        return None
    length = round_half_up((source_out - source_in) / abs(speed))
    return record_in + length if place == 3 else record_out - length
