"""Nights on a schedule: once an evening, one worker asks for a night, whichever comes first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from config.settings import Settings
from core.run import Run, Wanted
from db import runs as rows
from db.engine import Database
from flows.jobs import NIGHT
from flows.night import last_begin, window_end

BY = "schedule"
LATEST = timedelta(hours=12)
"""A night whose window has no end is not begun later than this after its hour."""


def ask_for_night(database: Database, settings: Settings, local: datetime) -> Run | None:
    """Ask for the night that is due by the setting `nightly_at`, where nobody has yet.

    local: now, with the time zone that the setting is meant in. Gives the run, or None where none
    is due: before its hour, once its window is over, or where it was asked for already.
    """
    roots = settings.watched or settings.media
    begins = last_begin(settings.nightly_at, local)
    if begins is None or not roots:
        return None
    ends = window_end(settings.nightly_until, begins) or begins + LATEST
    if local >= ends:
        return None
    with database.read() as session:
        if rows.asked_since(session, NIGHT, BY, begins):
            return None
    with database.write() as session:
        if rows.asked_since(session, NIGHT, BY, begins):
            return None
        return rows.add_run(session, NIGHT, Wanted(roots), BY, local.astimezone(UTC))
