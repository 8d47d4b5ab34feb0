"""Roomtone's flows for a Prefect server, served from this process: `python -m flows.deployments`.

A server with work pools takes `prefect.yaml` instead (`prefect deploy --all`): the same names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config.settings import load_settings
from core.errors import UsageError
from flows.quiet import quiet_prefect

NIGHT = "every-night"


def main() -> None:
    """Serve the night on its schedule until the process is ended; one night at a time."""
    settings, _ = load_settings({}, Path.cwd())
    if not settings.nightly_at:
        raise UsageError("Set nightly_at to the time of day at which a night begins (20:00).")
    quiet_prefect(settings.home)
    from prefect import serve
    from prefect.schedules import Cron

    from flows.prefect_nightly import nightly_flow

    hour, _, minute = settings.nightly_at.partition(":")
    night: Any = nightly_flow.to_deployment(
        NIGHT,
        schedule=Cron(f"{int(minute)} {int(hour)} * * *", timezone=local_zone()),
        concurrency_limit=1,
    )
    serve(night)


def local_zone() -> str:
    """The name of this machine's time zone, that the hour of a night is meant in."""
    import tzlocal

    return tzlocal.get_localzone_name()


if __name__ == "__main__":
    main()
