"""Keep Prefect's start-up and shut-down to itself, and everything it stores in our home."""

from __future__ import annotations

import os
from pathlib import Path

_DEFAULTS = {
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
    "PREFECT_INTERNAL_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLI_PROMPT": "false",
    # Of a request to a server that is gone, after 2, 4 and 8 s; five would be a minute each, and
    # a run that is done or can go on without the server would wait some minutes to say so.
    "PREFECT_CLIENT_MAX_RETRIES": "3",
    # A private server that is given up while it starts is left behind, running; a busy machine
    # takes longer than the usual 20 s.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "DO_NOT_TRACK": "1",
}


def quiet_prefect(home: Path) -> None:
    """Set Prefect's environment before it is imported; what the person has set stays.

    home: roomtone's home; Prefect's own database goes below it where no server is configured.
    """
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    if "PREFECT_API_URL" not in os.environ:
        prefect_home = Path(os.environ.setdefault("PREFECT_HOME", str(home / "prefect")))
        prefect_home.mkdir(parents=True, exist_ok=True)
