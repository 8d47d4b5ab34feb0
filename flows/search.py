"""Search: what is indexed is brought up to date, then lines are found, also by their sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

from sqlalchemy.orm import Session

from core.phones import Phones
from db.catalogue import Hit, search
from db.corrections import corrected_whole
from db.engine import Database
from db.events import TakeEvent, events_of
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
        return search(session, query, limit, _in_full(session, filters), sound_of, how)


def find_events(database: Database, limit: int, filters: Filters) -> tuple[TakeEvent, ...]:
    """What happens in the takes where the filters let it through, by scene, take and start."""
    with database.read() as session:
        return events_of(session, condition=_in_full(session, filters).of_events)[:limit]


def _in_full(session: Session, filters: Filters) -> Filters:
    """The filters with what they need to know of corrections."""
    if filters.draft is None and not filters.min_confidence:
        return filters
    return replace(filters, corrected=corrected_whole(session))


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
