"""A night as a Prefect flow: a task a take, over the same plain functions.

Import this module only after `flows.quiet.quiet_prefect()`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow

from config.settings import load_settings
from flows.cores import workers_of
from flows.handed import watcher
from flows.night import WallClock
from flows.night_report import counts
from flows.nightly import run_night
from flows.prefect_artifacts import show_night
from flows.prefect_clean import AsTasks
from flows.spread import runner_for
from flows.workspace import open_workspace


@flow(name="nightly-dailies", persist_result=False)
def nightly_flow(
    roots: list[str] | None = None, until: str = "", recipe: str = "", settle_s: float | None = None
) -> dict[str, Any]:
    """A night of dailies: what is new is cleaned, listened to and reported.

    roots: watched folders; none: those of the settings. until: `HH:MM` from which no new take is
    begun; empty: as the settings say. recipe, settle_s: likewise. All else, and every secret, is
    read from the settings of the machine that works. Gives the counts of the report.
    """
    given = {
        "watched": tuple(map(Path, roots)) if roots else None,
        "nightly_until": until or None,
        "recipe": recipe or None,
        "nightly_settle_s": settle_s,
    }
    settings, _ = load_settings(given, Path.cwd())
    with open_workspace(settings) as work, runner_for(work) as spread:
        run = spread if settings.scheduler else AsTasks(workers_of(settings))
        done = run_night(work, watcher(), WallClock(), run)
    show_night(done)
    return counts(done.night)
