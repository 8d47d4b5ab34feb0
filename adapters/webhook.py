"""A message to an address that the person set: JSON by POST, nothing else, and once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SECONDS = 10.0


def post(url: str, message: Mapping[str, Any]) -> str:
    """Send a message; gives a sentence where that failed, else an empty text.

    Redirects are not followed, so that nothing goes where the person did not send it, and what the
    server answers is not read. The address is a secret and never part of the sentence.
    """
    import httpx

    try:
        with (
            httpx.Client(timeout=SECONDS, follow_redirects=False) as client,
            client.stream("POST", url, json=dict(message)) as answer,
        ):
            status = answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as fault:
        return f"The message about the night was not sent ({type(fault).__name__}): check its URL."
    if 200 <= status < 300:
        return ""
    return f"The message about the night was refused (HTTP status {status}): check its URL."
