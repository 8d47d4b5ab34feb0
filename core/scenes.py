"""Names of scenes and setups."""

from __future__ import annotations

import re

_SETUP_LETTER = re.compile(r"^([A-Z]*\d+)[A-Z]{1,2}$")


def folded_scene(written: str) -> str:
    """A scene in capitals without the letters of its setup: `12A` and `12B` are scene `12`."""
    name = written.strip().upper()
    match = _SETUP_LETTER.match(name)
    return match[1] if match else name
