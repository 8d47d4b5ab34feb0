"""The report of a night: a page, a short text for mail, and the same for programs.

Names of files and counts, and nothing of what was said in them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

from adapters.media.whole import write_text
from core.dailies import Daily
from core.errors import OutputError
from db.codec import JSON
from flows.night import Night, Worked
from flows.pages import filled
from flows.workspace import code_version

FOLDER = "reports"
MOST_SHOWN = 20
"""Sentences of a kind in the short text."""


@dataclass(frozen=True)
class Group:
    """The takes of a roll that were worked on. day: of the shoot."""

    day: str
    roll: str
    takes: tuple[Worked, ...]

    @property
    def seconds(self) -> float:
        """Length of its takes."""
        return sum(item.seconds for item in self.takes)


def write_reports(night: Night, home: Path) -> Path:
    """Write `report.html`, `report.txt` and `report.json` into a folder of the night's date.

    A second night of a date gets a folder of its own (`2026-05-04-2`). Traces of faults of
    roomtone itself go into `faults.txt`. Gives the folder. Raises OutputError.
    """
    folder = _new_folder(home / FOLDER, night.started.date().isoformat())
    if night.traces:
        told = (f"{path}\n{trace}" for path, trace in night.traces.items())
        write_text(folder / "faults.txt", "\n".join(told))
    write_text(folder / "report.html", page(night))
    write_text(folder / "report.txt", short_text(night))
    write_text(folder / "report.json", json.dumps(as_json(night), indent=1, ensure_ascii=False))
    return folder


def _new_folder(parent: Path, date: str) -> Path:
    number = 1
    try:
        while True:
            folder = parent / (date if number == 1 else f"{date}-{number}")
            try:
                folder.mkdir(parents=True)
            except FileExistsError:
                number += 1
            else:
                return folder
    except OSError as fault:
        raise OutputError(
            f"{parent} can't be written ({fault.strerror}); make room or change its permissions."
        ) from fault


def page(night: Night) -> str:
    """The report as one HTML page that needs nothing beside it."""
    text = filled(
        "night.html",
        (("duration", duration), ("plural", plural)),
        night=night,
        since=since,
        title=f"{night.started:%d %B %Y}".lstrip("0"),
        groups=groups(night),
        left=left_by_roll(night.left),
        stand_ins=sum(item.stand_in for item in night.worked),
        drafts=sum(item.draft for item in night.worked),
        unheard=sum(not item.recogniser for item in night.worked),
        notes=_notes(night),
        version=code_version(),
    )
    return text.encode("utf-8", "replace").decode("utf-8")


def short_text(night: Night) -> str:
    """The report as a short text, for mail."""
    told = [f"roomtone nightly, {night.started:%Y-%m-%d %H:%M} to {night.ended:%H:%M}", ""]
    told += [f"  {line}" for line in summary(night)]
    for title, sentences in (
        ("Failed", [item.reason + since(night, item.since) for item in night.failed]),
        (
            "Waiting",
            [f"{item.folder}: {item.reason}{since(night, item.since)}" for item in night.waiting],
        ),
        ("Left for the next night", [f"{roll}: {what}" for roll, what in left_by_roll(night.left)]),
        ("Needs ears", [*night.flagged]),
        ("Notes", [*_notes(night)]),
    ):
        if sentences:
            told += ["", title]
            told += [f"  {text}" for text in sentences[:MOST_SHOWN]]
            more = len(sentences) - MOST_SHOWN
            told += [f"  and {more} more, in report.html"] if more > 0 else []
    return "\n".join(told) + "\n"


def summary(night: Night) -> tuple[str, ...]:
    """What came in, what was done and how fast, what was not: a line each."""
    came = plural(night.new, "sound file")
    done = plural(len(night.worked), "take")
    lines = [
        f"Came in    {came}",
        f"Done       {done}, {duration(night.sound_s)} of sound in {duration(night.work_s)}"
        + (f" ({night.pace:.1f} hours of sound an hour)" if night.pace is not None else ""),
    ]
    if night.known:
        lines.append(f"Before     {plural(night.known, 'take')} done in earlier nights")
    ears = sum(bool(item.flagged) for item in night.worked)
    for name, count in (
        ("Failed", len(night.failed)),
        ("Waiting", sum(item.files for item in night.waiting)),
        ("Left", len(night.left)),
        ("Needs ears", ears),
    ):
        if count:
            lines.append(f"{name:10} {count}")
    return tuple(lines)


def as_json(night: Night) -> dict[str, JSON]:
    """The report for programs; times in ISO 8601, lengths in seconds."""
    return {
        "date": night.started.date().isoformat(),
        "started": night.started.isoformat(),
        "began": night.began.isoformat(),
        "ended": night.ended.isoformat(),
        "until": None if night.until is None else night.until.isoformat(),
        "roots": [str(root) for root in night.roots],
        "recipe": night.recipe,
        "whole": night.whole,
        "counts": counts(night),
        "sound_s": round(night.sound_s, 3),
        "work_s": round(night.work_s, 3),
        "pace": None if night.pace is None else round(night.pace, 3),
        "takes": [_take_json(item) for item in night.worked],
        "failed": [
            {"path": str(item.path), "reason": item.reason, "since": item.since.isoformat()}
            for item in night.failed
        ],
        "waiting": [
            {
                "folder": str(item.folder),
                "files": item.files,
                "reason": item.reason,
                "since": None if item.since is None else item.since.isoformat(),
            }
            for item in night.waiting
        ],
        "left": [_daily_json(item) for item in night.left],
        "notes": list(_notes(night)),
    }


def message(night: Night) -> dict[str, JSON]:
    """What a webhook is told: counts, and the names of files that failed or wait. No dialogue.

    text: a few lines, under the name that chat programs show.
    """
    lines = [f"roomtone nightly, {night.started:%Y-%m-%d}", *summary(night)]
    lines += [f"Failed: {item.path.name}" for item in night.failed[:MOST_SHOWN]]
    lines += [f"Waiting: {item.folder.name}" for item in night.waiting[:MOST_SHOWN]]
    return {
        "text": "\n".join(lines),
        "date": night.started.date().isoformat(),
        "whole": night.whole,
        "counts": counts(night),
        "sound_s": round(night.sound_s, 3),
        "work_s": round(night.work_s, 3),
        "failed": [item.path.name for item in night.failed],
        "waiting": [item.folder.name for item in night.waiting],
    }


def counts(night: Night) -> dict[str, JSON]:
    """How many of each: for programs, and for those who may know no names."""
    return {
        "new": night.new,
        "done": len(night.worked),
        "known": night.known,
        "failed": len(night.failed),
        "waiting": sum(item.files for item in night.waiting),
        "left": len(night.left),
        "needs_ears": sum(bool(item.flagged) for item in night.worked),
        "pictures": night.pictures,
        "own": night.own,
    }


def groups(night: Night) -> tuple[Group, ...]:
    """The takes that were worked on, by shoot day and roll, in the order of the day."""
    ordered = sorted(night.worked, key=_in_the_day)
    return tuple(
        Group(day, roll, tuple(takes))
        for (day, roll), takes in groupby(ordered, lambda item: (item.daily.day, item.daily.roll))
    )


def _in_the_day(item: Worked) -> tuple[str, str, int, str]:
    media = item.daily.media
    return item.daily.day, item.daily.roll, media.notes.time_reference or 0, str(media.path)


def left_by_roll(left: Sequence[Daily]) -> tuple[tuple[str, str], ...]:
    """What was left, by day and roll: the roll, and how many takes of it."""
    rolls: dict[str, list[Daily]] = {}
    for item in left:
        rolls.setdefault(f"{item.day} {item.roll}", []).append(item)
    told = []
    for roll, items in rolls.items():
        circled = sum(item.circled for item in items)
        more = f", {circled} of them circled" if circled else ""
        told.append((roll, plural(len(items), "take") + more))
    return tuple(told)


def since(night: Night, first: datetime | None) -> str:
    """A sentence where something was there in an earlier night already, else empty."""
    if first is None or first >= night.started:
        return ""
    return f" First seen on {first.astimezone(night.started.tzinfo):%Y-%m-%d}."


def duration(seconds: float) -> str:
    """A length for people: `2 h 05 min`, `12 min`, `34 s`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def plural(count: int, noun: str) -> str:
    """A count with its noun: `1 take`, `3 takes`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _notes(night: Night) -> tuple[str, ...]:
    """What a person should know of the night as a whole, and of each take that has a note."""
    alone = []
    if night.pictures:
        alone.append(f"{plural(night.pictures, 'picture or other file')} left alone.")
    if night.own:
        alone.append(f"{plural(night.own, 'file')} that roomtone made left alone.")
    takes = (text for item in night.worked for text in item.notes)
    return tuple(dict.fromkeys((*night.notes, *takes, *alone)))


def _daily_json(daily: Daily) -> dict[str, JSON]:
    notes = daily.media.notes
    return {
        "path": str(daily.media.path),
        "day": daily.day,
        "roll": daily.roll,
        "scene": notes.scene,
        "take": notes.take,
        "circled": daily.circled,
    }


def _take_json(item: Worked) -> dict[str, JSON]:
    return {
        **_daily_json(item.daily),
        "seconds": round(item.seconds, 3),
        "microphones": item.microphones,
        "cleaned": item.cleaned,
        "heard": item.heard,
        "lines": item.lines,
        "words": item.words,
        "speakers": item.speakers,
        "repaired": list(item.repaired),
        "flagged": list(item.flagged),
        "engine": item.engine,
        "stand_in": item.stand_in,
        "recogniser": item.recogniser,
        "draft": item.draft,
    }
