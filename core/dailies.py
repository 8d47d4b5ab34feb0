"""Dailies: which shoot day and sound roll a take belongs to, and in which order they are done."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from core.media import MediaFile

CALL_HOUR = 6
"""A roll that goes on past midnight is of the day before until this hour."""

_DATE = re.compile(r"(\d{4})[-_:./ ](\d{2})[-_:./ ](\d{2})")
_HOUR = re.compile(r"(\d{2})[-_:./ ]\d{2}")


@dataclass(frozen=True)
class Daily:
    """A take as it came in.

    day: of the shoot, `YYYY-MM-DD`. roll: the recorder's tape, else the folder's name. hour: at
    which it was recorded, counted on past midnight, or None where that is not known.
    """

    media: MediaFile
    day: str
    roll: str
    hour: int | None = None

    @property
    def circled(self) -> bool:
        """Whether the director liked it."""
        return self.media.notes.circled


def daily_of(media: MediaFile, changed: datetime) -> Daily:
    """A take with its day and roll. changed: when its file was changed last, local time.

    The day is the recorder's, else that of the file. A date that no calendar has is none.
    """
    notes = media.notes
    recorded = _calendar(notes.origination_date)
    hour = _HOUR.match(notes.origination_time.strip())
    at = int(hour[1]) if hour else None
    roll = notes.tape.strip() or media.path.parent.name
    if recorded is None:
        return Daily(media, changed.date().isoformat(), roll, changed.hour)
    return Daily(media, recorded.isoformat(), roll, at)


def in_order(dailies: Iterable[Daily]) -> tuple[Daily, ...]:
    """The takes in the order in which they are done: circled ones, then by day, roll and clock.

    A roll that was begun a day before goes on after midnight as that day's.
    """
    given = list(dailies)
    rolls = {(item.roll, item.day) for item in given}
    moved = (
        replace(item, day=before, hour=item.hour + 24)
        if item.hour is not None
        and item.hour < CALL_HOUR
        and (item.roll, before := _day_before(item.day)) in rolls
        else item
        for item in given
    )
    return tuple(sorted(moved, key=_place))


def _place(item: Daily) -> tuple[bool, str, str, bool, int, str]:
    late = item.hour is not None and item.hour >= 24
    reference = item.media.notes.time_reference or 0
    return (not item.circled, item.day, item.roll, late, reference, str(item.media.path))


def _calendar(text: str) -> date | None:
    match = _DATE.match(text.strip())
    if match is None:
        return None
    try:
        return date(*(int(part) for part in match.groups()))
    except ValueError:
        return None


def _day_before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()
