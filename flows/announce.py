"""Tell a Prefect server that a cut was saved, so that its deployment `clean-cut` runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from config.settings import Settings
from core.errors import OutputError, UsageError
from core.run import Wanted
from flows.quiet import quiet_prefect

SAVED = "roomtone.cut.saved"
"""The event; its payload has `cut`, and may have `media`, `out`, `recipe` and `loudness`."""

RESOURCE = "roomtone.cut"
OPTIONAL: Mapping[str, Any] = {"media": [], "out": "", "recipe": "", "loudness": ""}
"""What a payload may leave out, and what it then stands for: as the settings say."""


def trigger() -> dict[str, Any]:
    """The trigger of the deployment, as `prefect.yaml` writes it.

    The server puts the payload's values in; where the payload lacks one, the default.
    """
    filled = {
        name: f"event.payload.{name} | default({OPTIONAL[name]!r}, true)" for name in OPTIONAL
    }
    return {
        "type": "event",
        "name": "a cut was saved",
        "expect": [SAVED],
        "posture": "Reactive",
        "threshold": 1,
        "within": 0,
        "parameters": {
            name: f"{{{{ {text} }}}}"
            for name, text in {"cut": "event.payload.cut", **filled}.items()
        },
    }


def announce(settings: Settings, wanted: Wanted) -> None:
    """Tell the server of PREFECT_API_URL that a cut was saved.

    wanted: what shall be done with it. The event goes over the REST API instead of `emit_event`,
    which tells nobody where it could not be sent. Raises UsageError where no server is set,
    OutputError where it can't be told.
    """
    server = os.environ.get("PREFECT_API_URL")
    if not server:
        raise UsageError(
            "No Prefect server is set: set PREFECT_API_URL (http://127.0.0.1:4200/api)."
        )
    quiet_prefect(settings.home)
    from httpx import HTTPError
    from prefect.client.orchestration import get_client
    from prefect.events import Event, Resource

    (cut,) = wanted.inputs
    payload: dict[str, Any] = {"cut": str(cut), "media": list(map(str, wanted.media))}
    payload["out"] = "" if wanted.out is None else str(wanted.out)
    payload |= {name: wanted.settings.get(name, "") for name in ("recipe", "loudness")}
    resource = Resource(
        {"prefect.resource.id": f"{RESOURCE}.{cut}", "prefect.resource.name": cut.name}
    )
    event = Event(event=SAVED, resource=resource, payload=payload)
    try:
        with get_client(sync_client=True) as client:
            client.request("POST", "/events", json=[event.model_dump(mode="json")])
    except HTTPError as fault:
        raise OutputError(
            f"The Prefect server at {server} could not be told that {cut} was saved "
            f"({type(fault).__name__}); see that it runs."
        ) from fault
