"""Roomtone's flows for a Prefect server, served from this process: `python -m flows.deployments`.

A server with work pools takes `prefect.yaml` instead (`prefect deploy --all`): the same names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config.settings import Settings, load_settings
from flows.announce import trigger
from flows.quiet import quiet_prefect

NIGHT = "every-night"
CLEAN_CUT = "clean-cut"


def main() -> None:
    """Serve cuts as they are asked for, and the night on its schedule, one night at a time.

    Without the setting `nightly_at` there is no night. Ends with the process.
    """
    settings, _ = load_settings({}, Path.cwd())
    quiet_prefect(settings.home)
    from prefect import serve

    nights = [_night(settings.nightly_at)] if settings.nightly_at else []
    serve(*nights, _clean_cut(settings))


def _night(begins: str) -> Any:
    from prefect.schedules import Cron

    from flows.prefect_nightly import nightly_flow

    hour, _, minute = begins.partition(":")
    return nightly_flow.to_deployment(
        NIGHT,
        schedule=Cron(f"{int(minute)} {int(hour)} * * *", timezone=local_zone()),
        concurrency_limit=1,
    )


def _clean_cut(settings: Settings) -> Any:
    from prefect.events import DeploymentEventTrigger

    from flows.prefect_cut import cut_flow

    # Others wait in the server's queue, so that memory is bounded.
    return cut_flow.to_deployment(
        CLEAN_CUT,
        triggers=[DeploymentEventTrigger(**trigger())],
        concurrency_limit=settings.runs_at_once,
    )


def local_zone() -> str:
    """The name of this machine's time zone, that the hour of a night is meant in."""
    import tzlocal

    return tzlocal.get_localzone_name()


if __name__ == "__main__":
    main()
