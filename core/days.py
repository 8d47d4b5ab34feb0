"""Days as recorders and people write them."""

from __future__ import annotations

import re
from datetime import date

from core.errors import UsageError

# EBU Tech 3285 (bext): year, month and day with a hyphen, underscore, colon, space or stop
# between them; some recorders write slashes or nothing.
_DAY = re.compile(r"\s*(\d{4})[-_: ./]?(\d\d)[-_: ./]?(\d\d)\s*", re.ASCII)


def day_of(text: str) -> str:
    """A day as ISO 8601 has it (`2026-11-27`); empty where the text is no day."""
    match = _DAY.fullmatch(text)
    if match is None:
        return ""
    try:
        return date(*(int(part) for part in match.groups())).isoformat()
    except ValueError:
        return ""


def day_asked(text: str) -> str:
    """A day that a person asks for, as ISO 8601 has it; empty for none.

    Raises UsageError for a text that is no day.
    """
    found = day_of(text)
    if text.strip() and not found:
        raise UsageError(f"{text!r} is no day; write it like 2026-11-27.")
    return found
