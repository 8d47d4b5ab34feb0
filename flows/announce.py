"""Tell a Prefect server that a cut was saved, so that its deployment `clean-cut` runs."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from adapters.webhook import post
from core.errors import OutputError, UsageError
from core.run import Wanted

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


def announce(wanted: Wanted) -> None:
    """Tell the server of PREFECT_API_URL that a cut was saved.

    wanted: what shall be done with it. The event goes over the REST API: Prefect's `emit_event`
    tells nobody where it could not be sent. Raises UsageError where no server is set,
    OutputError where it can't be told.
    """
    server = os.environ.get("PREFECT_API_URL")
    if not server:
        raise UsageError(
            "No Prefect server is set: set PREFECT_API_URL (http://127.0.0.1:4200/api)."
        )
    (cut,) = wanted.inputs
    payload: dict[str, Any] = {"cut": str(cut), "media": list(map(str, wanted.media))}
    payload["out"] = "" if wanted.out is None else str(wanted.out)
    payload |= {name: wanted.settings.get(name, "") for name in ("recipe", "loudness")}
    event = {
        "id": str(uuid4()),
        "occurred": datetime.now(UTC).isoformat(),
        "event": SAVED,
        "resource": {"prefect.resource.id": f"{RESOURCE}.{cut}", "prefect.resource.name": cut.name},
        "payload": payload,
    }
    fault = post(f"{server.rstrip('/')}/events", [event], _authorisation())
    if fault:
        raise OutputError(
            f"The event of {cut} was {fault}: see that PREFECT_API_URL is the address of a Prefect "
            "server that runs."
        )


def _authorisation() -> dict[str, str]:
    """The header for a server that lets in only whom it knows, as Prefect's own client has it."""
    if key := os.environ.get("PREFECT_API_KEY"):
        return {"Authorization": f"Bearer {key}"}
    if known := os.environ.get("PREFECT_API_AUTH_STRING"):
        return {"Authorization": f"Basic {b64encode(known.encode()).decode()}"}
    return {}
