"""What a night of dailies is asked for, what it works through, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from typing import Protocol

from config.recipes import Recipe
from core.dailies import Daily


class Clock(Protocol):
    """What time it is, and how to wait."""

    def now(self) -> datetime:
        """Now, with a time zone; that of the place where the clock hangs."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class WallClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Now, in local time."""
        return datetime.now().astimezone()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@dataclass(frozen=True)
class NightJob:
    """What a night is asked for.

    roots: watched folders. until: no new take is begun from then on; None: all is done.
    settle_s: seconds between two looks at new files, which must be alike at both.
    """

    roots: tuple[Path, ...]
    recipe: Recipe
    until: datetime | None = None
    settle_s: float = 60.0


@dataclass(frozen=True)
class Waiting:
    """A folder that is still being copied.

    files: new ones in it. reason: a sentence. since: when its first new file was seen first, None
    where there is none.
    """

    folder: Path
    files: int
    reason: str
    since: datetime | None


@dataclass(frozen=True)
class Fault:
    """A file that can't be worked with as it is.

    reason: a sentence with the remedy. since: when the file was first seen.
    """

    path: Path
    reason: str
    since: datetime


@dataclass(frozen=True)
class Worked:
    """A take that this night worked on, or found done.

    cleaned: microphones cleaned now, of microphones. heard: whether it was listened to now. lines,
    words, speakers: what was heard, as counts. repaired, flagged, notes: a sentence each.
    engine, recogniser: by name, empty where none was used. stand_in, draft: whether these stand in
    for better ones.
    """

    daily: Daily
    microphones: int
    cleaned: int
    heard: bool
    lines: int
    words: int
    speakers: int
    repaired: tuple[str, ...]
    flagged: tuple[str, ...]
    engine: str
    stand_in: bool
    recogniser: str
    draft: bool
    notes: tuple[str, ...]

    @property
    def now(self) -> bool:
        """Whether anything was done tonight."""
        return bool(self.cleaned) or self.heard

    @property
    def seconds(self) -> float:
        """Its length, for people."""
        return self.daily.media.frames / self.daily.media.sample_rate


@dataclass(frozen=True)
class Night:
    """What came of a night.

    began, ended: of the work, after the looks; started: before them. until: the end of the window,
    or None. new: sound files that no night had seen before. worked: takes that were worked on
    tonight. known: takes that were done before. left: for the next night, in order. pictures, own:
    files left alone, for they are a camera's or roomtone's. notes: a sentence each.
    traces: of faults of roomtone itself, by path.
    """

    started: datetime
    began: datetime
    ended: datetime
    until: datetime | None
    roots: tuple[Path, ...]
    recipe: str
    new: int
    worked: tuple[Worked, ...]
    known: int
    waiting: tuple[Waiting, ...]
    failed: tuple[Fault, ...]
    left: tuple[Daily, ...]
    pictures: int
    own: int
    notes: tuple[str, ...]
    traces: Mapping[Path, str]

    @property
    def whole(self) -> bool:
        """Whether nothing failed, waits or was left."""
        return not (self.failed or self.waiting or self.left)

    @property
    def flagged(self) -> tuple[str, ...]:
        """What a gate held back tonight, a sentence each."""
        return tuple(text for item in self.worked for text in item.flagged)

    @property
    def sound_s(self) -> float:
        """Length of the takes that were worked on, in seconds."""
        return sum(item.seconds for item in self.worked)

    @property
    def work_s(self) -> float:
        """How long the work took, in seconds."""
        return (self.ended - self.began).total_seconds()

    @property
    def pace(self) -> float | None:
        """Hours of sound for each hour of work; None where nothing was done."""
        return self.sound_s / self.work_s if self.worked and self.work_s > 0 else None


def window_end(clock_time: str, now: datetime) -> datetime | None:
    """The next time at which a clock on the wall shows `HH:MM`; None for an empty text.

    now: with a time zone. Raises ValueError where it is no time of day.
    """
    if not clock_time:
        return None
    end = _on_day(clock_time, now, 0)
    return end if end > now else _on_day(clock_time, now, 1)


def last_begin(clock_time: str, now: datetime) -> datetime | None:
    """The last time at which a clock on the wall showed `HH:MM`, as `window_end`."""
    if not clock_time:
        return None
    begin = _on_day(clock_time, now, 0)
    return begin if begin <= now else _on_day(clock_time, now, -1)


def _on_day(clock_time: str, now: datetime, days: int) -> datetime:
    """A time of the day so many days from today."""
    day = now.date() + timedelta(days=days)
    at = datetime.combine(day, time_of_day.fromisoformat(clock_time))
    # The offset of the zone may change in the night; a clock in another zone keeps its own.
    own = now.astimezone().utcoffset() == now.utcoffset()
    return at.astimezone() if own else at.replace(tzinfo=now.tzinfo)
