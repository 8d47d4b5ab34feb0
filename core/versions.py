"""What a cut's name says of its version: `REEL 1 v3` is version 3 of `REEL 1`."""

from __future__ import annotations

import re

_VERSION = re.compile(
    r"(?:^|[\s._-]+)v(?:er(?:sion)?)?[\s._-]?(\d{1,5}(?:\.\d{1,3})?[a-z]?)$", re.IGNORECASE
)


def version_in(name: str) -> tuple[str, str]:
    """A name without its version at the end, and the version (`3`, `3b`, `2.1`), or empty.

    A name that is nothing but a version stays whole.
    """
    found = _VERSION.search(name.strip())
    if found is None or not found.start():
        return name.strip(), ""
    whole, point, part = found[1].partition(".")
    return name.strip()[: found.start()], (whole.lstrip("0") or "0") + point + part


def same_title(one: str, other: str) -> bool:
    """Whether two titles differ in nothing but case, spaces and punctuation."""
    return _letters(one) == _letters(other)


def _letters(title: str) -> str:
    return "".join(character for character in title.casefold() if character.isalnum())
