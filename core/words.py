"""Names and numbers in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

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
    known = {name.casefold(): name for name in sorted(names, reverse=True) if name}
    wanted = asked.strip().casefold()
    alike = get_close_matches(wanted, known, most, _ALIKE)
    if wanted:
        alike += [name for name in sorted(known) if wanted in name and name not in alike]
    return tuple(known[name] for name in alike[:most])
