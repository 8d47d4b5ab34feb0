"""Search: what is indexed is brought up to date, then lines are found, also by their sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeVar

from core.phones import Phones
from db.catalogue import Hit, search
from db.engine import Database
from db.search.filters import Filters
from db.search.find import How
from db.search.index import refresh, stale
from models.speech.pronunciation import english_dictionary, pronouncer

SOUNDS_VERSION = "1"
Found = TypeVar("Found")


def find_lines(
    database: Database,
    query: str,
    limit: int,
    filters: Filters = Filters(),
    how: How = "auto",
) -> tuple[Hit, ...]:
    """Lines that a query finds, the closest first; see `db.search.find`.

    Lines that were stored by an older program, or not indexed by sound yet, are indexed first.
    """
    by = sounds_by()
    with database.read() as session:
        behind = stale(session, by)
    if behind:
        with database.write() as session:
            refresh(session, sound_of, by)
    with database.read() as session:
        return search(session, query, limit, filters, sound_of, how)


def by_take(found: Sequence[Found], essence: Callable[[Found], str]) -> list[list[Found]]:
    """What a search found by the takes that it is in, these in the order of their best hit."""
    takes: dict[str, list[Found]] = {}
    for item in found:
        takes.setdefault(essence(item), []).append(item)
    return list(takes.values())


@lru_cache(maxsize=1 << 16)
def sound_of(word: str) -> Phones:
    """How a folded word is usually said; no phones for one without a letter that sounds."""
    return pronouncer("en").phones(word)[0]


def sounds_by() -> str:
    """Names what says how words sound: another dictionary makes another index."""
    return f"english {SOUNDS_VERSION}, {len(english_dictionary())} words"
