"""How long what is learned of a production is kept, and how people say so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.errors import UsageError

_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_AGE = re.compile(r"\s*(\d{1,5})\s*([dwmy])\s*", re.IGNORECASE)
FOREVER = "forever"


class Kept(StrEnum):
    """What has an end.

    TRANSCRIPTS: words and corrections, counted from when they were written down. VOICES:
    voiceprints, from when they were measured or enrolled. TAKES: all that was heard in a take and
    its cleaned sound, from when its file was first seen.
    """

    TRANSCRIPTS = "transcripts"
    VOICES = "voices"
    TAKES = "takes"


@dataclass(frozen=True)
class Rule:
    """How long something of a production is kept, who said so and when (UTC)."""

    project: str
    kept: Kept
    days: int
    by: str
    since: datetime

    def ended_before(self, now: datetime) -> datetime:
        """What is older than this has expired."""
        return now - timedelta(days=self.days)


def days_asked(text: str) -> int | None:
    """Days of an age as people write it: `180d`, `8w`, `6m` (of 30 days), `2y` (of 365).

    None for `forever`. Raises UsageError for anything else.
    """
    if text.strip().casefold() == FOREVER:
        return None
    found = _AGE.fullmatch(text)
    days = int(found[1]) * _DAYS[found[2].casefold()] if found else 0
    if not days:
        raise UsageError(
            f"{text!r} is no length of time: write 180d, 8w, 6m or 2y, or {FOREVER} for no end."
        )
    return days


def age_words(days: int) -> str:
    """The same as people write it: the largest unit that fits."""
    for unit in ("y", "w"):
        if days % _DAYS[unit] == 0:
            return f"{days // _DAYS[unit]}{unit}"
    return f"{days}d"
