"""A night as the settings ask for it: the window, the work, the report and the message."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path

from adapters.webhook import post
from config.recipes import load_recipe
from core.errors import OutputError, UsageError
from db.codec import JSON
from flows.lock import only_writer
from flows.night import Clock, Night, NightJob, WallClock, window_end
from flows.night_report import FOLDER, counts, message, write_reports
from flows.nightly_dailies import nightly_dailies
from flows.progress import Progress
from flows.retention import apply_retention
from flows.runner import InTurn, Runner
from flows.workspace import Workspace


@dataclass(frozen=True)
class Reported:
    """A night with the folder of its report. unsent: why the message was not sent, or empty."""

    night: Night
    folder: Path
    unsent: str


def run_night(
    work: Workspace,
    progress: Progress,
    clock: Clock = WallClock(),
    run: Runner = InTurn(),
) -> Reported:
    """Do a night with the folders and the window of the settings, and report it.

    What has expired by the productions' rules is forgotten at its end.

    One night at a time works in a home; another waits for it. Raises UsageError where no folder
    is set, and what `nightly_dailies` raises.
    """
    settings = work.settings
    roots = settings.watched or settings.media
    if not roots:
        raise UsageError("No folder is watched: set `watched` to the folders dailies arrive in.")
    job = NightJob(
        roots=roots,
        recipe=load_recipe(settings.recipe),
        until=window_end(settings.nightly_until, clock.now()),
        settle_s=settings.nightly_settle_s,
    )
    reports = settings.home / FOLDER
    try:
        reports.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise OutputError(f"{reports} can't be made ({fault.strerror}).") from fault
    with only_writer(reports, progress):
        night = nightly_dailies(work, job, clock, progress, run)
        expired = apply_retention(work, clock.now().astimezone(UTC), "roomtone")
        night = replace(night, notes=(*night.notes, *expired))
        folder = write_reports(night, settings.home)
    url = settings.nightly_webhook.get_secret_value()
    unsent = post(url, message(night)) if url else ""
    return Reported(
        night, folder, f"The message about the night was {unsent}: check its URL." if unsent else ""
    )


def told_of_night(done: Reported) -> dict[str, JSON]:
    """What is kept of a night as a run's outcome."""
    night = done.night
    return {
        "out": str(done.folder),
        "report": str(done.folder / "report.html"),
        "takes": len(night.worked) + night.known,
        "takes_cleaned": sum(bool(item.cleaned) for item in night.worked),
        "takes_heard": sum(item.heard for item in night.worked),
        "counts": counts(night),
        "flagged": list(night.flagged),
        "notes": [*night.notes, *filter(None, [done.unsent])],
    }
