"""Names and numbers in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

# Of the letters of a name that was mistyped so many are usually right; `difflib`'s own measure.
_ALIKE = 0.6


def some(names: Sequence[str], shown: int = 3) -> str:
    """The first of the names, and how many more there are: `A1/001, A1/002, A1/003 and 4 more`."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def counted(number: int, noun: str) -> str:
    """How many there are of something: `1 line`, `2 lines`."""
    return f"{number} {noun}{'s' * (number != 1)}"


def near(asked: str, names: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """The names that a person may have meant, the most alike first; in either case of letters."""
    wanted = asked.strip().casefold()
    if not wanted:
        return ()
    alike = {name: SequenceMatcher(None, wanted, name.casefold()).ratio() for name in set(names)}
    meant = [name for name in alike if alike[name] >= _ALIKE or wanted in name.casefold()]
    return tuple(sorted(meant, key=lambda name: (-alike[name], name))[:most])
