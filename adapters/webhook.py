"""A message to an address that the person set: JSON by POST, nothing else, and once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SECONDS = 10.0


def post(url: str, message: Any, headers: Mapping[str, str] | None = None) -> str:
    """Send a message; gives an empty text, or what failed: `not sent (…)` or `refused (…)`.

    message: anything that JSON can hold. headers: secrets too. Redirects are not followed, so that
    nothing goes where the person did not send it, and what the server answers is not read. The
    address may be a secret and is never part of what is given.
    """
    import httpx

    try:
        with (
            httpx.Client(timeout=SECONDS, follow_redirects=False) as client,
            client.stream("POST", url, json=message, headers=headers) as answer,
        ):
            status = answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as fault:
        return f"not sent ({type(fault).__name__})"
    return "" if 200 <= status < 300 else f"refused (HTTP status {status})"
