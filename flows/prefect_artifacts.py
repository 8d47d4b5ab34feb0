"""What Prefect's page shows of a run beside its tasks: tables, a picture, where the report is.

Import this module only after `flows.quiet.quiet_prefect()`. Names of files and counts, nothing of
what was said; what can't be shown is logged, and is no fault of the run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from httpx import HTTPError
from prefect.artifacts import (
    create_image_artifact,
    create_markdown_artifact,
    create_table_artifact,
)
from prefect.exceptions import PrefectException
from sqlalchemy.exc import SQLAlchemyError

from core.errors import RoomtoneError
from flows.cut_shown import cut_shown
from flows.job import Outcome
from flows.night_report import counts
from flows.nightly import Reported
from flows.report import REPORT
from flows.workspace import Workspace

LOG = logging.getLogger("roomtone.prefect")
SUMMARY, GATES, PICTURE, TOLD = "cut-summary", "cut-gates", "cut-picture", "cut-report"
NIGHT_COUNTS, NIGHT_TOLD = "nightly-counts", "nightly-report"


def show_cut(work: Workspace, cut: Path, outcome: Outcome) -> None:
    """Show a cut: its numbers, the gates, its tracks, and what a person should know of it."""
    summary = {
        "takes": outcome.takes,
        "cleaned now": outcome.takes_cleaned,
        "listened to now": outcome.takes_heard,
        "held back": len(outcome.flagged),
        "offline": len(outcome.offline),
        "files": outcome.files,
        "written now": "yes" if outcome.rendered_now else "no",
        "dialogue, LUFS": _number(outcome.loudness),
        "true peak, dBTP": _number(outcome.true_peak),
        "gain, dB": _number(outcome.gain_db),
        "engines": ", ".join(outcome.engines),
    }
    told = (*outcome.flagged, *outcome.notes, f"Report: {outcome.out / REPORT}")

    def shown() -> None:
        _table(SUMMARY, f"{cut.name} in numbers", summary)
        at_a_glance = cut_shown(work, cut)
        create_table_artifact(
            [dict(row) for row in at_a_glance.gates], key=GATES, description=f"Gates of {cut.name}"
        )
        create_image_artifact(
            image_url=at_a_glance.picture, key=PICTURE, description=f"The tracks of {cut.name}"
        )
        _list(TOLD, told)

    _kept_going(shown)


def show_night(done: Reported) -> None:
    """Show a night: its numbers, what is held back, and what is unfinished."""
    night = done.night
    told = [item.reason for item in night.failed] + [item.reason for item in night.waiting]
    told += [*night.flagged, *filter(None, [done.unsent])]

    def shown() -> None:
        _table(NIGHT_COUNTS, "The night in numbers", counts(night))
        _list(NIGHT_TOLD, [*told, f"Report: {done.folder / 'report.html'}"])

    _kept_going(shown)


def _table(key: str, what: str, values: Mapping[str, Any]) -> None:
    rows = [{"what": name, "value": value} for name, value in values.items()]
    create_table_artifact(rows, key=key, description=what)


def _list(key: str, told: Sequence[str]) -> None:
    create_markdown_artifact("\n".join(f"- {text}" for text in told), key=key)


def _number(value: float) -> str:
    return f"{value:.1f}" if abs(value) < float("inf") else "silent"


def _kept_going(show: Callable[[], None]) -> None:
    try:
        show()
    except (HTTPError, PrefectException, RoomtoneError, SQLAlchemyError) as fault:
        LOG.warning(
            "Prefect's page lacks what came of the run (%s): %s", type(fault).__name__, fault
        )
